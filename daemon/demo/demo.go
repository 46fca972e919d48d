package demo

import (
	"bufio"
	"fmt"
	"io"
)

// DefaultArtifacts is the size of an archive that does not say.
const DefaultArtifacts = 500

// MaxArtifacts bounds an archive: ids hold so many digits.
const MaxArtifacts = 100_000_000

// Options choose an archive.
type Options struct {
	Artifacts int    // how many; 0 is DefaultArtifacts
	Seed      uint64 // any
	Media     bool   // pictures and melodies inline, else only as URIs (which lead nowhere)
}

func (o Options) checked() (Options, error) {
	if o.Artifacts == 0 {
		o.Artifacts = DefaultArtifacts
	}
	if o.Artifacts < 0 || o.Artifacts > MaxArtifacts {
		return o, fmt.Errorf("demo archive: artifacts = %d: want 0..%d", o.Artifacts, MaxArtifacts)
	}
	return o, nil
}

// ID is the id of the artifact at an ordinal, 0..Artifacts-1.
func ID(ordinal int) string { return fmt.Sprintf("demo:%08d", ordinal) }

// Each calls fn with every artifact, in the order of `digitized`: its JSON
// without a line's end, which fn may keep, and its id. An error of fn ends it
// and is returned as it is.
func Each(opt Options, fn func(record []byte, id string) error) error {
	opt, err := opt.checked()
	if err != nil {
		return err
	}
	w := newWriter(opt)
	for i := range opt.Artifacts {
		record, err := w.record(i)
		if err != nil {
			return fmt.Errorf("demo archive: artifact %d: %w", i, err)
		}
		if err := fn(record, ID(i)); err != nil {
			return err
		}
	}
	return nil
}

// Write writes the archive as JSON Lines.
func Write(w io.Writer, opt Options) error {
	out := bufio.NewWriterSize(w, 64<<10)
	err := Each(opt, func(record []byte, _ string) error {
		if _, err := out.Write(record); err != nil {
			return fmt.Errorf("demo archive: %w", err)
		}
		if err := out.WriteByte('\n'); err != nil {
			return fmt.Errorf("demo archive: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("demo archive: %w", err)
	}
	return nil
}
