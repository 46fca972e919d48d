package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
	"kilim/learner/tensor/vec"
	"kilim/learner/train"
	"kilim/learner/train/eval"
)

// Lists knows all that the published list total is made of but embeddings.
type Lists interface {
	// Rest calls fn for the artifacts of some ids, by their numbers among these, with the score that each has in total for each of the
	// asked ones, by their numbers too, when the cosine is 0. It leaves out artifacts that can't be read, and keeps no rest after fn. Of
	// the asked ones it hides what hidden says.
	Rest(ctx context.Context, ids []string, asked []int32, hidden Hidden, fn func(other int32, rest []float32)) error
	// Cosine is what a score counts a cosine of 1.
	Cosine() float32
}

// Hidden is what the lists of a task may not know.
type Hidden struct {
	// Origins are the terms of asked records that name where they come from, Links the links of all.
	Origins, Links bool
}

const (
	// mostAsked bounds the lists that a task makes: each compares an artifact with all others.
	mostAsked = 300
	// published is how many entries of a list people look at.
	published = 10
	// totalMetric is the one of eval.Names that total is judged by: what stands first.
	totalMetric = 0
)

// Published is what a candidate does to the list total as it is published.
type Published struct {
	// Lists of held-out artifacts were compared; of the first ten of each, Kept, in 0..1, are among the first ten by the candidate, and
	// the First, in 0..1 of the lists, is the same.
	Lists int     `json:"lists"`
	Kept  float64 `json:"kept"`
	First float64 `json:"first"`
}

// contest has what the tasks of total compare.
type contest struct {
	Benchmark
	models [2]Model // serving, candidate
	spaces [2]*embeddings
	pool   *par.Pool
}

// total has the tasks that rank by the published list total: the one that is read most, and of which embeddings are only a part.
func (c *contest) total(ctx context.Context, t *Table) error {
	if c.Lists == nil {
		return nil
	}
	if err := c.totalOrigins(ctx, t); err != nil {
		return err
	}
	if err := c.totalRetrieval(ctx, t, "total links", linkQueries(c.Benchmark), nil, Hidden{Links: true}); err != nil {
		return err
	}
	for _, truth := range c.truths() {
		queries, err := truth.of.Queries("total", c.Seed)
		if errors.Is(err, eval.ErrNoQueries) {
			continue
		}
		if err != nil {
			return err
		}
		if err := c.totalRetrieval(ctx, t, "total "+truth.name, queries, truth.of.Candidates(), Hidden{}); err != nil {
			return err
		}
	}
	return c.kept(ctx, t)
}

// totalOrigins predicts the culture of held-out artifacts by their first neighbours in total, when all that names their origin is hidden.
func (c *contest) totalOrigins(ctx context.Context, t *Table) error {
	artifacts := c.Set.Artifacts()
	heldOut, visible := map[int32]bool{}, 0
	var asked []int32
	for _, a := range c.HeldOut {
		heldOut[a] = true
		if artifacts[a].Culture >= 0 {
			asked = append(asked, a)
		}
	}
	for a := range artifacts {
		if artifacts[a].Culture >= 0 && !heldOut[int32(a)] {
			visible++
		}
	}
	if asked = some(c.Seed, asked); len(asked) < minQueries || visible == 0 {
		return nil
	}
	var rows [2]tape.Matrix
	for i, m := range c.models {
		var err error
		if rows[i], err = train.EmbedWithoutOrigin(m.set(c.Benchmark), asked, batch, m.views(c.Benchmark), c.Seed, m.Shape, m.Weights, c.pool); err != nil {
			return err
		}
	}
	among := func(a int32) bool { return artifacts[a].Culture >= 0 && !heldOut[a] }
	found, err := c.rank(ctx, asked, rows, Hidden{Origins: true}, among, voters)
	if err != nil {
		return err
	}
	var right [2][]float64
	for i := range found {
		for k, a := range asked {
			hit := 0.0
			if winner(found[i][k], artifacts) == artifacts[a].Culture {
				hit = 1
			}
			right[i] = append(right[i], hit)
		}
	}
	t.add("total origins", "accuracy", right[0], right[1], eval.Level, c.Seed)
	return nil
}

