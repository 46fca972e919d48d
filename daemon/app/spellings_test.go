package app

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/config"
)

// TestSpellingsOfOnesOwn gives a state spellings, changes their file while it is stopped, and takes them away: each time the state is
// made anew beside, while records come and go, and in the end its lists are those of a state that had the spellings from the start.
func TestSpellingsOfOnesOwn(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "spellings")
	write := func(lines string) {
		if err := os.WriteFile(file, []byte("kilim-spellings 1\n"+lines), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	exact := func() *config.Config {
		cfg := testConfig(t)
		cfg.Refresh.Epsilon, cfg.Refresh.Sweep, cfg.Lists.Tolerance, cfg.Index.Engine = 0, 0, 0, "flat" // lists depend on nothing but what lives
		return cfg
	}
	record := func(i int) kafka.Message {
		return artifact(fmt.Sprintf("a/%d", i), fmt.Sprintf(`"title":"a %s with %s"`, []string{"jhelim", "kilim", "palas"}[i%3], []string{"stars", "hooks", "combs", "rams"}[i%4]))
	}
	cfg := exact()
	d := start(t, cfg)
	var first []kafka.Message
	for i := range 12 {
		first = append(first, record(i))
	}
	d.feed(first...)
	d.settle(12)
	plain := d.stored(12)
	d.end()

	before := plain
	for _, tc := range []struct{ name, lines string }{
		{"spellings", "words kilim jhelim"}, {"a file that has changed", "words kilim palas"}, {"none", ""},
	} {
		cfg.Encoders.Text.Spellings = ""
		if tc.lines != "" {
			cfg.Encoders.Text.Spellings = file
			write(tc.lines)
		}
		d = start(t, cfg)
		d.feed(record(12), kafka.Message{Key: []byte("a/12")}, record(3)) // counted in and out while the state is made beside
		d.serves(1)
		d.settle(12)
		got := d.stored(12)
		d.compare(got)
		d.end()
		if maps.Equal(got, before) {
			t.Errorf("%s: the lists are as they were", tc.name)
		}
		before = got
		if tc.lines == "" || testing.Short() { // the last lists are held against the first ones in any case
			continue
		}
		other := exact()
		other.Encoders.Text.Spellings = cfg.Encoders.Text.Spellings
		d = start(t, other)
		d.feed(first...)
		d.settle(12)
		if want := d.stored(12); !maps.Equal(got, want) {
			t.Errorf("%s: the lists are %v, those of a new state %v", tc.name, got, want)
		}
		d.end()
	}
	if !maps.Equal(before, plain) {
		t.Errorf("the lists are %v, they were %v", before, plain)
	}
}
