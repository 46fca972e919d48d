package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
	"kilim/learner/tensor/vec"
	"kilim/learner/train"
	"kilim/learner/train/eval"
)

// Benchmark is what models are compared on.
type Benchmark struct {
	Set *train.Set
	// IDs are those of the Set's artifacts, and Cultures the names of their cultures, empty where unknown.
	IDs, Cultures []string
	// HeldOut are artifacts that the candidate was not trained on, by number.
	HeldOut []int32
	// Links are pairs of artifacts whose link is not in the Set.
	Links [][2]int32
	// Themes and Expert may be nil.
	Themes, Expert *eval.Truth
	// Lists make of embeddings the list total; nil: total is not judged.
	Lists Lists
	Views train.Views
	Seed  uint64
}

// truths are what people say is alike, by the names of their tasks.
func (m Benchmark) truths() (out []namedTruth) {
	for _, truth := range []namedTruth{{"themes", m.Themes}, {"expert", m.Expert}} {
		if truth.of != nil {
			out = append(out, truth)
		}
	}
	return out
}

type namedTruth struct {
	name string
	of   *eval.Truth
}

// Model is a model with its weights.
type Model struct {
	Shape   *model.Model
	Weights *model.Weights
	// Set has the Benchmark's artifacts, by the same numbers, as other encoders show them to the model; nil: the Benchmark's own
	// Set shows them.
	Set *train.Set
}

// set is what the model reads, as deep and in the way in which it reads.
func (c Model) set(m Benchmark) *train.Set {
	set := m.Set
	if c.Set != nil {
		set = c.Set
	}
	return set.For(c.Shape.Config())
}

// views are the Benchmark's, as deep as the model reads.
func (c Model) views(m Benchmark) train.Views { return m.Views.WithDepth(c.depth()) }

func (c Model) depth() int { return c.Shape.Config().Layers }

// Row is one comparison.
type Row struct {
	Task      string        `json:"task"`
	Metric    string        `json:"metric"`
	Queries   int           `json:"queries"`
	Serving   float64       `json:"serving"`
	Candidate float64       `json:"candidate"`
	Gain      eval.Interval `json:"gain"` // candidate minus serving
	Verdict   string        `json:"verdict"`
}

// Table is the result of Compare.
type Table struct {
	Rows []Row `json:"rows"`
	// Published is what the candidate does to the list total; nil: not known.
	Published *Published `json:"published,omitempty"`
	// Promote is the decision, and Reason says what it rests on.
	Promote bool   `json:"promote"`
	Reason  string `json:"reason"`
	// Collapse is that of the candidate's embeddings of the held-out artifacts.
	Collapse train.Collapse `json:"collapse"`
}

const (
	batch = 256
	// minHeldOutOfCulture is how many held-out artifacts a culture must have to be compared by itself.
	minHeldOutOfCulture = 20
	// minQueries is how many queries a task must have: with fewer it says too little to decide anything.
	minQueries = 10
)

// Compare compares a candidate with the serving model. Each must have the shape of its Set.
func Compare(ctx context.Context, m Benchmark, serving, candidate Model, pool *par.Pool) (*Table, error) {
	t := &Table{}
	for _, task := range []func(context.Context, *Table, Benchmark, Model, Model, *par.Pool) error{halves, neighbours} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := task(ctx, t, m, serving, candidate, pool); err != nil {
			return nil, fmt.Errorf("gate: %w", err)
		}
	}
	t.decide()
	return t, nil
}

// Replace decides for a candidate that the user has asked for by other settings: it must be worse in nothing, and need not be better.
func (t *Table) Replace() {
	if t.decide(); !t.Promote && t.Reason == nothingBetter {
		t.Promote, t.Reason = true, "nothing is worse beyond noise"
	}
}

const nothingBetter = "nothing is better beyond noise"

