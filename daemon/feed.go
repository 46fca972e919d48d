package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"

	"kilim/consumer/kafkaconn"
	"kilim/consumer/profile"
	"kilim/daemon/config"
	"kilim/daemon/feed"
)

type feedCommand struct {
	config.Client
	Topic          string        `placeholder:"NAME" help:"Topic to write to, instead of --kafka.topics.artifacts."`
	Rate           float64       `placeholder:"N" help:"Records a second at most."`
	Timeout        time.Duration `placeholder:"DURATION" help:"Give up after so long, with exit code 3; without it, never."`
	MaxRecordBytes config.Bytes  `default:"1MiB" min:"1KiB" max:"15MiB" help:"The daemon's ingest.max-record-bytes, above which it refuses a record."`
	AllowRefused   bool          `help:"End with exit code 0 also when the daemon will refuse records, and feed an input whose first line is no object, or has no field of an artifact."`
	From           string        `placeholder:"FORMAT" enum:",csv,xlsx,oai-dc,lido,ead,linked-art,iiif" default:"" help:"Make artifacts of another format: csv, xlsx, oai-dc, lido, ead, linked-art or iiif."`
	Map            string        `placeholder:"NAME" help:"By which map, with --from: a file, or one that comes with kilim (moma, met, cmoa, rijksmuseum, europeana, columns); without it, the format's own."`
	Encoding       string        `placeholder:"NAME" help:"Of a CSV file that is not UTF-8 and has no byte order mark: windows-1252, latin1, utf-16le ..."`
	DryRun         bool          `help:"Send nothing: show the first artifacts, and what would be sent, mapped and not mapped."`
	Input          string        `arg:"" name:"file" help:"JSON Lines, an array of objects or objects printed over several lines; plain, gzip, zstd or bzip2; - is standard input."`
}

// Help is shown by kilim feed --help.
func (feedCommand) Help() string {
	return `Each line that is not blank becomes one record, keyed by the artifact's id. A line that can't be used is sent too, and the daemon puts it to the dead letters with the reason; such lines are counted here by reason. {"id": "x", "__deleted": true} deletes the artifact x.

With --from, each record of the file becomes an artifact by a map; a record that none can be made of is counted and named by its line, and the others are sent. docs/feeding.md has the maps and how to write one.

A relative uri of media becomes a file: URI beside FILE; one in standard input is relative to the working directory. It is read as a URI, so "a%20b.jpg" is the file "a b.jpg". The daemon reads such files below the folders of its media.root. Other bytes of a line are sent as they are.

The topic is created when it is missing. A file of another form (zip, xz, UTF-16, CSV ...) is refused before a record is sent. Exit code 0 means that every record is acknowledged by all in-sync replicas and can be used by the daemon, as far as the record alone tells; otherwise the first line that is not is named. The daemon alone knows of vectors of another length than their encoder's: kilim_records_refused_total counts all. Feeding the same file again does no harm.`
}

// Run feeds the file and prints what was acknowledged.
func (c *feedCommand) Run(s *session) error {
	if err := s.settle(&c.Client); err != nil {
		return err
	}
	if c.Rate < 0 {
		return &exitError{exitUsage, fmt.Errorf("rate: %v: want a positive number, or 0 for no bound", c.Rate)}
	}
	ctx, cancel, err := within(s.ctx, c.Timeout)
	if err != nil {
		return err
	}
	defer cancel()
	base, err := mediaBase(c.Input)
	if err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	in, err := c.open(s)
	if err != nil {
		return err
	}
	defer in.close()
	opt := feed.Options{Base: base, Limits: profile.Limits{RecordBytes: int(c.MaxRecordBytes)}, AllowRefused: c.AllowRefused, Rate: c.Rate, Log: s.log()}
	if c.DryRun {
		sum, err := feed.DryRun(ctx, in.shown(s.stdout), opt)
		fmt.Fprintln(s.stdout, "nothing is sent: "+wouldBe(sum))
		return c.ended(ctx, s, in, sum, err)
	}
	conn, err := s.connect(&c.Client)
	if err != nil {
		return fmt.Errorf("feed: %w", err)
	}
	defer conn.Close()
	topic := c.Kafka.ArtifactsTopic()
	if c.Topic != "" {
		topic.Name = c.Topic
	}
	if err := conn.EnsureTopics(ctx, []kafkaconn.TopicSpec{topic}); err != nil {
		return fmt.Errorf("feed: %w", late(ctx, err))
	}
	show := newProgress(s.stderr, in.size)
	opt.Topic, opt.Progress = topic.Name, show.update
	sum, err := feed.Run(ctx, in, conn, opt)
	show.end()
	fmt.Fprintln(s.stdout, summary(sum))
	return c.ended(ctx, s, in, sum, err)
}

