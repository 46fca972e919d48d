package ranking

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"kilim/graphstore"
	"kilim/rerank"
)

// counting counts the documents that are read.
type counting struct {
	view
	read int
}

func (c *counting) Artifact(id string) (*graphstore.Doc, error) {
	c.read++
	return c.view.Artifact(id)
}

// served is a world whose order serves, and the Ranker that it publishes by.
func servedWorld(t *testing.T, cacheBytes int) *world {
	t.Helper()
	w := newWorld(t, 40)
	w.cfg.CacheBytes = cacheBytes
	w.open()
	w.judge(0, 25, 1)
	if got := w.round(); got != served || w.archive.used == nil {
		t.Fatalf("it is %s, lists are published by %v", got, w.archive.used)
	}
	return w
}

// TestPublishedAsAnswered: lists are published in the order in which they are answered, with the same parts, whether documents are read or remembered, however few are
// remembered.
func TestPublishedAsAnswered(t *testing.T) {
	t.Parallel()
	w := servedWorld(t, 0)
	for _, cacheBytes := range []int{0, 20_000, 1 << 20} {
		ranker := newRanker(w.archive.used.learned, w.keeper.reader, cacheBytes, w.keeper.metrics)
		documents := &counting{view: view{w.archive}}
		read := 0
		for round := range 2 {
			documents.read = 0
			unit := ranker.Over(documents)
			for set := range 6 {
				id := idOf(set, 0)
				answered, stated := w.order(id)
				for _, size := range []int{0, 1, 10, 50, 70, 200} {
					published, err := unit.Rank(id, stated, size)
					if err != nil {
						t.Fatal(err)
					}
					same(t, id, published, answered.Entries[:min(size, len(answered.Entries))])
				}
			}
			if read += documents.read; cacheBytes == 1<<20 && (read > len(w.archive.raw) || round == 1 && documents.read > 0) {
				t.Errorf("round %d: %d documents of %d are read, %d in all", round, documents.read, len(w.archive.raw), read)
			}
			if facts := ranker.facts; facts.bytes > cacheBytes || facts.bytes == 0 && cacheBytes > 0 {
				t.Errorf("%d bytes are kept, at most %d may be", facts.bytes, cacheBytes)
			}
		}
	}
}

func same(t *testing.T, id string, published []rerank.OrderedEntry, answered []Entry) {
	t.Helper()
	if len(published) != len(answered) {
		t.Fatalf("%s: %d entries are published, %d answered", id, len(published), len(answered))
	}
	for i, p := range published {
		sum, parts := 0.0, map[string]float64{}
		for _, part := range slices.Backward(p.Parts) {
			sum += part.Value
			parts[part.Name] = part.Value
		}
		if a := answered[i]; p.ID != a.ID || p.Score != a.Score || sum != p.Score || fmt.Sprint(parts) != fmt.Sprint(a.Parts) {
			t.Errorf("%s: place %d is published as %+v, answered as %+v", id, i+1, p, a)
		}
	}
}

// TestUnitsOwnDocuments: a unit orders by the documents that it changes itself, and leaves nothing of them behind when it fails.
func TestUnitsOwnDocuments(t *testing.T) {
	t.Parallel()
	w := servedWorld(t, 1<<20)
	_, stated := w.order("s1.0")
	rank := func(o *Ordering) string {
		entries, err := o.Rank("s1.0", stated, 10)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(entries)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	before := rank(w.archive.used.Over(view{w.archive}))
	changed := w.archive.copy()
	changed.raw["s1.1"] = []byte(`{"id":"s1.1","title":"Something else"}`)
	unit := w.archive.used.Over(view{changed})
	unit.Changed("s1.1")
	if rank(unit) == before {
		t.Error("another document changes nothing")
	}
	if after := rank(w.archive.used.Over(view{w.archive})); after != before {
		t.Errorf("after a unit that was given up: %s, before %s", after, before)
	}
}

// TestRankersAreNamed: a fit that comes to the same is of the same name, after a restart too; another one is not; without one nothing is published by any, nor for
// another state.
func TestRankersAreNamed(t *testing.T) {
	t.Parallel()
	w := servedWorld(t, 1<<20)
	name := w.archive.used.name
	encoder, err := words()
	if err != nil {
		t.Fatal(err)
	}
	w.open()
	if w.archive.used == nil || w.archive.used.name != name {
		t.Errorf("after a restart lists are published by %v, want %d", w.archive.used, name)
	}
	kept, of, err := Kept(w.cfg.Folder, encoder, 1<<20)
	if err != nil || kept.name != name || of != w.archive.state {
		t.Errorf("kept is %v of %+v, %v", kept, of, err)
	}
	w.judge(25, 30, 1)
	if got := w.round(); got != served || w.archive.used.name == name {
		t.Errorf("it is %s, and lists are published by %d, as before %d", got, w.archive.used.name, name)
	}
	for key := range w.said.of {
		w.said.withdraw(key)
	}
	if w.round(); w.archive.used != nil {
		t.Error("without judgments lists are published in a learned order")
	}
}
