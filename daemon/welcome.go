package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/term"

	"kilim/consumer/kafkaconn"
	"kilim/daemon/app"
	"kilim/daemon/config"
	"kilim/daemon/demo"
	"kilim/daemon/watch"
	"kilim/rerank"
)

// welcomeLines is the height of what welcome prints, and of the command above it.
const welcomeLines = 21

// welcome says where to look.
func welcome(w io.Writer, a *app.App, c *config.Config) {
	http, topics := a.HTTP().String(), c.Kafka.Topics
	fmt.Fprintf(w, `
kilim runs, %s. State is in %s.

  look at    http://%[7]s/   (what arrives, a search, each artifact beside what it is like)
  Kafka      %[3]s   (kcat -b %[3]s -C -t %[5]s; the embedded broker)
  topics     in: %[4]s   out: %[5]s   refused: %[6]s
  queries    http://%[7]s/api/v1/artifacts/demo:00000007/similar?list=total&k=20
             http://%[7]s/api/v1/artifacts/demo:00000007
  status     http://%[7]s/api/v1/status     metrics  http://%[7]s/metrics

In another terminal:
  bin/kilim watch                 every list that changes, with scores and causes
  bin/kilim feed FILE             your own artifacts: JSON Lines, plain or gzip
  bin/kilim status --wait         returns when everything fed is answered
  bin/kilim model                 the models, and which serves

Ctrl-C stops it; the next start goes on where this one was. Newcomers, as their first lists are published:

`, arriving(a.DemoLeft(), c.Demo), c.Data, a.Bootstrap(), topics.Artifacts, topics.Similar, topics.DeadLetters, http)
}

// arriving says how much of the demo archive is there, and what is still to come.
func arriving(left int, d config.Demo) string {
	switch left {
	case 0:
		return fmt.Sprintf("and has all of its demo archive of %d artifacts", d.Artifacts)
	case d.Artifacts:
		return fmt.Sprintf("and a demo archive of %d artifacts arrives, %g a second", d.Artifacts, d.Rate)
	}
	return fmt.Sprintf("and the other %d of a demo archive of %d artifacts arrive, %g a second", left, d.Artifacts, d.Rate)
}

// newcomers prints a line for each artifact that has just got its first list, until ctx ends.
func newcomers(ctx context.Context, w io.Writer, a *app.App, c *config.Config, log *slog.Logger) {
	settings := c.Conn()
	settings.Brokers = []string{a.Bootstrap()}
	conn, err := kafkaconn.New(settings)
	if err != nil {
		log.Warn("newcomers are not shown", "error", err)
		return
	}
	defer conn.Close()
	show, last, epoch := newRoll(w), demo.ID(c.Demo.Artifacts-1), uint32(0)
	err = watch.Follow(ctx, conn, watch.Options{Topic: c.Kafka.Topics.Similar, Log: log}, func(m kafka.Message) error {
		var u struct {
			ID    string                    `json:"id"`
			Lists map[string][]rerank.Entry `json:"lists"`
			Cause []string                  `json:"cause"`
			Epoch uint32                    `json:"epoch"`
		}
		if m.Value == nil || json.Unmarshal(m.Value, &u) != nil {
			return nil
		}
		if epoch > 0 && u.Epoch != epoch {
			show.line(fmt.Sprintf("%s  another model serves, that of epoch %d: bin/kilim model show %[2]d", m.Time.Local().Format(time.TimeOnly), u.Epoch))
		}
		epoch = u.Epoch
		if !slices.Contains(u.Cause, u.ID) {
			return nil
		}
		total := u.Lists[rerank.ListTotal]
		ids := []string{u.ID}
		if len(total) > 0 {
			ids = append(ids, total[0].ID)
		}
		titles := a.Titles(ids)
		show.line(fmt.Sprintf("%s  %s  %s", m.Time.Local().Format(time.TimeOnly), watch.Named(u.ID, titles[u.ID]), nearest(total, titles)))
		if u.ID == last {
			show.end()
			fmt.Fprintln(w, "\nThe whole demo archive has arrived. To see more: bin/kilim feed FILE")
		}
		return nil
	})
	show.end()
	if err != nil {
		log.Warn("newcomers are no longer shown", "error", err)
	}
}

// roll prints lines. On a terminal it does not scroll away the welcome above them: when the
// screen is full, it overwrites its last line.
type roll struct {
	w             io.Writer
	rows, columns int // rows is 0 where all lines are printed
	over          bool
}

func newRoll(w io.Writer) *roll {
	r := &roll{w: w}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if columns, rows, err := term.GetSize(int(f.Fd())); err == nil {
			// Two lines stay free: the one that roll overwrites, and one for the text after the end.
			r.rows, r.columns = max(rows-welcomeLines-3, 1), columns
		}
	}
	return r
}

func (r *roll) line(text string) {
	if chars := []rune(text); r.columns > 0 && len(chars) >= r.columns {
		text = string(chars[:r.columns-1])
	}
	switch {
	case r.columns == 0:
		fmt.Fprintln(r.w, text)
	case r.rows > 0:
		r.rows--
		fmt.Fprintln(r.w, text)
	default:
		// The cursor goes back to the beginning of the line, so that a log line overwrites it instead of continuing it.
		fmt.Fprintf(r.w, "\x1b[K%s\r", text)
		r.over = true
	}
}

// end moves to a new line, if the cursor is in one that roll overwrites.
func (r *roll) end() {
	if r.over {
		fmt.Fprintln(r.w)
		r.over = false
	}
}

// nearest tells the first entry of a list, by its title, and the part that counts most in it.
func nearest(list []rerank.Entry, titles map[string]string) string {
	if len(list) == 0 {
		return "is the first"
	}
	e := list[0]
	parts := []struct {
		why   string
		value float32
	}{{"what they share", e.Parts.Entities}, {"words", e.Parts.Words}, {"text and neighbourhood", e.Parts.Cosine}}
	best := parts[0]
	for _, p := range parts[1:] {
		if p.value > best.value {
			best = p
		}
	}
	return fmt.Sprintf("is most like %s (%.2f, by %s), of %d in its list", watch.Named(e.ID, titles[e.ID]), e.Score, best.why, len(list))
}
