package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"kilim/daemon/feed"
	"kilim/daemon/feed/importer"
)

// feedInput is what kilim feed reads.
type feedInput struct {
	feed.Lines
	importer *importer.Importer // nil when the input is artifacts already
	file     *os.File           // nil when it is standard input
	size     int64              // -1 when not known
}

// open opens the input as the flags say. Its errors have the exit code of wrong usage where flags are at fault.
func (c *feedCommand) open(s *session) (*feedInput, error) {
	if c.From == "" && (c.Map != "" || c.Encoding != "") {
		return nil, &exitError{exitUsage, fmt.Errorf("feed: --map and --encoding are for --from FORMAT")}
	}
	in := &feedInput{size: -1}
	reader := s.stdin
	if c.Input != "-" {
		f, err := os.Open(c.Input)
		if err != nil {
			return nil, fmt.Errorf("feed: %w", err)
		}
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			in.size = info.Size()
		}
		in.file, reader = f, f
	}
	if c.From == "" {
		in.Lines = feed.JSON(reader)
		return in, nil
	}
	var err error
	if in.importer, err = importer.Open(reader, importer.Options{Format: c.From, Map: c.Map, Encoding: c.Encoding}); err != nil {
		in.close()
		return nil, fmt.Errorf("feed: %s: %w", c.From, err)
	}
	in.Lines = in.importer
	for _, note := range in.importer.Notes() {
		fmt.Fprintf(s.stderr, "%s: %s\n", c.From, note)
	}
	return in, nil
}

// close closes the input. It was only read: that it can't be closed is nobody's loss.
func (in *feedInput) close() {
	if in.importer != nil {
		_ = in.importer.Close()
	}
	if in.file != nil {
		_ = in.file.Close()
	}
}

// broken counts the records of which no artifact could be made.
func (in *feedInput) broken() int {
	if in.importer == nil {
		return 0
	}
	return in.importer.Report().Broken
}

// report tells what an importer mapped, what it did not, and what it could make nothing of.
func (in *feedInput) report(w io.Writer) {
	if in.importer == nil {
		return
	}
	r := in.importer.Report()
	fmt.Fprintf(w, "%d artifacts made of %d records\n", r.Records, r.Records+r.Broken)
	for _, field := range slices.Sorted(maps.Keys(r.Mapped)) {
		fmt.Fprintf(w, "mapped: %s in %d\n", field, r.Mapped[field])
	}
	for _, left := range r.Unmapped() {
		fmt.Fprintf(w, "not mapped: %q, %d values, such as %q\n", left.Path, left.Count, left.Example)
	}
	if r.More > 0 {
		fmt.Fprintf(w, "not mapped: %d values of further fields\n", r.More)
	}
	for _, err := range r.First {
		fmt.Fprintf(w, "broken: %v\n", err)
	}
	if more := r.Broken - len(r.First); more > 0 {
		fmt.Fprintf(w, "broken: %d more\n", more)
	}
}

// shownArtifacts is how many a dry run shows.
const shownArtifacts = 3

// shown prints the first artifacts as they are read.
func (in *feedInput) shown(w io.Writer) feed.Lines { return &shownLines{Lines: in, w: w} }

type shownLines struct {
	feed.Lines
	w io.Writer
	n int
}

func (s *shownLines) Next() (line []byte, no int, err error) {
	line, no, err = s.Lines.Next()
	if err == nil && s.n < shownArtifacts {
		s.n++
		_, err = fmt.Fprintf(s.w, "%s\n", line)
	}
	return line, no, err
}

// wouldBe tells of a dry run what summary tells of a feed.
func wouldBe(sum feed.Summary) string {
	text := fmt.Sprintf("%d records, %d bytes", sum.Records, sum.Bytes)
	if sum.Deletes > 0 {
		text += fmt.Sprintf(", %d of them deletes", sum.Deletes)
	}
	if len(sum.Refused) > 0 {
		text += fmt.Sprintf(", %d that the daemon refuses (%s)", refused(sum), reasons(sum))
	}
	return text
}
