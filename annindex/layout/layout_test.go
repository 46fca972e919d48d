package layout

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
)

func newPool(t testing.TB, size int) *par.Pool {
	t.Helper()
	pool, err := par.New(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// clusters are n unit vectors around centres, of the given seed.
func clusters(seed uint64, n, centres, dim int) [][]float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	draw := func(around []float32, spread float64) []float32 {
		v := make([]float32, dim)
		for d := range v {
			v[d] = float32(spread * rng.NormFloat64())
			if around != nil {
				v[d] += around[d]
			}
		}
		length := float32(math.Sqrt(float64(vec.Dot(v, v))))
		for d := range v {
			v[d] /= length
		}
		return v
	}
	middles := make([][]float32, centres)
	for c := range middles {
		middles[c] = draw(nil, 1)
	}
	vectors := make([][]float32, n)
	for i := range vectors {
		vectors[i] = draw(middles[rng.IntN(centres)], 0.1)
	}
	return vectors
}

// near are the k nearest of each vector, among the first of the vectors.
func near(vectors [][]float32, first, k int) [][]int32 {
	lists := make([][]int32, len(vectors))
	for i, v := range vectors {
		distances := make([]float32, first)
		for j := range distances {
			distances[j] = -vec.Dot(v, vectors[j])
		}
		for _, j := range nearest(distances, i, k) {
			lists[i] = append(lists[i], int32(j))
		}
	}
	return lists
}

func drawn(t testing.TB, pool *par.Pool, config Config, start []Point, near [][]int32) *Layout {
	t.Helper()
	l, err := New(config, pool, start, near)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Run(t.Context(), func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	return l
}

func principal(t testing.TB, vectors [][]float32) []Point {
	t.Helper()
	start, err := Principal(vectors)
	if err != nil {
		t.Fatal(err)
	}
	return start
}

// TestMap holds that a map keeps neighbours, better than the plane that it starts from, and is the same for any number of threads.
func TestMap(t *testing.T) {
	t.Parallel()
	vectors := clusters(1, 700, 12, 24)
	start, lists := principal(t, vectors), near(vectors, len(vectors), 15)
	pool := newPool(t, 2)
	config := Config{Steps: 300, Exaggerated: 100}
	points := drawn(t, pool, config, start, lists).Points()
	before, err := Measure(pool, vectors, start, 15, 1)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Measure(pool, vectors, points, 15, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("start %.3f, map %.3f", before, after)
	if after.Trustworthiness < 0.97 || after.Continuity < 0.95 || after.Trustworthiness < before.Trustworthiness {
		t.Errorf("trust %+v, that of the start %+v", after, before)
	}
	for _, threads := range []int{1, 3} {
		if others := drawn(t, newPool(t, threads), config, start, lists).Points(); !slices.Equal(points, others) {
			t.Errorf("%d threads draw another map than 2", threads)
		}
	}
}

// TestRenewal holds that newcomers are placed where their neighbours are, without moving another point, and that the steps that
// follow move the old points by little.
func TestRenewal(t *testing.T) {
	t.Parallel()
	vectors := clusters(2, 880, 12, 24)
	old := len(vectors) * 10 / 11
	pool := newPool(t, 2)
	first := drawn(t, pool, Config{Steps: 400, Exaggerated: 130}, principal(t, vectors[:old]), near(vectors[:old], old, 15))
	before := slices.Clone(first.Points())
	points := slices.Clone(before)
	for _, list := range near(vectors, old, 15)[old:] {
		points = append(points, first.Place(list))
	}
	if !slices.Equal(first.Points(), before) {
		t.Fatal("a newcomer moved others")
	}
	trust, err := Measure(pool, vectors, points, 15, 1)
	if err != nil {
		t.Fatal(err)
	}
	if trust.Trustworthiness < 0.96 || trust.Continuity < 0.94 {
		t.Errorf("trust with newcomers %+v", trust)
	}
	renewed := drawn(t, pool, Config{Steps: 50}, points, near(vectors, len(vectors), 15)).Points()
	low, high := bounds(before)
	moved := make([]float64, old)
	for i := range moved {
		moved[i] = math.Hypot(float64(renewed[i].X-before[i].X), float64(renewed[i].Y-before[i].Y)) / float64(max(high.X-low.X, high.Y-low.Y))
	}
	slices.Sort(moved)
	t.Logf("trust %+v; the median old point moved by %.4f of the width", trust, moved[old/2])
	if moved[old/2] > 0.02 {
		t.Errorf("the median old point moved by %.3f of the map's width", moved[old/2])
	}
}

// loss is that of t-SNE, written down from its definition.
func loss(g *neighbours, points []Point) float64 {
	total, sum := 0.0, 0.0
	similarity := func(i, j int) float64 {
		dx, dy := float64(points[i].X)-float64(points[j].X), float64(points[i].Y)-float64(points[j].Y)
		return 1 / (1 + dx*dx + dy*dy)
	}
	for i := range points {
		for j := range points {
			if i != j {
				total += similarity(i, j)
			}
		}
	}
	for i := range points {
		for e := g.starts[i]; e < g.starts[i+1]; e++ {
			w := float64(g.weights[e])
			sum -= w * math.Log(similarity(i, int(g.others[e]))/total)
		}
	}
	return sum
}

// TestGradient compares pull and push with differences of the loss. The tree is nearly exact where all cells look wide.
func TestGradient(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 1))
	points := make([]Point, 40)
	lists := make([][]int32, len(points))
	for i := range points {
		points[i] = Point{float32(rng.NormFloat64()), float32(rng.NormFloat64())}
		for _, j := range rng.Perm(len(points))[:5] {
			if j != i {
				lists[i] = append(lists[i], int32(j))
			}
		}
	}
	l := drawn(t, newPool(t, 1), Config{}, points, lists)
	const h = 1e-2
	var gone, scale float64
	for i := range points {
		for axis := range 2 {
			at := func(by float32) float64 {
				moved := slices.Clone(points)
				if axis == 0 {
					moved[i].X += by
				} else {
					moved[i].Y += by
				}
				return loss(&l.near, moved)
			}
			want := (at(h) - at(-h)) / (2 * h)
			pull := l.near.attract(points, i)
			got := 4 * float64(pull.X-l.pushes[i].X/l.total)
			if axis == 1 {
				got = 4 * float64(pull.Y-l.pushes[i].Y/l.total)
			}
			gone += (got - want) * (got - want)
			scale += want * want
		}
	}
	if off := math.Sqrt(gone / scale); off > 0.02 {
		t.Errorf("the gradient is %.3f off that of the loss", off)
	}
}

// TestTree compares the tree's sums with those over all pairs, for points of all kinds: spread, in a heap, in one place.
func TestTree(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 1))
	for _, spread := range []float64{0, 1e-30, 1e-4, 1, 1e4, 1e15} {
		t.Run(fmt.Sprint(spread), func(t *testing.T) {
			points := make([]Point, 500)
			for i := range points {
				points[i] = Point{float32(spread * rng.NormFloat64()), float32(spread * rng.ExpFloat64())}
				if i%5 == 4 {
					points[i] = points[i-1]
				}
			}
			var tree quadtree
			tree.build(points)
			var stack []int32
			var off, offSum, all, allSum float64
			for i, p := range points {
				var push Point
				var sum float32
				push, sum, stack = tree.repel(p, int32(i), stack)
				var x, y float64
				for j, o := range points {
					if j != i {
						dx, dy := float64(p.X)-float64(o.X), float64(p.Y)-float64(o.Y)
						q := 1 / (1 + dx*dx + dy*dy)
						offSum -= q
						allSum += q
						x += q * q * dx
						y += q * q * dy
						all += q * q * math.Hypot(dx, dy)
					}
				}
				offSum += float64(sum)
				off += math.Hypot(float64(push.X)-x, float64(push.Y)-y)
			}
			if off > 0.03*all+1e-30 || math.Abs(offSum) > 0.03*allSum {
				t.Errorf("pushes are off by %v of %v in all, similarities by %v of %v", off, all, offSum, allSum)
			}
		})
	}
}

