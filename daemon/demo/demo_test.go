package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"runtime"
	"strings"
	"testing"

	"kilim/consumer/profile"
)

func each(t testing.TB, opt Options, fn func(record []byte, id string)) {
	t.Helper()
	err := Each(opt, func(record []byte, id string) error {
		fn(record, id)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func digest(t *testing.T, fill func(h hash.Hash)) string {
	t.Helper()
	h := sha256.New()
	fill(h)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	archive := func(opt Options) string {
		return digest(t, func(h hash.Hash) {
			if err := Write(h, opt); err != nil {
				t.Fatal(err)
			}
		})
	}
	opt := Options{Artifacts: 200, Seed: 7, Media: true}
	first := archive(opt)
	if again := archive(opt); again != first {
		t.Errorf("two runs differ: %s and %s", first, again)
	}
	opt.Seed++
	if other := archive(opt); other == first {
		t.Error("another seed gives the same archive")
	}
}

// The archive is what evaluations are compared on: a change to it must be meant.
// The pictures are taken before they are compressed, as Go's compressor may change.
func TestPinned(t *testing.T) {
	t.Parallel()
	w := newWriter(Options{Artifacts: DefaultArtifacts, Seed: 1, Media: true})
	for _, c := range []struct {
		name, want string
		fill       func(h hash.Hash)
	}{
		{"records", pinnedRecords, func(h hash.Hash) {
			if err := Write(h, Options{Seed: 1}); err != nil {
				t.Fatal(err)
			}
		}},
		{"cloths", pinnedCloths, func(h hash.Hash) {
			for i := range 300 {
				if tr := w.truth(i); tr.kind == Textile {
					c := w.weave(i, &tr)
					for _, k := range c.knots {
						h.Write([]byte{byte(k)})
					}
					for _, rgb := range c.palette {
						r, g, b, _ := rgb.RGBA()
						h.Write([]byte{byte(r), byte(g), byte(b)})
					}
				}
			}
		}},
		{"songs", pinnedSongs, func(h hash.Hash) {
			for i := range 100 {
				if tr := w.truth(i); tr.kind == Recording {
					h.Write(w.sing(i, &tr))
				}
			}
		}},
	} {
		if got := digest(t, c.fill); got != c.want {
			t.Errorf("%s: %s, pinned is %s", c.name, got, c.want)
		}
	}
}

const (
	pinnedRecords = "bcddd81e1a7a00c3"
	pinnedCloths  = "e8b65ef9607fb134"
	pinnedSongs   = "9196f8fc4ed44d20"
)

func TestSmallerIsTheBeginningOfLarger(t *testing.T) {
	t.Parallel()
	const small = 205 // not a multiple of codexEvery
	var large [][]byte
	each(t, Options{Artifacts: 400, Seed: 3}, func(r []byte, _ string) { large = append(large, r) })
	changed := 0
	i := 0
	each(t, Options{Artifacts: small, Seed: 3}, func(r []byte, id string) {
		if !bytes.Equal(r, large[i]) {
			if i/codexEvery != (small-1)/codexEvery {
				t.Errorf("%s differs:\n%s\n%s", id, r, large[i])
			}
			changed++
		}
		i++
	})
	if i != small {
		t.Fatalf("%d artifacts, want %d", i, small)
	}
	if changed == 0 {
		t.Error("no link was left out at the end: this archive does not test that")
	}
}

func TestEveryRecordIsInTheProfile(t *testing.T) {
	t.Parallel()
	forward := 0
	seen := map[string]int{}
	kinds := map[string]int{}
	languages := map[string]int{}
	digitized := ""
	var links []profile.Link
	describe := Describer(Options{Artifacts: 700, Seed: 1})
	each(t, Options{Artifacts: 700, Seed: 1, Media: true}, func(raw []byte, id string) {
		a, err := profile.Parse(raw, "", profile.Limits{})
		if err != nil {
			t.Fatalf("%s: %v\n%s", id, err, raw)
		}
		if a.ID != id || bytes.ContainsAny(raw, "\n\r") {
			t.Fatalf("id %q, want %q; on one line: %s", a.ID, id, raw)
		}
		if a.Digitized < digitized {
			t.Errorf("%s: digitized %s, before the one ahead of it (%s)", id, a.Digitized, digitized)
		}
		digitized = a.Digitized
		seen[id] = len(seen)
		languages[a.Language]++
		links = append(links, a.Link...)
		for _, l := range a.Link {
			kinds[l.Type]++
			if _, there := seen[l.Target]; !there {
				forward++
			}
			if l.Target == id {
				t.Errorf("%s links to itself", id)
			}
		}
		for _, m := range a.Media {
			kinds[m.Kind]++
			if (m.Kind != profile.Text) == (len(m.Data) == 0) {
				t.Errorf("%s: %s with %d bytes", id, m.Kind, len(m.Data))
			}
		}
		tr := describe(seen[id])
		if got := a.Theme["motif"]; len(got) > 1 || strings.Join(got, "") != tr.Motif || strings.Join(a.Theme["music"], "") != tr.Mode ||
			a.Theme["craft"][0] != tr.Craft || a.Theme["belief"][0] != tr.Belief {
			t.Errorf("%s: themes %v, the truth is %+v", id, a.Theme, tr)
		}
		if a.Date != nil && (float64(tr.Year) < *a.Date.Begin || float64(tr.Year) > *a.Date.End) {
			t.Errorf("%s: %d is not within %v..%v", id, tr.Year, *a.Date.Begin, *a.Date.End)
		}
	})
	for _, l := range links {
		if _, there := seen[l.Target]; !there {
			t.Errorf("a link to %s, which never comes", l.Target)
		}
	}
	if forward == 0 {
		t.Error("no link's target comes later")
	}
	for _, kind := range []string{"part_of", "copy_of", "related", profile.Text, profile.Image, profile.Audio} {
		if kinds[kind] < 10 {
			t.Errorf("%d of %s", kinds[kind], kind)
		}
	}
	for _, code := range []string{"en", "tr", "fr", "de", "fa"} {
		if languages[code] < 40 {
			t.Errorf("%d artifacts in %s", languages[code], code)
		}
	}
}

// Without media there are the same artifacts, with URIs for the pictures.
func TestWithoutMedia(t *testing.T) {
	t.Parallel()
	var with, without []*profile.Artifact
	parse := func(list *[]*profile.Artifact) func([]byte, string) {
		return func(raw []byte, _ string) {
			a, err := profile.Parse(raw, "", profile.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			*list = append(*list, a)
		}
	}
	each(t, Options{Artifacts: 100, Seed: 1, Media: true}, parse(&with))
	each(t, Options{Artifacts: 100, Seed: 1}, parse(&without))
	for i, a := range with {
		b := without[i]
		if a.Title != b.Title || a.Description != b.Description || len(a.Media) != len(b.Media) {
			t.Fatalf("%s differs:\n%s\n%s", a.ID, a.Raw, b.Raw)
		}
		for j := range b.Media {
			if m := b.Media[j]; len(m.Data) != 0 || m.Text == "" && m.URI == "" {
				t.Errorf("%s: media %+v", b.ID, m)
			}
		}
	}
}

// Not parallel: it looks at the heap of the whole process.
func TestMemoryDoesNotGrow(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var early, late uint64
	n := 0
	each(t, Options{Artifacts: 12_000, Seed: 1}, func([]byte, string) {
		switch n++; n {
		case 1_000:
			early = heap()
		case 12_000:
			late = heap()
		}
	})
	// A pointer an artifact would be 88 KB, an id 176 KB; the runtime itself comes to some 8.
	if late > early+32<<10 {
		t.Errorf("the heap grew from %d to %d bytes within 11,000 artifacts", early, late)
	}
}

type failing struct{ left int }

var errFull = errors.New("full")

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestErrors(t *testing.T) {
	t.Parallel()
	if err := Write(io.Discard, Options{Artifacts: -1}); err == nil || !strings.Contains(err.Error(), "artifacts = -1") {
		t.Errorf("Artifacts -1: %v", err)
	}
	if err := Write(io.Discard, Options{Artifacts: MaxArtifacts + 1}); err == nil {
		t.Error("more artifacts than ids have digits for are accepted")
	}
	for left := 0; left < 200_000; left += 65_536 {
		if err := Write(&failing{left}, Options{}); !errors.Is(err, errFull) {
			t.Errorf("a writer that fails after %d bytes: %v", left, err)
		}
	}
	n := 0
	err := Each(Options{}, func([]byte, string) error {
		if n++; n == 3 {
			return errFull
		}
		return nil
	})
	if err != errFull || n != 3 {
		t.Errorf("an error of fn: %v after %d calls", err, n)
	}
	each(t, Options{}, func([]byte, string) { n++ })
	if n != 3+DefaultArtifacts {
		t.Errorf("%d artifacts by default, want %d", n-3, DefaultArtifacts)
	}
}

func benchmarkEach(b *testing.B, media bool) {
	var bytes int64
	each(b, Options{Artifacts: b.N, Seed: 1, Media: media}, func(r []byte, _ string) { bytes += int64(len(r)) + 1 })
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "artifacts/s")
	b.ReportMetric(float64(bytes)/float64(b.N), "B/artifact")
}

func BenchmarkEach(b *testing.B)      { benchmarkEach(b, false) }
func BenchmarkEachMedia(b *testing.B) { benchmarkEach(b, true) }