// ended tells what became of the input, and is the command's error.
func (c *feedCommand) ended(ctx context.Context, s *session, in *feedInput, sum feed.Summary, err error) error {
	unread(s.stderr, sum)
	in.report(s.stderr)
	if err != nil {
		return fmt.Errorf("feed: %w", late(ctx, err))
	}
	if len(sum.Refused) > 0 && !c.AllowRefused {
		return fmt.Errorf("feed: the daemon refuses %d of the %d records (%s); the first, %s", refused(sum), sum.Records, reasons(sum), sum.FirstRefused)
	}
	if n := in.broken(); n > 0 && !c.AllowRefused {
		return fmt.Errorf("feed: no artifact could be made of %d records of the file; the others were read", n)
	}
	return nil
}

// mediaBase is the folder that relative uris of the input's media are relative to.
func mediaBase(input string) (string, error) {
	if input == "-" {
		return os.Getwd()
	}
	abs, err := filepath.Abs(input)
	return filepath.Dir(abs), err
}

func summary(sum feed.Summary) string {
	text := fmt.Sprintf("%d records acknowledged, %d bytes, %.1f s, %.0f records/s", sum.Records, sum.Bytes, sum.Elapsed.Seconds(), sum.PerSecond())
	if sum.Deletes > 0 {
		text += fmt.Sprintf(", %d of them deletes", sum.Deletes)
	}
	if len(sum.Refused) > 0 {
		text += fmt.Sprintf(", %d that the daemon refuses (%s)", refused(sum), reasons(sum))
	}
	return text
}

// unread tells which fields of records that can be used the daemon does not understand, the most frequent first.
func unread(w io.Writer, sum feed.Summary) {
	names := slices.Sorted(maps.Keys(sum.Unread))
	slices.SortStableFunc(names, func(a, b string) int { return sum.Unread[b] - sum.Unread[a] })
	for _, name := range names {
		fmt.Fprintf(w, "not understood: %s\n", unreadField(name, int64(sum.Unread[name])))
	}
}

// unreadField tells of a field that records have and that is not understood.
func unreadField(name string, records int64) string {
	text := fmt.Sprintf("%q in %d records", name, records)
	if records == 1 {
		text = fmt.Sprintf("%q in 1 record", name)
	}
	if name == "date" {
		return text + ", a begin or end that is no year (its text is kept)"
	}
	if meant := profile.Suggest(name); meant != "" {
		text += ": did you mean " + strconv.Quote(meant) + "?"
	}
	return text
}

func refused(sum feed.Summary) (n int) {
	for _, of := range sum.Refused {
		n += of
	}
	return n
}

// reasons lists those of refusals with their numbers.
func reasons(sum feed.Summary) string {
	var list []string
	for _, reason := range slices.Sorted(maps.Keys(sum.Refused)) {
		list = append(list, fmt.Sprintf("%d %s", sum.Refused[reason], reason))
	}
	return strings.Join(list, ", ")
}

// log returns the logger of commands that a person runs. Debug lines would drown what the command prints.
func (s *session) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(s.stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

func (s *session) connect(c *config.Client) (*kafkaconn.Conn, error) {
	settings := c.Conn()
	settings.ClientID = "kilim-cli"
	settings.Log = s.log()
	return kafkaconn.New(settings)
}

// progress shows how far the feed is: a bar on a terminal, else a line now and then.
type progress struct {
	out  io.Writer
	bar  *progressbar.ProgressBar
	size int64 // of the input; -1 when not known
	last time.Time
}

const linesEvery = 5 * time.Second

func newProgress(w io.Writer, size int64) *progress {
	bar := newBar(w, size, progressbar.OptionSetDescription("feeding"), progressbar.OptionShowBytes(true))
	return &progress{out: w, size: size, last: time.Now(), bar: bar}
}

func (p *progress) update(sum feed.Summary) {
	if p.bar != nil {
		p.bar.Describe(fmt.Sprintf("%s records", humanize.Comma(int64(sum.Records))))
		_ = p.bar.Set64(sum.Read) // a bar that can't be drawn is no reason to stop
		return
	}
	if now := time.Now(); now.Sub(p.last) >= linesEvery {
		p.last = now
		share := ""
		if p.size > 0 {
			share = fmt.Sprintf(" (%d%% of the file)", 100*sum.Read/p.size)
		}
		fmt.Fprintf(p.out, "fed %d records%s, %.0f records/s\n", sum.Records, share, sum.PerSecond())
	}
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
