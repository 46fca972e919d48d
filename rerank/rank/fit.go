package rank

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"golang.org/x/sync/errgroup"
)

// Config says how a Model is fitted.
type Config struct {
	// Trees and Leaves are how many there are at most: of trees in a Model, of leaves in a tree.
	Trees, Leaves int
	// Rate is the share of its step that a tree takes.
	Rate float64
	// Seed decides which queries are held out together, and which features each tree may use.
	Seed uint64
	// Threads is how many folds are fitted at the same time. It changes no result.
	Threads int
}

// DefaultConfig is what RESULTS.md of the experiment ranker was measured with.
func DefaultConfig() Config { return Config{Trees: 300, Leaves: 15, Rate: 0.1, Seed: 1, Threads: 1} }

const (
	// folds is how many parts the queries are held out in.
	folds = 5
	// quantileBins is the number of bins of a feature. More than there are judged pairs to tell apart would be noise.
	quantileBins = 64
	// share is the part of the features that a tree may use: with few judgments one feature explains most, and the others would
	// never be asked.
	share = 0.5
)

// Fitted is a Model with what was seen of it on queries that it was not fitted to.
type Fitted struct {
	Model *Model
	// Keys are the queries that had something to learn from, of these Groups, Before their nDCG@10 by the prior alone, After by models fitted
	// without them, with as many trees as the Model has. That number was chosen by the same queries, but to be no worse and not to be the best.
	Keys, Groups  []string
	Before, After []float64
}

// Fit learns from judged queries. names are those of the features.
//
// Each query is held out once, with its group, in one of five folds. Fitting stops where the held-out queries say so, see lengthOf; then as many trees are
// fitted to all queries. To hold a part out for good, as is usual for early stopping, would waste a fifth of what few judgments there are.
//
// The result is a function of names, queries, Seed and the other settings but Threads: the order of queries and of candidates leaves no trace.
func Fit(ctx context.Context, names []string, queries []Query, cfg Config) (*Fitted, error) {
	if err := checkNames(names); err != nil {
		return nil, fmt.Errorf("rank: %w", err)
	}
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("rank: %w", err)
	}
	all, err := newSamples(len(names), queries)
	if err != nil {
		return nil, fmt.Errorf("rank: %w", err)
	}
	if groups := all.groupCount(); groups < LeastQueries {
		return nil, fmt.Errorf("rank: %w: %d of %d have candidates of different grades, in %d groups, want %d", ErrTooFew, all.queries(), len(queries), groups, LeastQueries)
	}
	byTrees, err := holdOut(ctx, names, all, cfg)
	if err != nil {
		return nil, err
	}
	out := &Fitted{Keys: all.keys, Groups: all.groups}
	trees := lengthOf(byTrees)
	for _, values := range byTrees {
		out.Before, out.After = append(out.Before, values[0]), append(out.After, values[trees])
	}
	f := newFitting(names, all, cfg)
	for range trees {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f.step()
	}
	f.model.quick = quickOf(f.model)
	out.Model = f.model
	return out, nil
}

func (c *Config) check() error {
	switch {
	case c.Trees < 1 || c.Trees > mostTrees:
		return fmt.Errorf("%d trees: want 1 to %d", c.Trees, mostTrees)
	case c.Leaves < 2 || c.Leaves > mostLeaves:
		return fmt.Errorf("%d leaves: want 2 to %d", c.Leaves, mostLeaves)
	case !(c.Rate > 0) || c.Rate > 1:
		return fmt.Errorf("rate %v: want more than 0, and 1 at most", c.Rate)
	case c.Threads < 1:
		return fmt.Errorf("%d threads: want 1 at least", c.Threads)
	}
	return nil
}

// holdOut returns, for each query, its nDCG@10 by the prior and by 1, 2, ... trees that were fitted without it.
func holdOut(ctx context.Context, names []string, all *samples, cfg Config) ([][]float64, error) {
	parts := foldsOf(all.groups, cfg.Seed)
	out := make([][]float64, all.queries())
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cfg.Threads)
	for fold := range folds {
		g.Go(func() error {
			var fitted, held []int
			for q, own := range parts {
				if own == fold {
					held = append(held, q)
				} else {
					fitted = append(fitted, q)
				}
			}
			f := newFitting(names, all.of(fitted), cfg)
			measured := newFollower(f.model, all.of(held))
			note := func() {
				for i, q := range held {
					grades, scores := measured.query(i)
					out[q] = append(out[q], NDCG(grades, scores))
				}
			}
			note()
			for range cfg.Trees {
				if err := ctx.Err(); err != nil {
					return err
				}
				f.step()
				measured.follow()
				note()
			}
			return nil
		})
	}
	return out, g.Wait()
}

// foldsOf numbers queries from 0 to folds-1, those of a group alike and the groups all equally often, by a hash of their names.
func foldsOf(groups []string, seed uint64) []int {
	names := slices.Compact(slices.Sorted(slices.Values(groups)))
	hashes := make(map[string]uint64, len(names))
	for _, name := range names {
		h := fnv.New64a()
		fmt.Fprintf(h, "%d %s", seed, name)
		hashes[name] = rand.NewPCG(h.Sum64(), seed).Uint64() // FNV's upper bits say little of short names
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(hashes[a], hashes[b]) })
	fold := make(map[string]int, len(names))
	for place, name := range names {
		fold[name] = place % folds
	}
	out := make([]int, len(groups))
	for i, name := range groups {
		out[i] = fold[name]
	}
	return out
}

