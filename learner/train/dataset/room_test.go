package dataset

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"kilim/learner/encode/text"
)

// hoard is a record with n terms that no other has.
func hoard(id, n int) string {
	terms := make([]string, n)
	for i := range terms {
		terms[i] = fmt.Sprintf(`"%d of %d"`, i, id)
	}
	return `{"title":"a hoard","subject":[` + strings.Join(terms, ",") + `]}`
}

// wide are settings with features of some 8 kB, as they are by default.
func wide(t *testing.T) Config {
	t.Helper()
	cfg := settings(t)
	words, err := text.NewEncoder(text.Config{Dim: 2048, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Words = words
	cfg.Shape.Modalities[0].Features += 2048 - 32
	return cfg
}

// TestRoomOfHoards makes a snapshot of an archive whose records bring thousands of entities, or long texts: it took 10 MB for each
// record, and a training of 20,000 of them more memory than machines have. The ordinary records among them are all there.
func TestRoomOfHoards(t *testing.T) {
	t.Parallel()
	for name, extreme := range map[string]func(i int) string{
		"entities": func(i int) string { return hoard(i, 1000) },
		"text":     func(int) string { return `{"description":"` + strings.Repeat("x", roomOfOne) + `"}` },
		"pieces":   func(int) string { return `{"description":"` + strings.Repeat("x. ", roomOfOne/pieceBytes) + `"}` },
		"themes": func(int) string {
			return `{"theme":{"m":["` + strings.Repeat(`x","`, roomOfOne/pieceBytes) + `x"]}}`
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := archive(t, 20)
			for i := range 10 {
				put(t, m, i, fmt.Sprint("hoard", i), extreme(i), Vectors{})
			}
			d := snapshotOf(t, m, wide(t), 100, time.Time{})
			if len(d.IDs) != 20 || d.Set.Nodes() > 60 {
				t.Errorf("%d artifacts and %d nodes, want the 20 ordinary ones", len(d.IDs), d.Set.Nodes())
			}
		})
	}
}

// TestRoomIsBounded fills a snapshot with records of any size below the one that is left out: it ends before its features are
// more than there is room for, and is a function of the archive.
func TestRoomIsBounded(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	m := NewMemory()
	for i := range 60 {
		put(t, m, i, fmt.Sprint("h", i), hoard(i, 100+rng.IntN(260)), Vectors{})
	}
	cfg := wide(t)
	d := snapshotOf(t, m, cfg, 1, time.Time{})
	if len(d.IDs) != 1 {
		t.Errorf("%d artifacts, the limit is 1", len(d.IDs))
	}
	d = snapshotOf(t, m, cfg, leastArtifacts, time.Time{})
	bytes := int(d.Set.Nodes()) * 4 * cfg.Shape.Modalities[0].Features
	if most := leastArtifacts * RoomPerArtifact; bytes > most || bytes < most*8/10 {
		t.Errorf("features of %d bytes, there is room for %d", bytes, most)
	}
	again := snapshotOf(t, m, cfg, leastArtifacts, time.Time{})
	if a, b := fmt.Sprint(d.IDs), fmt.Sprint(again.IDs); a != b || d.Watermark != again.Watermark {
		t.Errorf("the same archive gives %s and %s", a, b)
	}
	if until := snapshotOf(t, m, cfg, leastArtifacts, d.Until); until.Watermark != d.Watermark {
		t.Errorf("made again until %v: %s, was %s", d.Until, until.Watermark, d.Watermark)
	}
}
