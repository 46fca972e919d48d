package topk

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"kilim/rerank"
)

// set opens the lists again with other settings, as a restart does.
func (a *archive) set(change func(cfg *Config)) {
	a.t.Helper()
	change(&a.cfg)
	a.cfg.Settings++
	a.lists = a.open()
	if due := a.lists.Stale(a.now.Rank); due != len(a.artifacts) {
		a.t.Errorf("%d of %d lists are due after the settings changed", due, len(a.artifacts))
	}
}

// TestSettingsHistories changes sizes, candidates and rare members in the midst of random histories, back to earlier values
// too. At rest each list is what a computation from nothing with the settings of now makes it.
func TestSettingsHistories(t *testing.T) {
	t.Parallel()
	const histories = 12
	for n := range uint64(2 * histories) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			thin(t, n)
			rng := rand.New(rand.NewPCG(n%histories, 31))
			cfg := testConfig()
			if n >= histories {
				cfg.ExactBytes = exactBytes
			}
			a := newArchive(t, cfg)
			for step := range 60 {
				a.apply(a.batch(rng, 25), rng.IntN(4))
				switch rng.IntN(8) {
				case 0, 1:
					a.set(func(cfg *Config) {
						cfg.Size, cfg.Candidates, cfg.RareMembers = 1+rng.IntN(7), 3+rng.IntN(8), 2+rng.IntN(4)
					})
				case 2: // a restart that changes nothing finds what the one before left to do
					again := a.open()
					if x, y := again.Stale(a.now.Rank), a.lists.Stale(a.now.Rank); x != y {
						t.Errorf("step %d: %d lists are stale when opened again, %d before", step, x, y)
					}
					a.lists = again
				case 3:
					a.settle(1 + rng.IntN(7))
					a.scored(fmt.Sprint("step ", step))
					if again := a.open().Stale(a.now.Rank); again > 0 {
						t.Errorf("step %d: %d lists are stale when opened again at rest", step, again)
					}
				}
			}
			a.settle(5)
			a.scored("in the end")
		})
	}
}

// TestSettingsWhileWaiting looks at lists that wait to be computed by other settings, where everyone is a candidate of everyone
// and nothing but arrivals changes a score: each has the best there are and nobody else, as many as it had, or as it may have.
func TestSettingsWhileWaiting(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			thin(t, seed)
			rng := rand.New(rand.NewPCG(seed, 37))
			cfg := testConfig()
			cfg.Sweep, cfg.Candidates = 1e9, 100
			m := newMemory()
			m.steady = true
			a := newArchiveOf(t, cfg, m, rerank.ScoreWeights{Cosine: 0.5, Words: 0.3, Date: 0.1, Link: 0.1, DateScale: 50})
			arrivals := func(n int) {
				for range n {
					i := rng.IntN(60)
					id := fmt.Sprintf("a%d", i)
					if a.artifacts[a.NodeOf(id)] == nil {
						a.apply([]change{invent(rng, a.NodeOf(id), id, 60)}, 100)
					}
				}
			}
			arrivals(20)
			least := a.cfg.Size
			for _, size := range []int{9, 3, 12, 9, 12} {
				a.set(func(cfg *Config) { cfg.Size = size })
				least = min(least, size)
				for range 4 {
					arrivals(3)
					a.prefixes(least)
				}
				if rng.IntN(2) == 0 {
					a.settle(5)
					a.scored(fmt.Sprint("size ", size))
					least = size
				}
			}
			a.settle(5)
			a.scored("in the end")
		})
	}
}

// scored holds the ids and scores of all stored lists against the oracle, bit for bit. A part may differ in a bit that does not
// reach the score: such a list has not changed and is kept.
func (a *archive) scored(what string) {
	a.t.Helper()
	for node, artifact := range a.artifacts {
		row, err := Stored(a.memory, node)
		a.must(err)
		for i, want := range a.oracle(node) {
			same(a.t, fmt.Sprintf("%s: %s list of %s", what, want.Name, artifact.ID), scores(row.Lists[i].Entries), scores(want.Entries))
		}
	}
}