// decide sets Promote and Reason by the verdicts of the rows.
func (t *Table) decide() {
	t.Promote = false
	var better, worse []string
	for _, r := range t.Rows {
		name := r.Task + " " + r.Metric
		switch r.Verdict {
		case eval.Better.String():
			better = append(better, name)
		case eval.Worse.String():
			worse = append(worse, name)
		}
	}
	switch {
	case len(worse) > 0:
		t.Reason = "worse beyond noise: " + strings.Join(worse, ", ")
	case len(better) == 0:
		t.Reason = nothingBetter
	default:
		t.Promote, t.Reason = true, "better beyond noise: "+strings.Join(better, ", ")+"; nothing is worse"
	}
}

// add compares two systems at a level by their value for each query.
func (t *Table) add(task, metric string, serving, candidate []float64, level float64, seed uint64) {
	if len(serving) < minQueries {
		return
	}
	gain, verdict := eval.PairedAt(serving, candidate, level, seed)
	t.Rows = append(t.Rows, Row{task, metric, len(serving), mean(serving), mean(candidate), gain, verdict.String()})
}

func mean(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s / float64(max(len(v), 1))
}

func halves(_ context.Context, t *Table, m Benchmark, serving, candidate Model, pool *par.Pool) error {
	ranks := func(c Model) ([]int, error) {
		return train.NewHalves(c.set(m), m.HeldOut, batch, c.views(m), m.Seed).Ranks(c.Shape, c.Weights, pool)
	}
	before, err := ranks(serving)
	if err != nil {
		return err
	}
	after, err := ranks(candidate)
	if err != nil {
		return err
	}
	reciprocal := func(rank int) float64 { return 1 / float64(rank) }
	in10 := func(rank int) float64 {
		if rank <= 10 {
			return 1
		}
		return 0
	}
	t.add("halves", "MRR", mapRanks(before, reciprocal), mapRanks(after, reciprocal), eval.Level, m.Seed)
	t.add("halves", "recall@10", mapRanks(before, in10), mapRanks(after, in10), eval.Level, m.Seed)
	byCulture := map[string][2][]int{}
	for i, a := range m.HeldOut {
		if c := m.Cultures[a]; c != "" {
			pair := byCulture[c]
			byCulture[c] = [2][]int{append(pair[0], before[i]), append(pair[1], after[i])}
		}
	}
	var enough []string
	for c, pair := range byCulture {
		if len(pair[0]) >= minHeldOutOfCulture {
			enough = append(enough, c)
		}
	}
	slices.Sort(enough)
	for _, c := range enough {
		level := 1 - (1-eval.Level)/float64(len(enough))
		t.add("halves of "+c, "MRR", mapRanks(byCulture[c][0], reciprocal), mapRanks(byCulture[c][1], reciprocal), level, m.Seed)
	}
	return nil
}

func mapRanks(ranks []int, value func(int) float64) []float64 {
	out := make([]float64, len(ranks))
	for i, r := range ranks {
		out[i] = value(r)
	}
	return out
}

// neighbours has the tasks that rank whole artifacts.
func neighbours(ctx context.Context, t *Table, m Benchmark, serving, candidate Model, pool *par.Pool) error {
	before, err := newEmbeddings(m, serving, pool)
	if err != nil {
		return err
	}
	after, err := newEmbeddings(m, candidate, pool)
	if err != nil {
		return err
	}
	t.Collapse = train.MeasureCollapse(after.sample(m.HeldOut))
	if err := origins(ctx, t, m, serving, candidate, [2]*embeddings{before, after}, pool); err != nil {
		return err
	}
	if err := t.retrieval(ctx, "links", linkQueries(m), before, after, nil, m.Seed); err != nil {
		return err
	}
	for _, truth := range m.truths() {
		queries, err := truth.of.Queries("general", m.Seed)
		if errors.Is(err, eval.ErrNoQueries) {
			continue
		}
		if err != nil {
			return err
		}
		if err := t.retrieval(ctx, truth.name, queries, before, after, truth.of.Candidates(), m.Seed); err != nil {
			return err
		}
	}
	c := &contest{m, [2]Model{serving, candidate}, [2]*embeddings{before, after}, pool}
	return c.total(ctx, t)
}

