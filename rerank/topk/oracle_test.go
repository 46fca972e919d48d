package topk

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"kilim/annindex"
	"kilim/rerank"
)

// scores are ids and scores, one a line.
func scores(entries []rerank.Entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%s %x\n", e.ID, math.Float32bits(e.Score))
	}
	return b.String()
}

// idf is what is known of the rarity of entities and words, from the evidence alone.
type idf struct{ m *memory }

func (w idf) WordIDF(bucket uint32) float32 { return w.m.IDF(bucket) }

func (w idf) EntityIDF(node uint64) float32 {
	return float32(math.Log(float64(1+len(w.m.artifacts))/float64(1+len(w.m.sharing(node)))) + 1)
}

// exactBytes is room enough for any archive of a test.
const exactBytes = 1 << 20

// oracle computes the lists of an artifact from nothing: it compares with every artifact, and looks for the candidates among all,
// unless everyone is one.
func (a *archive) oracle(node uint64) rerank.Lists {
	vector, e := a.vectors[node], a.evidence[node]
	hits, err := a.Search(vector, len(a.vectors), nil)
	a.must(err)
	hits = slices.DeleteFunc(hits, func(h annindex.Hit) bool { return h.ID == node })
	near := map[uint64]bool{}
	for _, h := range hits[:min(a.cfg.Candidates, len(hits))] {
		near[h.ID] = true
	}
	if a.cfg.ExactBytes > 0 {
		for _, h := range hits {
			near[h.ID] = true
		}
	}
	found := maps.Clone(near)
	add := func(nodes []uint64, bounded bool) {
		for _, n := range nodes {
			if a.artifacts[n] != nil && n != node && (!bounded || len(found) < 2*a.cfg.Candidates) {
				found[n] = true
			}
		}
	}
	add(e.Links, false)
	add(a.linkedFrom(node), true)
	rare := slices.DeleteFunc(slices.Clone(e.Entities), func(n uint64) bool { return len(a.sharing(n)) > a.cfg.RareMembers })
	slices.SortStableFunc(rare, func(x, y uint64) int { return len(a.sharing(x)) - len(a.sharing(y)) })
	for _, n := range rare {
		add(a.sharing(n), true)
	}
	var total, general []rerank.Entry
	for n := range found {
		score, parts := a.lists.scorer.Score(e, a.evidence[n], annindex.Dot(vector, a.vectors[n]), idf{a.memory})
		entry := rerank.Entry{ID: a.artifacts[n].ID, Score: score, Parts: parts}
		total = append(total, entry)
		if near[n] {
			entry.Score = annindex.Dot(vector, a.vectors[n])
			general = append(general, entry)
		}
	}
	return rerank.Lists{{Name: "total", Entries: rerank.TopK(total, a.deep())}, {Name: "general", Entries: rerank.TopK(general, a.cfg.Size)}}
}

// compare holds all stored lists against the oracle, bit for bit. The parts in a general list are as old as its scores,
// on which they have no bearing.
func (a *archive) compare(what string) {
	a.t.Helper()
	for node, artifact := range a.artifacts {
		row, err := Stored(a.memory, node)
		a.must(err)
		want := a.oracle(node)
		for _, l := range []rerank.Lists{row.Lists, want} {
			for i := range l[1].Entries {
				l[1].Entries[i].Parts = rerank.Parts{}
			}
		}
		same(a.t, fmt.Sprintf("%s: lists of %s", what, artifact.ID), row.Lists, want)
	}
}