// TestMeasure compares Measure with the definition, by whole rankings.
func TestMeasure(t *testing.T) {
	t.Parallel()
	vectors := clusters(5, 60, 4, 3)
	rng := rand.New(rand.NewPCG(5, 2))
	points := make([]Point, len(vectors))
	for i := range points {
		points[i] = Point{float32(rng.NormFloat64()), float32(rng.NormFloat64())}
	}
	const k = 7
	ranks := func(distance func(i, j int) float64) [][]int {
		all := make([][]int, len(vectors))
		for i := range all {
			order := make([]int, 0, len(vectors))
			for j := range vectors {
				if j != i {
					order = append(order, j)
				}
			}
			slices.SortStableFunc(order, func(a, b int) int {
				switch da, db := distance(i, a), distance(i, b); {
				case da < db:
					return -1
				case da > db:
					return 1
				}
				return 0
			})
			all[i] = make([]int, len(vectors))
			for r, j := range order {
				all[i][j] = r + 1
			}
		}
		return all
	}
	apart := ranks(func(i, j int) float64 { return -float64(vec.Dot(vectors[i], vectors[j])) })
	seen := ranks(func(i, j int) float64 {
		dx, dy := points[i].X-points[j].X, points[i].Y-points[j].Y
		return float64(dx*dx + dy*dy)
	})
	one := func(near, far [][]int) float64 {
		sum := 0
		for i := range near {
			for j := range near {
				if j != i && near[i][j] <= k && far[i][j] > k {
					sum += far[i][j] - k
				}
			}
		}
		n := float64(len(vectors))
		return 1 - 2/(n*k*(2*n-3*k-1))*float64(sum)
	}
	got, err := Measure(newPool(t, 2), vectors, points, k, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := Trust{one(seen, apart), one(apart, seen)}
	if math.Abs(got.Trustworthiness-want.Trustworthiness) > 1e-9 || math.Abs(got.Continuity-want.Continuity) > 1e-9 {
		t.Errorf("measured %+v, by the definition %+v", got, want)
	}
}

// TestRefusals holds that what can't be drawn is an error or a map, and never a panic or a map of NaN.
func TestRefusals(t *testing.T) {
	t.Parallel()
	pool := newPool(t, 1)
	nan := float32(math.NaN())
	for name, start := range map[string][]Point{"nan": {{nan, 0}, {}}, "infinite": {{float32(math.Inf(1)), 0}, {}}, "fewer": {{}}} {
		if _, err := New(Config{}, pool, start, make([][]int32, 2)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for name, lists := range map[string][][]int32{"itself": {{0}, {}}, "unknown": {{2}, {}}, "negative": {{-1}, {}}} {
		if _, err := New(Config{}, pool, make([]Point, 2), lists); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, config := range []Config{{Steps: -1}, {Steps: 1, Exaggerated: 2}, {Exaggerated: -1}} {
		if _, err := New(config, pool, nil, nil); err == nil {
			t.Errorf("%+v: no error", config)
		}
	}
	if _, err := Principal([][]float32{{1, 2}, {1}}); err == nil {
		t.Error("vectors of two lengths: no error")
	}
	for n := range 4 {
		same := make([][]float32, n)
		lists := make([][]int32, n)
		for i := range same {
			same[i] = []float32{1, 0, 0}
			if i > 0 {
				lists[i] = []int32{0}
			}
		}
		for i, p := range drawn(t, pool, Config{Steps: 20, Exaggerated: 5}, principal(t, same), lists).Points() {
			if p.X != p.X || p.Y != p.Y {
				t.Errorf("%d vectors that are the same: point %d is at %v", n, i, p)
			}
		}
	}
}

// TestRunEnds holds that a Run that is ended leaves the map of its last step.
func TestRunEnds(t *testing.T) {
	t.Parallel()
	vectors := clusters(6, 100, 4, 8)
	start, lists, pool := principal(t, vectors), near(vectors, len(vectors), 5), newPool(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l, err := New(Config{Steps: 50, Exaggerated: 10}, pool, start, lists)
	if err != nil {
		t.Fatal(err)
	}
	var last []Point
	err = l.Run(ctx, func(done, _ int) {
		if done == 20 {
			last = slices.Clone(l.Points())
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || !slices.Equal(last, l.Points()) {
		t.Errorf("error %v; is the map that of step 20: %v", err, slices.Equal(last, l.Points()))
	}
}
