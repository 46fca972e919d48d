package importer

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kilim/consumer/profile"
	"kilim/daemon/feed/importer/mapping"
)

var update = flag.Bool("update", false, "write what is made of the samples, to be read by a person")

// read reads an input to its end and gives what was made of it, in lines as kilim feed --dry-run shows them.
func read(t *testing.T, im *Importer) (shown string) {
	t.Helper()
	var out strings.Builder
	for _, n := range im.Notes() {
		fmt.Fprintf(&out, "# %s\n", n)
	}
	for {
		line, no, err := im.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Fprintf(&out, "ended: %v\n", err)
			break
		}
		fmt.Fprintf(&out, "%d %s\n", no, line)
		if bytes.Contains(line, []byte(`"__deleted":true`)) {
			continue
		}
		if a, err := profile.Parse(line, "", profile.Limits{}); err != nil || len(a.Unread) > 0 {
			t.Errorf("the daemon refuses or does not understand %s: %v, %v", line, err, a)
		}
	}
	r := im.Report()
	for _, field := range slices.Sorted(maps.Keys(r.Mapped)) {
		fmt.Fprintf(&out, "mapped %s %d\n", field, r.Mapped[field])
	}
	for _, l := range r.Unmapped() {
		fmt.Fprintf(&out, "not mapped %s %d %q\n", l.Path, l.Count, l.Example)
	}
	for _, err := range r.First {
		fmt.Fprintf(&out, "broken %v\n", err)
	}
	return out.String()
}

// TestSamples holds what is made of a sample of each format and map, what is not mapped, and which records are broken. The
// samples have the real names of fields and no real record.
func TestSamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, format, by string }{
		{"moma.csv", "csv", "moma"}, {"met.csv", "csv", "met"}, {"cmoa.csv", "csv", "cmoa"}, {"rijksmuseum.csv", "csv", "rijksmuseum"},
		{"oai-dc.xml", "oai-dc", ""}, {"europeana.xml", "oai-dc", "europeana"}, {"lido.xml", "lido", ""}, {"ead.xml", "ead", ""},
		{"linked-art.jsonl", "linked-art", ""}, {"iiif.json", "iiif", ""},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			f, err := os.Open(filepath.Join("testdata", c.file))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			im, err := Open(f, Options{Format: c.format, Map: c.by})
			if err != nil {
				t.Fatal(err)
			}
			got := read(t, im)
			if info, err := f.Stat(); err != nil || im.Read() != info.Size() {
				t.Errorf("%d bytes read of %d (%v)", im.Read(), info.Size(), err)
			}
			golden := filepath.Join("testdata", c.file+".want")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("made\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestEveryMapHasASample names the maps that no sample shows.
func TestEveryMapHasASample(t *testing.T) {
	t.Parallel()
	for _, name := range mapping.Names() {
		found, err := filepath.Glob(filepath.Join("testdata", name+".*.want"))
		if err != nil || len(found) == 0 && name != "columns" { // which TestEncodings shows
			t.Errorf("%s: no sample (%v)", name, err)
		}
	}
}
