package rank

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// judged makes queries whose candidates are judged by a function of their features, which are of few or of many values.
func judged(seed uint64, queries, features, values int, grade func(x []float32) float32) []Query {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]Query, queries)
	for q := range out {
		out[q].Key = fmt.Sprintf("query %d of %d", q, seed)
		for range 40 {
			c := Candidate{Features: make([]float32, features), Prior: rng.Float32()}
			for f := range c.Features {
				c.Features[f] = float32(rng.IntN(values)) / float32(values-1)
			}
			c.Grade = grade(c.Features)
			out[q].Candidates = append(out[q].Candidates, c)
		}
	}
	return out
}

func names(n int) (out []string) {
	for f := range n {
		out = append(out, fmt.Sprintf("feature %d", f))
	}
	return out
}

// either is what no weights can order: one of two features, but not both.
func either(x []float32) float32 {
	if (x[0] > 0.5) != (x[1] > 0.5) {
		return 1 + x[2]
	}
	return 0
}

func fit(t testing.TB, features int, queries []Query, change func(*Config)) *Fitted {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Trees = 60
	if change != nil {
		change(&cfg)
	}
	f, err := Fit(t.Context(), names(features), queries, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// ndcgOf is the mean over queries of a way to score.
func ndcgOf(queries []Query, score func(c *Candidate) float64) float64 {
	var values []float64
	for _, q := range queries {
		grades, scores := make([]float64, len(q.Candidates)), make([]float64, len(q.Candidates))
		for i := range q.Candidates {
			grades[i], scores[i] = float64(q.Candidates[i].Grade), score(&q.Candidates[i])
		}
		values = append(values, NDCG(grades, scores))
	}
	return mean(values)
}

// The model learns, from queries of its own, an order that the best of all linear weights of the two features misses.
func TestLearnsWhatNoWeightsCan(t *testing.T) {
	t.Parallel()
	f := fit(t, 5, judged(1, 40, 5, 100, either), nil)
	others := judged(2, 40, 5, 100, either)
	linear := 0.0
	for angle := range 64 {
		a, b := math.Sincos(2 * math.Pi * float64(angle) / 64)
		linear = max(linear, ndcgOf(others, func(c *Candidate) float64 {
			return a*float64(c.Features[0]) + b*float64(c.Features[1]) + 0.3*float64(c.Features[2])
		}))
	}
	got := ndcgOf(others, func(c *Candidate) float64 { return f.Model.Score(c.Prior, c.Features) })
	if got < 0.95 || linear > 0.85 {
		t.Errorf("nDCG %.3f of the model, %.3f of the best weights: want at least 0.95, and the weights clearly below", got, linear)
	}
	if after, before := mean(f.After), mean(f.Before); after < 0.9 || before > 0.7 {
		t.Errorf("held out: nDCG %.3f, by the prior %.3f", after, before)
	}
}

// Where the prior has the order already, and where the judgments are noise, what is learned must not spoil the order of other
// queries.
func TestThePriorIsKept(t *testing.T) {
	t.Parallel()
	byPrior := func(seed uint64, queries int) []Query {
		out := judged(seed, queries, 5, 100, func([]float32) float32 { return 0 })
		for _, q := range out {
			for i := range q.Candidates {
				q.Candidates[i].Grade = float32(min(1, max(0, int(4*q.Candidates[i].Prior)-2)))
			}
		}
		return out
	}
	others := byPrior(13, 60)
	f := fit(t, 5, byPrior(3, 15), nil)
	if got := ndcgOf(others, func(c *Candidate) float64 { return f.Model.Score(c.Prior, c.Features) }); got < 0.999 {
		t.Errorf("nDCG %.4f of queries whose order is the prior's", got)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	noise := byPrior(3, 30)
	for _, q := range noise {
		for i := range q.Candidates {
			if rng.IntN(3) == 0 {
				q.Candidates[i].Grade = float32(rng.IntN(2))
			}
		}
	}
	f = fit(t, 5, noise, nil)
	if got := ndcgOf(others, func(c *Candidate) float64 { return f.Model.Score(c.Prior, c.Features) }); got < 0.9 {
		t.Errorf("nDCG %.4f of the prior's order, %d trees after judgments of which a third are noise", got, f.Model.Trees())
	}
}

func TestOrderAndThreadsLeaveNoTrace(t *testing.T) {
	t.Parallel()
	queries := judged(4, 20, 5, 7, either) // of seven values: many candidates are equal in some
	want, err := fit(t, 5, queries, nil).Model.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(4, 4))
	for threads := 1; threads <= 4; threads++ {
		rng.Shuffle(len(queries), func(i, j int) { queries[i], queries[j] = queries[j], queries[i] })
		for _, q := range queries {
			rng.Shuffle(len(q.Candidates), func(i, j int) { q.Candidates[i], q.Candidates[j] = q.Candidates[j], q.Candidates[i] })
		}
		before := slices.Clone(queries[0].Candidates)
		got, err := fit(t, 5, queries, func(c *Config) { c.Threads = threads }).Model.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("with %d threads, in another order: another model", threads)
		}
		if !slices.EqualFunc(before, queries[0].Candidates, func(a, b Candidate) bool { return a.Prior == b.Prior }) {
			t.Error("Fit has changed the order of its argument")
		}
	}
	other, err := fit(t, 5, queries, func(c *Config) { c.Seed = 2 }).Model.MarshalBinary()
	if err != nil || bytes.Equal(other, want) {
		t.Errorf("another seed makes the same model (%v)", err)
	}
}

// The parts are those of a walk that is written down step by step, and sum to the score exactly, in whatever order.
func TestPartsSumToTheScore(t *testing.T) {
	t.Parallel()
	m := fit(t, 5, judged(5, 20, 5, 100, either), nil).Model
	rng := rand.New(rand.NewPCG(5, 5))
	if m.Trees() < 5 {
		t.Fatalf("%d trees say little", m.Trees())
	}
	parts := make([]float64, 6)
	for range 500 {
		x := make([]float32, 5)
		for f := range x {
			x[f] = 2*rng.Float32() - 0.5
		}
		prior := rng.Float32()
		score := m.Explain(prior, x, parts)
		if score != m.Score(prior, x) {
			t.Fatalf("Explain says %v, Score %v", score, m.Score(prior, x))
		}
		want := dullParts(m, prior, x)
		for range 5 {
			sum := 0.0
			for _, i := range rng.Perm(len(parts)) {
				sum += parts[i]
				if parts[i] != want[i] {
					t.Fatalf("parts %v, want %v", parts, want)
				}
			}
			if sum != score {
				t.Fatalf("parts %v sum to %v, the score is %v", parts, sum, score)
			}
		}
	}
}

// dullParts walks each tree from its root.
func dullParts(m *Model, prior float32, x []float32) []float64 {
	parts := make([]float64, 1+len(x))
	parts[0] = math.RoundToEven(m.scale*float64(prior)*(1<<20)) / (1 << 20)
	for tree := range m.starts {
		from, _ := m.tree(tree)
		at := 0
		for int(m.nodes[from+at].left) != at {
			n := m.nodes[from+at]
			to := int(n.left)
			if x[n.feature] > n.threshold {
				to++
			}
			parts[1+n.feature] += float64(m.values[from+to])/(1<<20) - float64(m.values[from+at])/(1<<20)
			at = to
		}
	}
	return parts
}

func TestScoreAllocatesNothing(t *testing.T) {
	m := fit(t, 5, judged(6, 12, 5, 100, either), nil).Model
	x, parts := []float32{0.1, 0.9, 0.4, 0.2, float32(math.NaN())}, make([]float64, 6)
	if n := testing.AllocsPerRun(100, func() { m.Score(0.5, x); m.Explain(0.5, x, parts) }); n != 0 {
		t.Errorf("%v allocations a pair", n)
	}
}

// The gradient is that of the stated loss, the curvature at least what its diagonal says.
func TestGradientsAgainstDifferences(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		n := 2 + rng.IntN(12)
		grades, scores := make([]float64, n), make([]float64, n)
		for i := range n {
			grades[i], scores[i] = float64(rng.IntN(4)), 4*rng.NormFloat64()
		}
		grades[0] = 2 // one at least is better than 0
		var l lambdas
		l.pair(grades, scores)
		gradient, curvature := make([]float64, n), make([]float64, n)
		l.add(scores, gradient, curvature)
		const step = 1e-4
		for i := range n {
			at := func(by float64) float64 {
				moved := slices.Clone(scores)
				moved[i] += by
				return l.loss(moved)
			}
			slope := (at(step) - at(-step)) / (2 * step)
			bend := (at(step) + at(-step) - 2*at(0)) / (step * step)
			if math.Abs(slope-gradient[i]) > 1e-6 || math.Abs(bend-curvature[i]) > 1e-4 {
				t.Fatalf("grades %v, scores %v: gradient %v and curvature %v, by differences %v and %v", grades, scores, gradient[i], curvature[i], slope, bend)
			}
		}
		if sum := mean(gradient); math.Abs(sum) > 1e-12 {
			t.Fatalf("the gradients sum to %v", sum)
		}
		factor := rng.Float64()
		times := func(f float64) float64 {
			out := make([]float64, n)
			for i := range out {
				out[i] = f * scores[i]
			}
			return l.loss(out)
		}
		if slope := (times(factor+step) - times(factor-step)) / (2 * step); math.Abs(slope-l.slope(scores, factor)) > 1e-5 {
			t.Fatalf("slope by the factor %v, by differences %v", l.slope(scores, factor), slope)
		}
	}
}

