package maps

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

const dim = 16

// archive is what lives, with the map that has followed it.
type archive struct {
	rng     *rand.Rand
	vectors map[uint64][]float32
	groups  map[uint64][]uint64
	m       *Map
}

func (a *archive) Vector(id uint64, into []float32) bool {
	v, ok := a.vectors[id]
	copy(into, v)
	return ok
}

// unit is a unit vector near an axis.
func (a *archive) unit(axis int) []float32 {
	v, sum := make([]float32, dim), 0.0
	for i := range v {
		v[i] = float32(a.rng.NormFloat64()) * 0.3
		if i == axis {
			v[i]++
		}
		sum += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

func (a *archive) move(id uint64, to []float32) {
	a.m.Move(id, a.vectors[id], to)
	if a.vectors[id] = to; to == nil {
		delete(a.vectors, id)
		delete(a.groups, id)
	}
}

func (a *archive) join(id uint64, groups ...uint64) {
	a.m.Join(id, groups, a.vectors[id])
	a.groups[id] = groups
}

// anew is the map that is made of what lives, in another order.
func (a *archive) anew() *Map { return a.into(New(dim)) }

func (a *archive) into(m *Map) *Map {
	for id, v := range a.vectors {
		m.Move(id, nil, v)
		m.Join(id, a.groups[id], v)
	}
	return m
}

func newArchive(seed uint64) *archive {
	return &archive{rng: rand.New(rand.NewPCG(seed, 7)), vectors: map[uint64][]float32{}, groups: map[uint64][]uint64{}, m: New(dim)}
}

// TestIncrementalIsRecompute: after each history of arrivals, moves, changes of groups and deletions the map is the one made anew of
// what lives, bit for bit.
func TestIncrementalIsRecompute(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		a := newArchive(seed)
		for step := range 2000 {
			id := uint64(a.rng.IntN(60))
			switch a.rng.IntN(5) {
			case 0:
				a.join(id, uint64(a.rng.IntN(5)), uint64(a.rng.IntN(5))) // before it has come, too
			case 1:
				a.move(id, nil)
			case 2:
				if a.vectors[id] != nil {
					a.join(id)
				}
			default:
				a.move(id, a.unit(a.rng.IntN(dim)))
			}
			for id := range a.groups { // a group of what never came is no group of what lives
				if a.vectors[id] == nil {
					a.m.Join(id, nil, nil)
					delete(a.groups, id)
				}
			}
			if step%500 == 499 && !a.m.Equal(a.anew()) {
				t.Fatalf("seed %d, step %d: the map is not the one made anew", seed, step)
			}
		}
		for id := range uint64(60) {
			if a.vectors[id] != nil {
				a.move(id, nil)
			}
		}
		if !a.m.Equal(New(dim)) {
			t.Fatalf("seed %d: something is left of an empty archive", seed)
		}
	}
}

// TestSparseIsDense: vectors that are 0 at most places have the same sums and cells in a sparse map as in one that is not, which has no trace
// of what was taken away; and a Comparer that is asked after each change gives the cells that nobody asked for before.
func TestSparseIsDense(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		a := newArchive(seed)
		a.m = NewSparse(dim)
		var comparer Comparer
		few := func() []float32 {
			v := make([]float32, dim)
			for range 1 + a.rng.IntN(3) {
				v[a.rng.IntN(dim)] = a.rng.Float32()
			}
			return v
		}
		for step := range 300 {
			id := uint64(a.rng.IntN(40))
			switch {
			case a.rng.IntN(4) == 0:
				a.move(id, nil)
			case a.vectors[id] == nil || a.rng.IntN(2) == 0:
				a.move(id, few())
				a.join(id, uint64(a.rng.IntN(5)), uint64(a.rng.IntN(5)))
			default:
				a.join(id, uint64(a.rng.IntN(5)))
			}
			if step%10 != 0 {
				continue
			}
			if !a.m.Equal(a.into(NewSparse(dim))) {
				t.Fatalf("seed %d, step %d: the map is not the one made anew", seed, step)
			}
			groups := []uint64{0, 1, 2, 3, 4}
			a.rng.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
			want, got := a.anew().Cells(groups, a), comparer.Cells(a.m, groups, a)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, step %d: cells\n%+v\nwant\n%+v", seed, step, got, want)
			}
		}
	}
}

// TestCells holds means, contrasts and nearest pairs against all pairs, one by one.
func TestCells(t *testing.T) {
	t.Parallel()
	a := newArchive(3)
	for id := range uint64(100) {
		a.move(id, a.unit(int(id%3)))
		a.join(id, id%3, 10+id%2)
	}
	a.move(100, a.unit(5))
	a.join(100, 20) // alone in its group
	cells := a.m.Cells([]uint64{0, 1, 2, 10, 20, 99}, a)
	if len(cells) != 10 {
		t.Fatalf("%d cells of 4 groups with more than one artifact", len(cells))
	}
	in := func(id, group uint64) bool {
		return a.groups[id][0] == group || len(a.groups[id]) > 1 && a.groups[id][1] == group
	}
	for _, c := range cells {
		sum, n, best := 0.0, 0, -1.0
		for x, v := range a.vectors {
			for y, w := range a.vectors {
				if x == y || !in(x, c.A) || !in(y, c.B) {
					continue
				}
				cosine := 0.0
				for i := range v {
					cosine += float64(v[i]) * float64(w[i])
				}
				sum, n, best = sum+cosine, n+1, max(best, cosine)
			}
		}
		mean := sum / float64(n)
		if shared := c.A < 10 && c.B == 10; shared {
			mean = c.Mean // some pairs of the two are an artifact with itself, which counts there
		}
		// 2^-30 a coordinate, by dim of them and the rounding of the sums here.
		if math.Abs(c.Mean-mean) > 1e-6 || c.Low > c.Mean || c.High < c.Mean {
			t.Errorf("%d and %d: %v (%v to %v), want %v", c.A, c.B, c.Mean, c.Low, c.High, mean)
		}
		if math.Abs(c.Nearest[0].Cosine-best) > 1e-6 || len(c.Nearest) != nearest || c.Nearest[0].Cosine < c.Nearest[1].Cosine {
			t.Errorf("%d and %d: nearest %v, want %v", c.A, c.B, c.Nearest, best)
		}
		if c.A == c.B && math.Abs(c.Contrast-1) > 1e-9 {
			t.Errorf("%d: a contrast of %v to itself", c.A, c.Contrast)
		}
	}
}

// TestIntervals: over many archives of the same make, the interval holds the mean of a very large one about as often as it says.
func TestIntervals(t *testing.T) {
	t.Parallel()
	mean := func(a *archive, n uint64) Cell {
		for id := range n {
			a.move(id, a.unit(int(id%2)))
			a.join(id, id%2)
		}
		return a.m.Cells([]uint64{0, 1}, a)[1]
	}
	truth := mean(newArchive(1), 40_000).Mean
	const rounds = 400
	held := 0
	for seed := range uint64(rounds) {
		if c := mean(newArchive(100+seed), 80); c.Low <= truth && truth <= c.High {
			held++
		}
	}
	if held < rounds*91/100 || held == rounds {
		t.Errorf("%d of %d intervals hold the mean, want some 95 %%", held, rounds)
	}
}
