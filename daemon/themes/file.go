package themes

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"kilim/internal/atomicfile"
	"kilim/learner/theme"
)

// fileFormat is the version of the file of a model. Raise it when Made changes, what a survey makes of a record, or what a model makes of the same works and labels: its id tells of that, and lists of another are made anew.
const fileFormat = 2

// Made tells what a model was fitted on.
type Made struct {
	Format int       `json:"format"`
	At     time.Time `json:"at"`
	// Works were fitted, of Artifacts that were read.
	Works     int `json:"works"`
	Artifacts int `json:"artifacts"`
	// Labelled is how many artifacts had labels, by admitted theme, weak ones too.
	Labelled map[string]int `json:"labelled"`
	// Apart has checksums of the labels of the themes that stand apart, see Declaration.
	Apart map[string]string `json:"apart,omitempty"`
	Sums  sums              `json:"sums"`
}

// ID names the model that was fitted on it: a model is a function of that, to the bit.
func (m *Made) ID() string {
	c := checksum{sha256.New()}
	c.number(m.Format)
	c.text(m.Sums.Works)
	c.text(m.Sums.Labels)
	for _, name := range slices.Sorted(maps.Keys(m.Apart)) {
		c.text(name)
		c.text(m.Apart[name])
	}
	return hex.EncodeToString(c.Sum(nil)[:8])
}

// IDOf names what of the model says how like artifacts are in a theme: neither its name nor that changes when another theme comes that stands apart, or goes.
func (m *Made) IDOf(theme string) string {
	of := Made{Format: m.Format, Sums: m.Sums}
	if sum, apart := m.Apart[theme]; apart {
		of.Apart = map[string]string{theme: sum}
	}
	return of.ID()
}

// write keeps a model: a line of JSON and then the bytes of the model, which have a checksum of their own.
func write(path string, made Made, m *theme.Model) error {
	data, err := m.MarshalBinary()
	if err != nil {
		return fmt.Errorf("themes: keep the model: %w", err)
	}
	head, err := json.Marshal(made)
	if err != nil {
		return fmt.Errorf("themes: keep the model: %w", err)
	}
	err = atomicfile.WriteFunc(path, func(w io.Writer) error {
		for _, part := range [][]byte{head, {'\n'}, data} {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	}, nil)
	if err != nil {
		return fmt.Errorf("themes: keep the model: %w", err)
	}
	return nil
}

// read returns the model that was kept, nil if none was.
func read(path string) (made Made, m *theme.Model, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return made, nil, nil
	}
	if err != nil {
		return made, nil, fmt.Errorf("themes: %w", err)
	}
	head, data, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return made, nil, fmt.Errorf("themes: %s: it has no first line", path)
	}
	if err := json.Unmarshal(head, &made); err != nil {
		return made, nil, fmt.Errorf("themes: %s: its first line: %w", path, err)
	}
	if made.Format != fileFormat {
		return made, nil, fmt.Errorf("themes: %s: it is of format %d, this program reads %d", path, made.Format, fileFormat)
	}
	if m, err = theme.Unmarshal(data); err != nil {
		return made, nil, fmt.Errorf("themes: %s: %w", path, err)
	}
	return made, m, nil
}
