package eval

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// TestEqualPairsAreDropped: a kilobyte of gzip that says one thing a hundred thousand times takes the memory of one pair, and a
// grade does not weigh more for being repeated.
func TestEqualPairsAreDropped(t *testing.T) {
	t.Parallel()
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	for range 50_000 {
		_, err := io.WriteString(z, `{"a":"1","b":"2","grade":3}`+"\n"+`{"a":"2","b":"1","grade":3}`+"\n")
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(z, `{"a":"1","b":"2","grade":1}`+"\n"+`{"a":"1","b":"2","grade":3,"theme":"x"}`); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	truth, err := Read(&zipped)
	if err != nil {
		t.Fatal(err)
	}
	if len(truth.pairs) != 3 {
		t.Fatalf("%d pairs of three that differ", len(truth.pairs))
	}
	queries, err := truth.Queries("general", 1)
	if want := 7.0 / 3; err != nil || queries[0].Relevant["2"] != want {
		t.Errorf("%v %v, want the mean over the three", queries, err)
	}
}

// lines are the texts of fn, made as they are read.
type lines struct {
	fn   func(n int) string
	n    int
	left string
}

func (l *lines) Read(p []byte) (int, error) {
	if l.left == "" {
		l.left = l.fn(l.n) + "\n"
		l.n++
	}
	n := copy(p, l.left)
	l.left = l.left[n:]
	return n, nil
}

func TestBoundsOfATruth(t *testing.T) {
	t.Parallel()
	most := bounds{bytes: 100_000, pairs: 50, labels: 60, terms: 70, kept: 8000}
	long := strings.Repeat("x", 1000)
	for name, c := range map[string]struct {
		fn   func(n int) string
		want string
	}{
		"pairs":        {func(n int) string { return fmt.Sprintf(`{"a":"a","b":"%d","grade":1}`, n) }, "50 pairs"},
		"ids":          {func(n int) string { return fmt.Sprintf(`{"id":"%d"}`, n) }, "60 ids"},
		"terms":        {func(n int) string { return fmt.Sprintf(`{"id":"%d","theme":{"t":["x","y","z"]}}`, n) }, "70 terms"},
		"bytes kept":   {func(n int) string { return fmt.Sprintf(`{"id":"%d%s"}`, n, long) }, "8000 bytes"},
		"bytes of all": {func(int) string { return strings.Repeat(" ", 1000) }, "100000 bytes"},
	} {
		_, err := read(&lines{fn: c.fn}, most)
		if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzTruth: no file makes Read panic, and what Read takes can be asked of.
func FuzzTruth(f *testing.F) {
	for _, s := range []string{labels, `{"a":"1","b":"2","grade":3,"theme":"x"}`, "\x1f\x8b", `{"a":null,"id":null}`, `{"id":"x","theme":{"":[""]}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		truth, err := Read(bytes.NewReader(raw))
		if err != nil {
			return
		}
		for _, list := range append([]string{"total"}, truth.Themes()...) {
			if _, err := truth.Queries(list, 1); err != nil && !errors.Is(err, ErrNoQueries) {
				t.Error(err)
			}
		}
	})
}