// linkQueries ask for each end of a link by the other.
func linkQueries(m Benchmark) (queries []eval.Query) {
	for _, l := range m.Links {
		for _, way := range [][2]int32{l, {l[1], l[0]}} {
			queries = append(queries, eval.Query{ID: m.IDs[way[0]], Relevant: map[string]float64{m.IDs[way[1]]: 1}})
		}
	}
	return queries
}

func (t *Table) retrieval(ctx context.Context, task string, queries []eval.Query, before, after *embeddings, among []string, seed uint64) error {
	allowed := before.numbers(among)
	values := [2][][]float64{}
	for i := range values {
		values[i] = make([][]float64, len(eval.Names()))
	}
	for _, q := range queries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, ok := before.number[q.ID]; !ok {
			continue
		}
		for i, s := range []*embeddings{before, after} {
			for j, v := range eval.Measure(q, s.nearest(q.ID, eval.Depth, allowed)).Values() {
				values[i][j] = append(values[i][j], v)
			}
		}
	}
	for j, name := range eval.Names() {
		t.add(task, name, values[0][j], values[1][j], eval.Level, seed)
	}
	return nil
}

// embeddings has all artifacts as one model embeds them.
type embeddings struct {
	ids    []string
	number map[string]int
	rows   tape.Matrix
}

func newEmbeddings(m Benchmark, c Model, pool *par.Pool) (*embeddings, error) {
	all, err := train.Embed(c.set(m), c.Shape, c.Weights, pool)
	if err != nil {
		return nil, err
	}
	artifacts := c.set(m).Artifacts()
	s := &embeddings{ids: m.IDs, number: make(map[string]int, len(artifacts)), rows: tape.Constant(len(artifacts), all.Cols, make([]float32, len(artifacts)*all.Cols))}
	for i, a := range artifacts {
		copy(s.rows.Row(i), all.Row(int(a.Node)))
		s.number[m.IDs[i]] = i
	}
	return s, nil
}

func (s *embeddings) sample(artifacts []int32) tape.Matrix {
	out := tape.Constant(len(artifacts), s.rows.Cols, make([]float32, len(artifacts)*s.rows.Cols))
	for i, a := range artifacts {
		copy(out.Row(i), s.rows.Row(int(a)))
	}
	return out
}

// numbers returns the numbers of ids; nil for nil.
func (s *embeddings) numbers(ids []string) []int {
	var out []int
	for _, id := range ids {
		if n, ok := s.number[id]; ok {
			out = append(out, n)
		}
	}
	return out
}

// nearest returns the k artifacts with the highest cosine among some (nil: all), ties by id.
func (s *embeddings) nearest(id string, k int, among []int) []string {
	self := s.number[id]
	query := s.rows.Row(self)
	type hit struct {
		number int
		cosine float32
	}
	var hits []hit
	score := func(i int) {
		if i != self {
			hits = append(hits, hit{i, vec.Dot(query, s.rows.Row(i))})
		}
	}
	if among == nil {
		for i := range s.ids {
			score(i)
		}
	}
	for _, i := range among {
		score(i)
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.cosine, a.cosine), strings.Compare(s.ids[a.number], s.ids[b.number]))
	})
	out := make([]string, min(k, len(hits)))
	for i := range out {
		out[i] = s.ids[hits[i].number]
	}
	return out
}

// Print writes the Table for people.
func (t *Table) Print(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "task\tmetric\tqueries\tserving\tcandidate\tgain\t\t")
	for _, r := range t.Rows {
		fmt.Fprintf(out, "%s\t%s\t%d\t%.4f\t%.4f\t%+.4f\t(%+.4f..%+.4f)\t%s\n", r.Task, r.Metric, r.Queries, r.Serving, r.Candidate, r.Gain.Mean, r.Gain.Low, r.Gain.High, r.Verdict)
	}
	if p := t.Published; p != nil {
		fmt.Fprintf(out, "lists total of %d held-out artifacts: %.0f%% of the first %d stay, the first of all in %.0f%%\n", p.Lists, 100*p.Kept, published, 100*p.First)
	}
	decision := "rejected"
	if t.Promote {
		decision = "promoted"
	}
	fmt.Fprintf(out, "%s: %s\n", decision, t.Reason)
	return out.Flush()
}