// totalRetrieval measures lists against what people say is alike.
func (c *contest) totalRetrieval(ctx context.Context, t *Table, task string, queries []eval.Query, candidates []string, hidden Hidden) error {
	number := c.spaces[0].number
	allowed := map[int32]bool{}
	for _, n := range c.spaces[0].numbers(candidates) {
		allowed[int32(n)] = true
	}
	queries = some(c.Seed, slices.DeleteFunc(queries, func(q eval.Query) bool { _, ok := number[q.ID]; return !ok }))
	if len(queries) < minQueries {
		return nil
	}
	asked := make([]int32, len(queries))
	for k, q := range queries {
		asked[k] = int32(number[q.ID])
	}
	among := func(a int32) bool { return candidates == nil || allowed[a] }
	found, err := c.rank(ctx, asked, c.rowsOf(asked), hidden, among, eval.Depth)
	if err != nil {
		return err
	}
	var values [2][]float64
	for i := range found {
		for k, q := range queries {
			ranking := make([]string, len(found[i][k]))
			for j, n := range found[i][k] {
				ranking[j] = c.IDs[n]
			}
			values[i] = append(values[i], eval.Measure(q, ranking).Values()[totalMetric])
		}
	}
	t.add(task, eval.Names()[totalMetric], values[0], values[1], eval.Level, c.Seed)
	return nil
}

// kept compares the lists of held-out artifacts, whoever they are, as they would be published.
func (c *contest) kept(ctx context.Context, t *Table) error {
	asked := some(c.Seed, c.HeldOut)
	if len(asked) == 0 {
		return nil
	}
	found, err := c.rank(ctx, asked, c.rowsOf(asked), Hidden{}, func(int32) bool { return true }, published)
	if err != nil {
		return err
	}
	p := &Published{}
	for k := range asked {
		before, after := found[0][k], found[1][k]
		if len(before) == 0 || len(after) == 0 {
			continue
		}
		p.Lists++
		same := 0
		for _, n := range before {
			if slices.Contains(after, n) {
				same++
			}
		}
		p.Kept += float64(same) / float64(len(before))
		if before[0] == after[0] {
			p.First++
		}
	}
	if p.Lists > 0 {
		p.Kept, p.First = p.Kept/float64(p.Lists), p.First/float64(p.Lists)
		t.Published = p
	}
	return nil
}

// some returns at most mostAsked of all, the same for the same seed.
func some[T any](seed uint64, all []T) []T {
	if len(all) <= mostAsked {
		return all
	}
	rng := rand.New(rand.NewPCG(seed, 0x70741))
	out := slices.Clone(all)
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:mostAsked]
}

// rowsOf are the embeddings of artifacts by both models.
func (c *contest) rowsOf(artifacts []int32) (rows [2]tape.Matrix) {
	for i, s := range c.spaces {
		rows[i] = s.sample(artifacts)
	}
	return rows
}

// rank returns, for both models, the first k of the list total of each asked artifact, whose embeddings are rows; ties by number. All are
// ranked in one walk through the archive, so that nothing is kept of those that are in no list.
func (c *contest) rank(ctx context.Context, asked []int32, rows [2]tape.Matrix, hidden Hidden, among func(int32) bool, k int) (found [2][][]int32, err error) {
	var best [2][][]scored
	for i := range best {
		best[i] = make([][]scored, len(asked))
	}
	weight := c.Lists.Cosine()
	err = c.Lists.Rest(ctx, c.IDs, asked, hidden, func(other int32, rest []float32) {
		if !among(other) {
			return
		}
		for q, a := range asked {
			if a == other || rest[q] != rest[q] {
				continue
			}
			for i := range best {
				cosine := vec.Dot(rows[i].Row(q), c.spaces[i].rows.Row(int(other)))
				best[i][q] = insert(best[i][q], scored{other, rest[q] + weight*min(max(cosine, -1), 1)}, k)
			}
		}
	})
	if err != nil {
		return found, fmt.Errorf("lists: %w", err)
	}
	for i := range best {
		for _, list := range best[i] {
			numbers := make([]int32, len(list))
			for j, s := range list {
				numbers[j] = s.artifact
			}
			found[i] = append(found[i], numbers)
		}
	}
	return found, nil
}

// scored is an artifact in a list, best first.
type scored struct {
	artifact int32
	score    float32
}

// insert puts s into a list of the k best.
func insert(list []scored, s scored, k int) []scored {
	better := func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.artifact, b.artifact))
	}
	at, _ := slices.BinarySearchFunc(list, s, better)
	if at >= k {
		return list
	}
	list = slices.Insert(list, at, s)
	return list[:min(len(list), k)]
}
