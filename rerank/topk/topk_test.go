package topk

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"kilim/annindex"
	"kilim/rerank"
)

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// batch invents changes to a few artifacts of ids.
func (a *archive) batch(rng *rand.Rand, ids int) (changes []change) {
	for _, i := range rng.Perm(ids)[:1+rng.IntN(4)] {
		id := fmt.Sprintf("a%d", i)
		node := a.NodeOf(id)
		switch there := a.artifacts[node] != nil; {
		case there && rng.IntN(4) == 0:
			changes = append(changes, change{id: id})
		case there && rng.IntN(2) == 0:
			changes = append(changes, change{id: id, vector: a.invent(rng, id, ids).vector})
		default:
			changes = append(changes, a.invent(rng, id, ids))
		}
	}
	return changes
}

// TestHistories drives random arrivals, moves and departures, in batches of any size and budget, with and without a linger, with the
// lists opened again from their rows now and then. Every pass is held to its guarantees (see archive.write); at rest each
// list is what a computation from nothing makes it: in the second half of the histories that is one of everyone with everyone.
func TestHistories(t *testing.T) {
	t.Parallel()
	const histories = 18
	for n := range uint64(2 * histories) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			thin(t, n)
			seed := n % histories
			rng := rand.New(rand.NewPCG(seed, 17))
			cfg := testConfig()
			if n >= histories {
				cfg.ExactBytes = exactBytes
			}
			switch seed % 3 {
			case 0:
				cfg.Candidates = 100 // everyone is a candidate of everyone
			case 1:
				cfg.Candidates, cfg.RareMembers = 3, 10 // others than the nearest take all places that there are for them
			}
			a := newArchive(t, cfg)
			if seed >= 12 {
				a.linger, a.early = time.Duration(1+rng.IntN(4))*time.Second, int(seed%4)
			}
			for step := range 60 {
				a.at += time.Duration(rng.IntN(1500)) * time.Millisecond
				a.apply(a.batch(rng, 25), rng.IntN(4))
				a.lingered()
				if rng.IntN(5) == 0 {
					again := a.open()
					if x, y := again.Stale(a.now.Rank), a.lists.Stale(a.now.Rank); x != y {
						t.Errorf("%d lists are stale when opened again, %d before", x, y)
					}
					if x, y := again.Lingering(), a.lists.Lingering(); x != y {
						t.Errorf("%d changes linger when opened again, %d before", x, y)
					}
					a.restart(again)
				}
				if rng.IntN(6) == 0 {
					a.settle(1 + rng.IntN(7))
					a.compare(fmt.Sprint("step ", step))
				}
			}
			a.settle(5)
			a.compare("in the end")
			a.flush()
			if a.updates < 100 {
				t.Errorf("%d updates: the history is too quiet to tell", a.updates)
			}
		})
	}
}

// TestReverseUpdates looks at lists that nothing but reverse updates keeps: no artifact changes the score of a pair that it is not
// in, and nothing is ever stale because the archive has changed. In some histories artifacts are of a few kinds, so that
// scores are equal and the ids tell who is in. What arrived or departed is then accounted for in all
// lists at once, what moved when its turn has come. Where everyone is a candidate of everyone, or scores are bounded, all lists are
// exact; where not, the scores of all entries are.
func TestReverseUpdates(t *testing.T) {
	t.Parallel()
	const histories = 20
	for n := range uint64(2 * histories) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			thin(t, n)
			seed := n % histories
			rng := rand.New(rand.NewPCG(seed, 23))
			cfg := testConfig()
			cfg.Sweep = 1e9
			switch {
			case n >= histories:
				cfg.ExactBytes = exactBytes
			case seed%2 == 0:
				cfg.Candidates = 100
			}
			m := newMemory()
			m.steady = true
			a := newArchiveOf(t, cfg, m, rerank.ScoreWeights{Cosine: 0.5, Words: 0.3, Date: 0.1, Link: 0.1, DateScale: 50})
			if seed >= 8 {
				a.kinds = int(seed) - 6
			}
			if seed >= 16 {
				a.linger = 2 * time.Second
			}
			for step := range 80 {
				changes := a.batch(rng, 25)
				budget := 100
				if step%2 == 0 {
					budget = rng.IntN(2)
				}
				a.at += time.Second
				a.apply(changes, budget)
				a.lingered()
				moved := slices.ContainsFunc(changes, func(c change) bool { return c.vector != nil && c.evidence == nil })
				if stale := a.lists.Stale(a.now.Rank); budget == 100 && !moved && stale > 0 {
					t.Errorf("step %d: %d lists are stale", step, stale)
				}
				a.settle(1 + rng.IntN(7))
				a.current(cfg.Candidates == 100 || cfg.ExactBytes > 0)
			}
		})
	}
}