// lengthOf is the largest number of trees, from 1 on, by which the held-out queries are not ranked worse than by the best number, the prior
// alone included, beyond one standard error. Some dozens of queries can't tell lengths apart any better: the number of the best mean was none at all in one
// draw of three, where other queries gained by all of the trees. Whether what is fitted may serve is the gate's to say.
func lengthOf(byTrees [][]float64) int {
	best, bestSum := 0, -1.0
	for trees := range byTrees[0] {
		sum := 0.0
		for _, values := range byTrees {
			sum += values[trees]
		}
		if sum > bestSum {
			best, bestSum = trees, sum
		}
	}
	for trees := len(byTrees[0]) - 1; trees > 1; trees-- {
		if loss, deviation := lead(byTrees, best, trees); loss <= deviation {
			return trees
		}
	}
	return 1
}

// lead is by how much the queries are ranked better by one number of trees than by another, with the standard error of that mean.
func lead(byTrees [][]float64, one, other int) (mean, deviation float64) {
	n, squares := float64(len(byTrees)), 0.0
	for _, values := range byTrees {
		d := values[one] - values[other]
		mean += d / n
		squares += d * d / n
	}
	return mean, math.Sqrt(max(0, squares-mean*mean) / n)
}

// fitting is a Model as it is fitted.
type fitting struct {
	*samples
	cfg     Config
	model   *Model
	grower  *grower
	lambdas lambdas
	units   []int64 // the score of each row
	scores  []float64
	rng     *rand.Rand
}

func newFitting(names []string, s *samples, cfg Config) *fitting {
	f := &fitting{samples: s, cfg: cfg, grower: newGrower(bin(s.columns, quantileBins), s.rows(), cfg.Leaves),
		units: make([]int64, s.rows()), scores: make([]float64, s.rows()), rng: rand.New(rand.NewPCG(cfg.Seed, 0x7ee5))}
	f.model = &Model{names: slices.Clone(names), scale: f.scale()}
	for i, p := range s.prior {
		f.units[i] = f.model.priorUnits(float32(p))
		f.scores[i] = float64(f.units[i]) * unit
	}
	return f
}

// scale is the factor by which the prior, as a score, has the least loss. That is convex in the factor, so its slope is halved.
func (f *fitting) scale() float64 {
	at := func(factor float64) float64 {
		sum := 0.0
		for q := range f.queries() {
			from, to := f.starts[q], f.starts[q+1]
			f.lambdas.pair(f.grades[from:to], f.prior[from:to])
			sum += f.lambdas.slope(f.prior[from:to], factor)
		}
		return sum
	}
	low, high := 0.0, float64(mostScale)
	if at(low) >= 0 {
		return low // the prior is of no use
	}
	for range 30 {
		if mid := (low + high) / 2; at(mid) < 0 {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// step adds a tree.
func (f *fitting) step() {
	g := f.grower
	clear(g.gradient)
	clear(g.curvature)
	for q := range f.queries() {
		from, to := f.starts[q], f.starts[q+1]
		f.lambdas.pair(f.grades[from:to], f.scores[from:to])
		f.lambdas.add(f.scores[from:to], g.gradient[from:to], g.curvature[from:to])
	}
	tree, leaves := g.tree(f.some())
	values := f.model.appendTree(tree, g.bounds, f.cfg.Rate)
	for _, l := range leaves {
		for _, row := range g.rows[l.from:l.to] {
			f.units[row] += int64(values[l.at])
			f.scores[row] = float64(f.units[row]) * unit
		}
	}
}

// some chooses the features of a tree, rising.
func (f *fitting) some() []int {
	n := len(f.columns)
	chosen := f.rng.Perm(n)[:max(1, int(float64(n)*share+0.5))]
	slices.Sort(chosen)
	return chosen
}

// follower scores held-out samples as a model grows.
type follower struct {
	*samples
	model    *Model
	scores   []float64
	features []float32
}

func newFollower(m *Model, s *samples) *follower {
	f := &follower{samples: s, model: m, scores: make([]float64, s.rows()), features: make([]float32, len(s.columns))}
	for i, p := range s.prior {
		f.scores[i] = float64(m.priorUnits(float32(p))) * unit
	}
	return f
}

// follow adds the tree that the model has got.
func (f *follower) follow() {
	start := int(f.model.starts[len(f.model.starts)-1])
	for i := range f.scores {
		f.row(i, f.features)
		at := start
		for next := f.model.next(start, at, f.features); next != at; next = f.model.next(start, at, f.features) {
			at = next
		}
		f.scores[i] += float64(f.model.values[at]) * unit
	}
}

// query returns the grades and the scores of a query's candidates.
func (f *follower) query(i int) (grades, scores []float64) {
	from, to := f.starts[i], f.starts[i+1]
	return f.grades[from:to], f.scores[from:to]
}
