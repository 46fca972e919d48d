package bound

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/learner/tensor/vec"
	"kilim/rerank"
)

// archive is a Table and all that is in it, with frequencies that are counted.
type archive struct {
	*Table
	t        *testing.T
	rng      *rand.Rand
	dim      int
	evidence map[uint64]*rerank.Evidence
	vectors  map[uint64][]float32
	least    map[uint64][2]float32
	has      map[uint32]int
	now      float64
}

// IDF changes with each artifact, as the real one does.
func (a *archive) IDF(bucket uint32) float32 {
	return float32(math.Log(float64(1+len(a.evidence))/float64(1+a.has[bucket])) + 1)
}

func newArchive(t *testing.T, seed uint64) *archive {
	rng := rand.New(rand.NewPCG(seed, 61))
	a := &archive{t: t, rng: rng, dim: []int{6, 24, 64}[seed%3], evidence: map[uint64]*rerank.Evidence{}, vectors: map[uint64][]float32{},
		least: map[uint64][2]float32{}, has: map[uint32]int{}}
	w := rerank.DefaultScoreWeights()
	if seed%4 == 3 {
		w = rerank.ScoreWeights{Cosine: rng.Float32(), Entities: 3 * rng.Float32(), Words: rng.Float32(), Date: rng.Float32(), DateScale: 20}
	}
	w.Link = 0 // which is the caller's
	scorer, err := rerank.NewScorer(w)
	if err != nil {
		t.Fatal(err)
	}
	a.Table = New(scorer, a)
	return a
}

// invent makes evidence of frequent and rare terms, empty now and then, with words that may have any count.
func (a *archive) invent(node uint64) *rerank.Evidence {
	e := &rerank.Evidence{ID: fmt.Sprint(node), Node: node, Begin: math.NaN(), End: math.NaN()}
	some := func(add func(term uint64)) {
		terms := map[uint64]bool{}
		for range a.rng.IntN(1 + a.rng.IntN(20)) {
			terms[uint64(math.Exp(8*a.rng.Float64()))] = true
		}
		for _, term := range slices.Sorted(maps.Keys(terms)) {
			add(term)
		}
	}
	some(func(term uint64) {
		e.Words = append(e.Words, rerank.Word{Bucket: uint32(term), Count: uint16(a.rng.IntN(4) * a.rng.IntN(2000))})
	})
	some(func(term uint64) { e.Entities = append(e.Entities, term<<40) })
	switch a.rng.IntN(4) {
	case 0:
		e.Begin, e.End = 1000+1000*a.rng.Float64(), math.NaN()
	case 1:
		e.Begin, e.End = float64(1500+a.rng.IntN(90)), float64(1400+a.rng.IntN(300))
	}
	return e
}

// vector is of length 1.
func (a *archive) vector() []float32 {
	v, sum := make([]float32, a.dim), 0.0
	for i := range v {
		v[i] = float32(a.rng.NormFloat64() / float64(1+i))
		sum += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// step changes one artifact.
func (a *archive) step() {
	node := uint64(1 + a.rng.IntN(300))
	old, there := a.evidence[node]
	count := func(e *rerank.Evidence, by int) {
		for _, w := range e.Words {
			a.has[w.Bucket] += by
		}
	}
	switch pick := a.rng.IntN(8); {
	case there && pick == 0:
		count(old, -1)
		delete(a.evidence, node)
		delete(a.vectors, node)
		delete(a.least, node)
		a.Remove(node)
	case there && pick < 3:
		a.vectors[node] = a.vector()
		a.Move(node, a.vectors[node])
	case there && pick < 5:
		least := [2]float32{a.rng.Float32(), a.rng.Float32()}
		if a.rng.IntN(9) == 0 {
			least[a.rng.IntN(2)] = float32(math.Inf(2*a.rng.IntN(2) - 1))
		}
		a.least[node] = least
		a.SetLeast(node, least[0], least[1])
	default:
		if there {
			count(old, -1)
		} else {
			a.least[node] = [2]float32{float32(math.Inf(-1)), float32(math.Inf(-1))}
		}
		e := a.invent(node)
		count(e, 1)
		a.evidence[node], a.vectors[node] = e, a.vector()
		a.Put(e)
		a.Move(node, a.vectors[node])
	}
}

func (a *archive) begin() {
	a.now++
	a.Begin(a.now, len(a.evidence))
}

// TestNobodyIsMissed drives artifacts that come, change, move and go, with epochs in between, and asks for some of those that are there and
// for some that are not: whoever's list one enters by its score is named, and so is everybody in its own lists.
func TestNobodyIsMissed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(24) {
		if testing.Short() && seed%4 > 0 {
			continue // a history runs on one goroutine, where the race detector finds nothing
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			a := newArchive(t, seed)
			var s Scan
			named, all := 0, 0
			for range 40 {
				for range 1 + a.rng.IntN(40) {
					a.step()
				}
				if math.IsNaN(a.Epoch()) || a.rng.IntN(3) == 0 {
					a.begin()
				}
				for range 5 {
					node := uint64(1 + a.rng.IntN(320)) // some are not there
					e, v := a.evidence[node], a.vectors[node]
					if e == nil {
						e, v = a.invent(node), a.vector()
					}
					n := a.look(&s, e, v)
					named, all = named+n, all+len(a.evidence)
				}
			}
			if a.Len() != len(a.evidence) {
				t.Errorf("%d artifacts, want %d", a.Len(), len(a.evidence))
			}
			if a.dim > 6 && named > all*9/10 {
				t.Errorf("%d of %d are named: the bound bounds nothing", named, all)
			}
		})
	}
}