// thin skips four histories of five under -short, as the race detector's run is: a history runs on one goroutine.
func thin(t *testing.T, n uint64) {
	if testing.Short() && n%5 != 1 {
		t.Skip("one history of five under -short")
	}
}

// current wants all entries to have the score of now and, where complete, all lists to be exact.
func (a *archive) current(complete bool) {
	a.t.Helper()
	for node, artifact := range a.artifacts {
		row, err := Stored(a.memory, node)
		a.must(err)
		var oracle rerank.Lists
		if complete {
			oracle = a.oracle(node)
		}
		for i, list := range row.Lists {
			what := fmt.Sprintf("%s list of %s", list.Name, artifact.ID)
			if complete {
				same(a.t, what, scores(list.Entries), scores(oracle[i].Entries))
			}
			for _, e := range list.Entries {
				other := a.NodeOf(e.ID)
				cosine := annindex.Dot(a.vectors[node], a.vectors[other])
				want, _ := a.lists.scorer.Score(a.evidence[node], a.evidence[other], cosine, idf{a.memory})
				if list.Name == "general" {
					want = cosine
				}
				if e.Score != want {
					a.t.Errorf("%s: %s has score %v, want %v", what, e.ID, e.Score, want)
				}
			}
		}
	}
}

// TestNewcomersAreComplete wants what arrived to have, with its own batch, the lists of a full computation.
func TestNewcomersAreComplete(t *testing.T) {
	t.Parallel()
	for _, bytes := range []int{0, exactBytes} {
		t.Run(fmt.Sprint(bytes, " bytes"), func(t *testing.T) {
			t.Parallel()
			newcomersAreComplete(t, bytes)
		})
	}
}

func newcomersAreComplete(t *testing.T, bytes int) {
	rng := rand.New(rand.NewPCG(4, 4))
	cfg := testConfig()
	cfg.ExactBytes = bytes
	a := newArchive(t, cfg)
	for range 80 {
		changes := a.batch(rng, 25)
		a.apply(changes, 0)
		for _, c := range changes {
			if node := a.NodeOf(c.id); c.evidence != nil {
				same(t, c.id, a.published[c.id], a.oracle(node))
			}
		}
	}
}

// TestTolerance wants small changes to leave lists as they were published, and their sum not to.
func TestTolerance(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(6, 6))
	cfg := testConfig()
	cfg.Tolerance, cfg.Sweep = 0.01, 1000
	a := newArchive(t, cfg)
	var all []change
	for i := range 10 {
		id := fmt.Sprintf("a%d", i)
		all = append(all, invent(rng, a.NodeOf(id), id, 10))
	}
	a.apply(all, 10)
	a.settle(5)
	vector := slices.Clone(a.vectors[firstArtifact])
	steps := 0
	for ; a.lists.Stale(a.now.Rank) == 0 && steps < 100; steps++ {
		vector = slices.Clone(vector)
		vector[0] += 0.0011
		a.apply([]change{{id: "a0", vector: vector}}, 10)
	}
	if steps != 10 {
		t.Errorf("moved by 0.0011 %d times until the lists were due, want 10 times", steps)
	}
	if again := a.open().Stale(a.now.Rank); again != 1 {
		t.Errorf("%d lists are due when opened again, want 1", again)
	}
}

// TestStandby fills a state, makes its lists, and then has it publish them while artifacts depart, the changes of each counted from the lists that were
// published before it.
func TestStandby(t *testing.T) {
	t.Parallel()
	for _, another := range []bool{true, false} {
		t.Run(fmt.Sprint("another state published before: ", another), func(t *testing.T) {
			t.Parallel()
			standby(t, another)
		})
	}
}