// A pair's weight is what nDCG, without a cut, changes by when the two change places.
func TestWeightsAreChangesOfNDCG(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 8))
	whole := func(grades, scores []float64) float64 {
		order := make([]int32, len(grades))
		ranking(scores, order)
		sum := 0.0
		for r, i := range order {
			sum += grades[i] / math.Log2(float64(r)+2)
		}
		return sum / idealGain(grades, len(grades))
	}
	n := 9
	grades, scores := make([]float64, n), make([]float64, n)
	for i := range n {
		grades[i], scores[i] = float64(rng.IntN(4)), rng.Float64()
	}
	var l lambdas
	l.pair(grades, scores)
	if len(l.weight) == 0 {
		t.Fatal("no pairs")
	}
	for k, w := range l.weight {
		moved := slices.Clone(scores)
		i, j := l.better[k], l.worse[k]
		moved[i], moved[j] = moved[j], moved[i]
		if change := math.Abs(whole(grades, moved) - whole(grades, scores)); math.Abs(change-w) > 1e-12 {
			t.Errorf("pair %d, %d: weight %v, nDCG changes by %v", i, j, w, change)
		}
	}
}

func TestFitRefuses(t *testing.T) {
	t.Parallel()
	good := func() []Query { return judged(9, 12, 2, 10, func(x []float32) float32 { return x[0] }) }
	nan := float32(math.NaN())
	for what, c := range map[string]struct {
		change func(q []Query, c *Config)
		want   string
	}{
		"a query twice":   {func(q []Query, _ *Config) { q[1].Key = q[0].Key }, "comes twice"},
		"NaN feature":     {func(q []Query, _ *Config) { q[3].Candidates[2].Features[1] = nan }, `query "query 3 of 9", candidate 2: feature 1 is NaN`},
		"missing feature": {func(q []Query, _ *Config) { q[3].Candidates[2].Features = nil }, "has 0 features, want 2"},
		"endless prior":   {func(q []Query, _ *Config) { q[0].Candidates[0].Prior = float32(math.Inf(1)) }, "prior is +Inf"},
		"negative grade":  {func(q []Query, _ *Config) { q[0].Candidates[0].Grade = -1 }, "grade is -1"},
		"no trees":        {func(_ []Query, c *Config) { c.Trees = 0 }, "0 trees"},
		"one leaf":        {func(_ []Query, c *Config) { c.Leaves = 1 }, "1 leaves"},
		"rate":            {func(_ []Query, c *Config) { c.Rate = math.NaN() }, "rate NaN"},
		"no threads":      {func(_ []Query, c *Config) { c.Threads = 0 }, "0 threads"},
	} {
		queries, cfg := good(), DefaultConfig()
		c.change(queries, &cfg)
		if _, err := Fit(t.Context(), names(2), queries, cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to say %q", what, err, c.want)
		}
	}
	if _, err := Fit(t.Context(), names(2), good()[:LeastQueries-1], DefaultConfig()); !errors.Is(err, ErrTooFew) {
		t.Errorf("too few: %v", err)
	}
	if _, err := Fit(t.Context(), []string{"a", "a"}, good(), DefaultConfig()); err == nil {
		t.Error("two features of one name are taken")
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Fit(stopped, names(2), good(), DefaultConfig()); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// TestGroupsAreHeldOutTogether: a query is in the fold of its group, and queries of too few groups are refused however many they are.
func TestGroupsAreHeldOutTogether(t *testing.T) {
	t.Parallel()
	var groups []string
	for i := range 90 {
		groups = append(groups, fmt.Sprintf("group %d", i/3))
	}
	fold, size := foldsOf(groups, 7), [folds]int{}
	for i := range fold {
		if fold[i] != fold[i/3*3] {
			t.Errorf("query %d is in fold %d, the first of its group in %d", i, fold[i], fold[i/3*3])
		}
		size[fold[i]]++
	}
	if size != [folds]int{18, 18, 18, 18, 18} {
		t.Errorf("folds of %v queries", size)
	}
	queries := judged(1, 4*LeastQueries, 3, 20, either)
	for i := range queries {
		queries[i].Group = fmt.Sprint(i % (LeastQueries - 1))
	}
	if _, err := Fit(t.Context(), names(3), queries, DefaultConfig()); !errors.Is(err, ErrTooFew) {
		t.Errorf("of %d groups: %v", LeastQueries-1, err)
	}
	queries[0].Group = "another"
	if f := fit(t, 3, queries, func(c *Config) { c.Trees = 2 }); !slices.Contains(f.Groups, "another") || len(f.Groups) != len(f.Keys) {
		t.Errorf("groups %v of keys %v", f.Groups, f.Keys)
	}
}