// prefixes wants all lists to be the first entries of those that a computation from nothing makes, least or more.
func (a *archive) prefixes(least int) {
	a.t.Helper()
	for node, artifact := range a.artifacts {
		row, err := Stored(a.memory, node)
		a.must(err)
		for i, list := range a.oracle(node) {
			have := row.Lists[i].Entries
			if len(have) < min(least, len(list.Entries)) {
				a.t.Errorf("%s list of %s: %d entries, want at least %d", list.Name, artifact.ID, len(have), least)
			}
			n := min(len(have), len(list.Entries))
			same(a.t, fmt.Sprintf("%s list of %s", list.Name, artifact.ID), scores(have[:n]), scores(list.Entries[:n]))
		}
	}
}

// TestDueListsKeepTheirGaps deletes an entry of a list that no search completes at once: who arrives then and is near to
// nobody must not get the place.
func TestDueListsKeepTheirGaps(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.Sweep, cfg.Candidates = 1e9, 100
	m := newMemory()
	m.steady = true
	a := newArchiveOf(t, cfg, m, rerank.ScoreWeights{Cosine: 1, DateScale: 50})
	put := func(i int, cosine float32) {
		id := fmt.Sprintf("a%d", i)
		vector := make([]float32, dim)
		vector[0], vector[1] = cosine, 1-cosine
		c := invent(rand.New(rand.NewPCG(1, 1)), a.NodeOf(id), id, 2)
		c.evidence.Links, c.evidence.Entities, c.vector = nil, nil, vector
		a.apply([]change{c}, 100)
	}
	for i := range 8 {
		put(i, 1-float32(i)/16)
	}
	a.apply([]change{{id: "a3"}}, 0)
	put(20, 0)
	row, err := Stored(a.memory, a.NodeOf("a0"))
	a.must(err)
	want := "a1 a2 a4"
	got := ""
	for _, e := range row.Lists.Get("general") {
		got += " " + e.ID
	}
	if len(got) == 0 || got[1:] != want {
		t.Errorf("the list of a0 is%s, want %s and then nobody until it is computed", got, want)
	}
	a.settle(5)
	a.scored("at rest")
}

// TestRowsOfOtherSettings is about rows that were never computed, and such that other settings made.
func TestRowsOfOtherSettings(t *testing.T) {
	t.Parallel()
	entries := []rerank.Entry{{ID: "a1", Score: 3}, {ID: "a2", Score: 2}, {ID: "a3", Score: 1}}
	l := &Lists{cfg: Config{Size: 2, Settings: 5}}
	for _, c := range []struct {
		row     Row
		due     bool
		appends bool
		cut     int
	}{
		{Row{RankedAt: 7, Size: 2, Settings: 5, Lists: rerank.Lists{{Name: "total", Entries: entries[:2]}}}, false, false, 2},
		{Row{RankedAt: 7, Size: 2, Settings: 5, Lists: rerank.Lists{{Name: "total", Entries: entries[:1]}}}, false, true, 1},
		{Row{RankedAt: 7, Size: 3, Settings: 4, Lists: rerank.Lists{{Name: "total", Entries: entries}}}, true, false, 2},
		{Row{RankedAt: 7, Size: 1, Settings: 4, Lists: rerank.Lists{{Name: "total", Entries: entries[:1]}}}, true, false, 1},
		{Row{RankedAt: -1, Lists: rerank.Lists{{Name: "total"}}}, true, false, 0},
	} {
		now := l.current(&c.row)
		list := now.Lists.Get("total")
		if (now.RankedAt == -1) != c.due || now.appends("total", list) != c.appends {
			t.Errorf("%+v is now %+v, appends: %v", c.row, now, now.appends("total", list))
		}
		if _, was := place("total", rerank.Entry{ID: "last", Score: -1}, &now); (was != untouched) != c.appends {
			t.Errorf("%+v: the last of all is placed: %v", c.row, was)
		}
		now.cut(l.cfg.Size, l.cfg.Size)
		if list := now.Lists.Get("total"); len(list) != c.cut || int(now.Size) > l.cfg.Size {
			t.Errorf("%+v is cut to %+v, want %d entries", c.row, now, c.cut)
		}
	}
}