func standby(t *testing.T, another bool) {
	rng := rand.New(rand.NewPCG(8, 8))
	first, a := newArchive(t, testConfig()), newArchive(t, testConfig())
	a.mode = Backfill
	for step := range 60 {
		changes := first.batch(rng, 25)
		first.apply(changes, 2)
		if step == 40 {
			if a.lists.Unlisted() != len(a.artifacts) || a.open().Unlisted() != len(a.artifacts) {
				t.Errorf("%d of %d artifacts have no list", a.lists.Unlisted(), len(a.artifacts))
			}
			a.mode = Standby
		}
		a.apply(changes, 2)
	}
	a.settle(5)
	a.compare("standby")
	if a.updates > 0 || a.lists.Unlisted() > 0 || a.lists.Unpublished() != len(a.artifacts) || a.open().Unpublished() != len(a.artifacts) {
		t.Errorf("%d updates, %d without lists, %d of %d not published", a.updates, a.lists.Unlisted(), a.lists.Unpublished(), len(a.artifacts))
	}
	a.mode = Serving
	if another {
		a.previous = func(id string) (rerank.Lists, error) {
			if lists, ok := first.published[id]; ok {
				return lists, nil
			}
			return nil, errors.New("never published")
		}
		rows := first.stored()
		a.predecessor = func(id string) (*Row, error) {
			if row, ok := rows[id]; ok {
				return row, nil
			}
			return nil, errors.New("never published")
		}
		a.pasts = first.pasts
	}
	a.publishing = 5
	for range 3 {
		var gone []change
		for _, node := range slices.Sorted(maps.Keys(a.artifacts))[:2] {
			gone = append(gone, change{id: a.artifacts[node].ID})
		}
		a.apply(gone, 0)
	}
	for left := a.lists.Unpublished(); left > 0; left -= 3 {
		p := a.begin()
		n, err := p.Publish(3, 0, 0)
		a.must(err)
		if n == 0 || n > 3 {
			t.Fatalf("took %d lists, want 1 to 3", n)
		}
		a.must(p.Rank(a.now, nil, 0))
		a.write(p, nil)
	}
	if len(a.published) != len(a.artifacts) || a.open().Unpublished() > 0 {
		t.Errorf("%d of %d artifacts are published", len(a.published), len(a.artifacts))
	}
	a.settle(5)
	a.compare("published")
}

// TestLost loses all that an archive has published, twice, and goes on: each list is told once again, also those that did not
// change, with what changed since it was told before; what is lost again before that is told once too.
func TestLost(t *testing.T) {
	t.Parallel()
	for _, linger := range []time.Duration{0, 3 * time.Second} {
		t.Run(linger.String(), func(t *testing.T) {
			t.Parallel()
			lost(t, linger)
		})
	}
}

func lost(t *testing.T, linger time.Duration) {
	rng := rand.New(rand.NewPCG(9, 9))
	a := newArchive(t, testConfig())
	a.publishing, a.linger = 2, linger
	for range 60 {
		a.at += time.Second
		a.apply(a.batch(rng, 25), 2)
	}
	if waits := len(a.waiting) > 0; waits != (linger > 0) {
		t.Errorf("%d changes wait", len(a.waiting))
	}
	before := map[string]rerank.Lists{} // each artifact's lists as told before the last loss
	a.previous = func(id string) (rerank.Lists, error) { return before[id], nil }
	step := func() {
		a.at += time.Second
		a.apply(a.batch(rng, 25), 2)
		maps.DeleteFunc(before, func(id string, _ rerank.Lists) bool { return a.artifacts[a.NodeOf(id)] == nil })
	}
	for round := range 3 {
		maps.Copy(before, a.published)
		a.lost, a.published = a.revision, map[string]rerank.Lists{}
		a.restart(a.open())
		if n := a.lists.Unpublished(); n != len(a.artifacts) || a.lists.Unlisted() > 0 {
			t.Errorf("%d of %d are to be told, %d have no list", n, len(a.artifacts), a.lists.Unlisted())
		}
		for range 3 {
			step()
		}
		if round == 0 {
			continue // and lose them before all are told
		}
		for a.lists.Unpublished() > 0 {
			p := a.begin()
			n, err := p.Publish(4, 0, 0)
			a.must(err)
			if n == 0 {
				t.Fatal("lists are to be told, and none is taken")
			}
			a.must(p.Rank(a.now, nil, 0))
			a.write(p, nil)
		}
		if len(a.published) != len(a.artifacts) {
			t.Errorf("%d of %d are told", len(a.published), len(a.artifacts))
		}
		for range 3 {
			step()
		}
	}
	a.settle(5)
	a.flush()
	a.compare("told again")
}

// TestStorm changes the lists of one artifact with each pass, while nothing else happens: they are told twice within a linger at
// most, and each change within one. As soon as there is no load the last is told.
func TestStorm(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.Sweep, cfg.Candidates = 1e9, 100
	a := newArchive(t, cfg)
	a.linger = time.Second
	put := func(i int, cosine float32) {
		id := fmt.Sprintf("a%d", i)
		vector := make([]float32, dim)
		vector[0], vector[1] = cosine, 1-cosine
		a.apply([]change{{id: id, evidence: &rerank.Evidence{ID: id, Node: a.NodeOf(id), Begin: math.NaN(), End: math.NaN()}, vector: vector}}, 100)
	}
	put(0, 1)
	const passes, every = 200, 50 * time.Millisecond
	told := 0
	for i := range passes {
		a.at += every
		before := a.stored()["a0"].Revision
		put(1+i, float32(i)/passes)
		if now := a.stored()["a0"]; now.Revision != before {
			told++
		} else if now.Pending == nil {
			t.Errorf("pass %d left the lists of a0 alone", i)
		}
		a.lingered()
	}
	if most := int(2*passes*every/a.linger) + 1; told == 0 || told > most {
		t.Errorf("the lists of a0 are told %d times, want 1 to %d", told, most)
	}
	a.flush()
}