// look scans for one artifact, holds what it finds against the scores of all, and returns how many were named.
func (a *archive) look(s *Scan, e *rerank.Evidence, v []float32) int {
	a.t.Helper()
	keep := func(node uint64) bool { return true }
	if a.rng.IntN(3) == 0 {
		keep = func(node uint64) bool { return node%3 > 0 }
	}
	q := Query{Node: e.Node, Evidence: rerank.Prepare(e, a.Table), Vector: v, Best: 1 + a.rng.IntN(8), Offered: true, Keep: keep}
	var c rerank.Comparison
	c.Begin(a.scorer, q.Evidence)
	score := func(node uint64) [2]float32 {
		cosine := vec.Dot(v, a.vectors[node])
		total, _ := c.Score(rerank.Prepare(a.evidence[node], a.Table), cosine)
		return [2]float32{total, cosine}
	}
	named := map[uint64]bool{}
	take := func(nodes []uint64) {
		for _, node := range nodes {
			if named[node] || !keep(node) || node == e.Node || a.evidence[node] == nil {
				a.t.Errorf("%d is named wrongly, twice: %v", node, named[node])
			}
			named[node] = true
		}
	}
	other := q // which is scanned for at the same time
	other.Best, other.Vector = 1+q.Best, a.vector()
	Begin(a.Table, []*Scan{new(Scan), s}, []Query{other, q})
	take(s.Found())
	first := maps.Clone(named)
	last := [2]float32{kth(first, q.Best, score, 0), kth(first, q.Best, score, 1)}
	take(s.Rest(last[0], last[1]))
	for node := range a.evidence {
		if node == e.Node || !keep(node) {
			continue
		}
		at := score(node)
		for list, name := range []string{"total", "general"} {
			if at[list] >= a.least[node][list] && !first[node] {
				a.t.Errorf("%d enters the %s list of %d by %v, %v is enough, and that is not named", e.Node, name, node, at[list], a.least[node][list])
			}
			if at[list] >= last[list] && !named[node] {
				a.t.Errorf("%d belongs in the %s list of %d by %v, whose last has %v, and is not named", node, name, e.Node, at[list], last[list])
			}
		}
	}
	return len(named)
}

// kth is the score of the last entry of a list of k of these.
func kth(nodes map[uint64]bool, k int, score func(uint64) [2]float32, list int) float32 {
	var all []float32
	for node := range nodes {
		all = append(all, score(node)[list])
	}
	if len(all) < k {
		return float32(math.Inf(-1))
	}
	slices.Sort(all)
	return all[len(all)-k]
}

// TestWeightsOfAnEpoch wants the weights of an epoch to be those of its beginning, whatever comes, and a length that follows from them.
func TestWeightsOfAnEpoch(t *testing.T) {
	t.Parallel()
	a := newArchive(t, 2)
	for range 300 {
		a.step()
	}
	a.begin()
	words, entities := map[uint32]float32{}, map[uint64]float32{}
	for _, e := range a.evidence {
		for _, w := range e.Words {
			words[w.Bucket] = a.IDF(w.Bucket)
		}
		for _, n := range e.Entities {
			has := 0
			for _, other := range a.evidence {
				if slices.Contains(other.Entities, n) {
					has++
				}
			}
			entities[n] = float32(math.Log(float64(1+len(a.evidence))/float64(1+has)) + 1)
		}
	}
	for range 200 {
		a.step()
	}
	for bucket, want := range words {
		if got := a.WordIDF(bucket); got != want {
			t.Errorf("word %d weighs %v, want %v", bucket, got, want)
		}
	}
	for node, want := range entities {
		if got := a.EntityIDF(node); got != want {
			t.Errorf("entity %d weighs %v, want %v", node, got, want)
		}
	}
}

// TestBytesAndSlotsComeBack removes and puts the same artifacts again and again: neither what is counted nor what is held grows.
func TestBytesAndSlotsComeBack(t *testing.T) {
	t.Parallel()
	a := newArchive(t, 4)
	for range 200 {
		a.step()
	}
	a.begin()
	bytes, slots := a.Bytes(), 0
	for round := range 20 {
		for _, node := range slices.Sorted(maps.Keys(a.evidence)) {
			if round%2 == 0 {
				a.Remove(node)
				a.Remove(node)
			}
			a.Put(a.evidence[node])
			a.Move(node, a.vectors[node])
		}
		a.begin()
		if round == 1 {
			slots = len(a.nodes)
		}
	}
	postings := 0
	for _, x := range a.terms.all {
		postings += len(x.had)
	}
	want := 0
	for _, e := range a.evidence {
		want += len(e.Words)
	}
	if a.Bytes() != bytes || len(a.nodes) > slots || postings != want {
		t.Errorf("%d bytes, %d slots, %d postings; want %d, at most %d, %d", a.Bytes(), len(a.nodes), postings, bytes, slots, want)
	}
	for node := range a.evidence {
		a.Remove(node)
	}
	a.begin()
	if a.Bytes() != 0 || a.Len() != 0 || len(a.terms.all) != len(a.terms.free) || len(a.free) != len(a.nodes) {
		t.Errorf("of nothing: %d bytes, %d artifacts, %d terms, %d free slots of %d", a.Bytes(), a.Len(), len(a.terms.all)-len(a.terms.free), len(a.free), len(a.nodes))
	}
}