// TestNoCrowd: a newcomer each 20 ms, and with each go some of the changes that have nearly lingered. So none of them waits to the end of
// its linger, when all would go at once.
func TestNoCrowd(t *testing.T) {
	t.Parallel()
	a := newArchive(t, testConfig())
	rng := rand.New(rand.NewPCG(1, 18))
	const every, ids = 20 * time.Millisecond, 200
	a.linger, a.early = 500*time.Millisecond, 8
	changes, most := 0, 0
	for i := range ids {
		a.at += every
		before := a.updates
		a.apply([]change{a.invent(rng, fmt.Sprintf("a%d", i), ids)}, 100)
		if a.due {
			t.Errorf("at %v a change has waited for %v", a.at, a.linger)
		}
		others := a.updates - before - 1
		changes, most = changes+others, max(most, others)
	}
	if changes < ids || most > a.early {
		t.Errorf("%d changes in others' lists are told, %d at most with one newcomer, want %d in all and %d at most", changes, most, ids, a.early)
	}
	a.flush()
}

// TestAnswersAreTheStoredLists asks at rest for what is stored, also when opened again.
func TestAnswersAreTheStoredLists(t *testing.T) {
	t.Parallel()
	for _, bytes := range []int{0, exactBytes} {
		t.Run(fmt.Sprint(bytes, " bytes"), func(t *testing.T) {
			t.Parallel()
			answersAreTheStoredLists(t, bytes)
		})
	}
}

func answersAreTheStoredLists(t *testing.T, bytes int) {
	rng := rand.New(rand.NewPCG(5, 5))
	cfg := testConfig()
	cfg.Candidates = 2 * cfg.Size // or an answer looks at more
	cfg.ExactBytes = bytes
	a := newArchive(t, cfg)
	for range 60 {
		a.apply(a.batch(rng, 25), 3)
	}
	a.settle(5)
	for node := range a.artifacts {
		if node%5 == 0 {
			a.lists = a.open()
		}
		q, _, err := a.lists.Query(a.memory, node)
		a.must(err)
		row, err := Stored(a.memory, node)
		a.must(err)
		for _, want := range row.Lists {
			got, err := a.lists.Search(a.memory, q, want.Name, a.cfg.Size, nil)
			a.must(err)
			same(t, fmt.Sprintf("%s list of %d", want.Name, node), scores(got), scores(want.Entries))
		}
	}
}

// TestAnswersAmong asks for artifacts among some, while the index is a unit ahead of what the answer reads.
func TestAnswersAmong(t *testing.T) {
	t.Parallel()
	for _, bytes := range []int{0, exactBytes} {
		t.Run(fmt.Sprint(bytes, " bytes"), func(t *testing.T) {
			t.Parallel()
			answersAmong(t, bytes)
		})
	}
}

func answersAmong(t *testing.T, bytes int) {
	rng := rand.New(rand.NewPCG(5, 6))
	cfg := testConfig()
	cfg.ExactBytes = bytes
	a := newArchive(t, cfg)
	for range 60 {
		a.apply(a.batch(rng, 25), 3)
	}
	node := slices.Min(slices.Collect(maps.Keys(a.artifacts)))
	a.vectors[firstArtifact+1000] = a.vectors[node] // as near as can be, and not there yet
	q, _, err := a.lists.Query(a.memory, node)
	a.must(err)
	odd := func(n uint64) bool { return n%2 == 1 }
	for _, list := range []string{"total", "general"} {
		all, err := a.lists.Search(a.memory, q, list, 1000, nil)
		a.must(err)
		some, err := a.lists.Search(a.memory, q, list, 1000, odd)
		a.must(err)
		if len(all) != len(a.artifacts)-1 {
			t.Errorf("%s: %d of the %d others", list, len(all), len(a.artifacts)-1)
		}
		same(t, list, some, slices.DeleteFunc(slices.Clone(all), func(e rerank.Entry) bool { return !odd(a.NodeOf(e.ID)) }))
	}
}

// TestUnknownList asks for what no artifact has.
func TestUnknownList(t *testing.T) {
	t.Parallel()
	a := newArchive(t, testConfig())
	for list, want := range map[string]string{
		"theme:craft": `unknown list: theme "craft": the seeded model has no themes`,
		"all":         `unknown list: "all": want total or general`,
	} {
		_, err := a.lists.Search(a.memory, Query{}, list, 3, nil)
		if !errors.Is(err, ErrUnknownList) || err.Error() != want {
			t.Errorf("%s: %v, want %s", list, err, want)
		}
	}
}
