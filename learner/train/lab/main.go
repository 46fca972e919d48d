package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/learner/encode/audio"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/feature"
	"kilim/learner/encode/image"
	"kilim/learner/encode/text"
	"kilim/learner/model"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
	"kilim/learner/train"
	"kilim/learner/train/eval"
)

type options struct {
	feed                      string
	demo, test, least, seeds  int
	threads, steps            int
	fusion, residual, without string
	stages                    string
	layers                    int
	views                     string
	hard, momentum, tau       float64
	quiet, bm25, together     bool
	text, every, width, rare  int
	prototypes                float64
}

func main() {
	var o options
	flag.StringVar(&o.feed, "feed", "", "`file` of records, JSON Lines, plain or gzip; empty: the demo archive")
	flag.IntVar(&o.demo, "demo", 3000, "artifacts of the demo archive")
	flag.IntVar(&o.test, "test", 2000, "artifacts to set aside, at most a third")
	flag.IntVar(&o.least, "least", 10, "records that a culture has at least")
	flag.IntVar(&o.seeds, "seeds", 3, "runs, each with a seed of its own")
	flag.IntVar(&o.threads, "threads", 2, "threads of a run")
	flag.BoolVar(&o.together, "together", false, "train all runs at the same time")
	flag.IntVar(&o.steps, "steps", 0, "steps of a run, over all stages, whose steps are its parts then; 0: as the stages say")
	flag.IntVar(&o.layers, "layers", 2, "layers")
	flag.StringVar(&o.fusion, "fusion", model.FusionAttention, "attention, mlp or transformer")
	flag.StringVar(&o.residual, "residual", model.ResidualSum, "sum or concat")
	flag.StringVar(&o.without, "without", "", "list of what is left out: graph, image, audio, hard (negatives), links, rare, prototypes, bare (views)")
	flag.StringVar(&o.stages, "stages", "", "list of stages, each NAME:STEPS:RATE; empty: the usual ones")
	flag.StringVar(&o.views, "views", "", "half,bare,field drop,modality drop,feature mask,link,rare; empty: the usual ones")
	flag.Float64Var(&o.hard, "hard", -1, "weight of hard negatives; below 0: the usual one")
	flag.Float64Var(&o.momentum, "momentum", 0, "of the key encoder; 0: the usual one")
	flag.Float64Var(&o.prototypes, "prototypes", -1, "weight of the cultures' prototypes; below 0: the usual one")
	flag.Float64Var(&o.tau, "temperature", 0, "at the beginning; 0: the usual one")
	flag.IntVar(&o.text, "text", 2048, "length of the text features")
	flag.IntVar(&o.width, "width", 256, "of the branches and the embedding")
	flag.IntVar(&o.rare, "rare", 10, "artifacts that share a rare entity, at most")
	flag.IntVar(&o.every, "every", 100, "steps between two judgements")
	flag.BoolVar(&o.bm25, "bm25", true, "rank by BM25 too, which takes minutes")
	flag.BoolVar(&o.quiet, "quiet", false, "don't print judgements")
	var ablate bool
	flag.BoolVar(&ablate, "ablations", false, "train without each part in turn, and in other ways, and print one table")
	flag.Parse()
	run := o.run
	if ablate {
		run = o.ablations
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

func (o *options) leaves(what string) bool { return slices.Contains(list(o.without), what) }

// config is the training's.
func (o *options) config(seed uint64) (train.Config, error) {
	c := train.Defaults(o.layers)
	c.Seed, c.Every = seed, o.every
	if o.stages != "" {
		var err error
		if c.Stages, err = train.ParseStages(list(o.stages)); err != nil {
			return c, err
		}
	}
	if o.steps > 0 {
		total := 0
		for _, s := range c.Stages {
			total += s.Steps
		}
		for i := range c.Stages {
			c.Stages[i].Steps = max(c.Stages[i].Steps*o.steps/total, 1)
		}
	}
	if o.views != "" {
		v := &c.Views
		if _, err := fmt.Sscanf(o.views, "%f,%f,%f,%f,%f,%f,%f", &v.Half, &v.Bare, &v.FieldDrop, &v.ModalityDrop, &v.FeatureMask, &v.Link, &v.Rare); err != nil {
			return c, fmt.Errorf("views %q: %w", o.views, err)
		}
	}
	if o.prototypes >= 0 {
		c.MoCo.Prototypes.Weight = o.prototypes
	}
	if o.hard >= 0 {
		c.Negatives.Hard = o.hard
	}
	if o.momentum > 0 {
		c.MoCo.Momentum = o.momentum
	}
	if o.tau > 0 {
		c.MoCo.Temperature = o.tau
	}
	if o.leaves("hard") {
		c.Negatives = train.Negatives{Hard: 1}
	}
	if o.leaves("links") {
		c.Views.Link = 0
	}
	if o.leaves("prototypes") {
		c.MoCo.Prototypes.Weight = 0
	}
	if o.leaves("bare") {
		c.Views.Bare = 0
	}
	if o.leaves("rare") {
		c.Views.Rare = 0
	}
	return c, nil
}

func (o *options) run() error {
	c, err := read(o.feed, o.demo)
	if err != nil {
		return err
	}
	k, err := o.compared(c)
	if err != nil {
		return err
	}
	k.report()
	return nil
}

// comparison is what each has found.
type comparison struct {
	tfidf, bm25, raw, before []result
	runs                     [][]result // of each seed
}

func (o *options) compared(c *corpus) (*comparison, error) {
	enc, err := text.NewEncoder(text.Config{Dim: o.text, Seed: 1})
	if err != nil {
		return nil, err
	}
	served := infer.Config{Text: enc.Dim(), Facts: facts.Dim, Width: o.width, Bases: 4, Heads: 4, Relations: refresh.Relations, Types: refresh.Relations / 2, Seed: 1}
	if !o.leaves("image") && slices.ContainsFunc(c.records, func(r record) bool { return r.image != nil }) {
		served.Image = image.Dim
	}
	if !o.leaves("audio") && slices.ContainsFunc(c.records, func(r record) bool { return r.audio != nil }) {
		served.Audio = audio.Dim
	}
	shape := served.Shape()
	shape.Fusion, shape.Residual, shape.Layers = o.fusion, o.residual, o.layers
	a := &archive{corpus: c, enc: enc, table: text.NewTable(), shape: shape, noGraph: o.leaves("graph"), rare: o.rare}
	for _, r := range c.records {
		var texts []string
		for _, p := range r.pieces {
			texts = append(texts, c.pieces[p].text)
		}
		a.table.Add(enc.Analyze(texts...), 1)
	}
	order := rand.New(rand.NewPCG(1, 0x1ab)).Perm(len(c.records))
	// Those with a culture first: they are what is asked.
	slices.SortStableFunc(order, func(x, y int) int { return b2i(c.records[x].culture == "") - b2i(c.records[y].culture == "") })
	withCulture := 0
	for _, r := range c.records {
		withCulture += b2i(r.culture != "")
	}
	n := min(o.test, len(order)/3, max(withCulture/2, 1))
	test, rest := order[:n], order[n:]
	fmt.Printf("%d records, %d set aside; model of %v, %s, %s, %d layers; without %q\n", len(c.records), n, shape.Modalities, o.fusion, o.residual, o.layers, o.without)
	return o.compare(a, served, test, rest)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (o *options) compare(a *archive, served infer.Config, test, rest []int) (*comparison, error) {
	h, err := a.half(test, 1)
	if err != nil {
		return nil, err
	}
	v, err := a.votes(test, o.least)
	if err != nil {
		return nil, err
	}
	tfidf := append(h.measure(func(i int) []float32 { return h.baseline.cosines(h.query[i]) }),
		v.measure(func(i int, _ labels) []float32 { return v.baseline.cosines(v.texts[i]) })...)
	var bm25 []result
	if o.bm25 {
		bm25 = o.rankings(h, v)
	}
	team, err := par.New(o.threads)
	if err != nil {
		return nil, err
	}
	defer team.Close()
	m, err := model.New(a.shape)
	if err != nil {
		return nil, err
	}
	weights := func(data []float32) (*model.Weights, error) { return m.Weights(data, make([]float32, len(data))) }
	embedded := func(data []float32) ([]result, error) {
		w, err := m.Weights(data, nil)
		if err != nil {
			return nil, err
		}
		embed := func(s *train.Set) (tape.Matrix, error) { return train.Embed(s, m, w, team) }
		z, err := embed(h.set)
		if err != nil {
			return nil, err
		}
		out := h.embedded(z)
		if z, err = embed(v.set); err != nil {
			return nil, err
		}
		return append(out, v.embedded(z)...), nil
	}
	start := infer.SeededWeights(served, m)
	before, err := embedded(start)
	if err != nil {
		return nil, err
	}
	raw, err := features(a, h, v)
	if err != nil {
		return nil, err
	}
	trained := make([][]float32, o.seeds)
	var group errgroup.Group
	if !o.together {
		group.SetLimit(1)
	}
	for seed := range o.seeds {
		group.Go(func() (err error) {
			trained[seed], err = o.train(a, m, weights, start, rest, uint64(seed+1))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var runs [][]result
	for _, data := range trained {
		r, err := embedded(data)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return &comparison{tfidf, bm25, raw, before, runs}, nil
}

// features are what the model gets to read of a record: the cosines of these rows themselves.
func features(a *archive, h *half, v *votes) ([]result, error) {
	rows := func(s *train.Set) (tape.Matrix, error) {
		all, block, err := s.Whole()
		if err != nil {
			return tape.Matrix{}, err
		}
		records, place := all[0], block.Rows[0]
		z := tape.Constant(s.Nodes(), a.enc.Dim(), make([]float32, s.Nodes()*a.enc.Dim()))
		for i := range s.Nodes() {
			if at := place.Start[i]; at < place.Start[i+1] {
				copy(z.Row(i), records.Row(int(place.Source[at]))[:a.enc.Dim()])
				feature.Scale(z.Row(i), 1)
			}
		}
		return z, nil
	}
	z, err := rows(h.set)
	if err != nil {
		return nil, err
	}
	out := h.embedded(z)
	if z, err = rows(v.set); err != nil {
		return nil, err
	}
	return append(out, v.embedded(z)...), nil
}

// rankings are BM25's.
func (o *options) rankings(h *half, v *votes) []result {
	all := func(int) bool { return true }
	return append(h.measure(func(i int) []float32 { return h.baseline.bm25Scores(h.query[i], 1000, all) }),
		v.measure(func(i int, l labels) []float32 {
			return v.baseline.bm25Scores(v.texts[i], neighbours, func(d int) bool { return v.visible[d] && l.of[d] != "" })
		})...)
}

func (o *options) train(a *archive, m *model.Model, weights func([]float32) (*model.Weights, error), start []float32, rest []int, seed uint64) ([]float32, error) {
	cfg, err := o.config(seed)
	if err != nil {
		return nil, err
	}
	team, err := par.New(o.threads)
	if err != nil {
		return nil, err
	}
	defer team.Close()
	var docs []doc
	for _, i := range rest {
		docs = append(docs, doc{record: i, pieces: a.corpus.records[i].pieces})
	}
	set, _, err := a.set(docs)
	if err != nil {
		return nil, err
	}
	w, err := weights(slices.Clone(start))
	if err != nil {
		return nil, err
	}
	t, err := train.New(cfg, set, m, w, team)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	err = t.Run(context.Background(), func(p train.Progress) error {
		if p.Judged && !o.quiet {
			fmt.Printf("  seed %d step %d/%d %s: loss %.3f, temperature %.3f, gradient %.2f, rate %.2g; held out MRR %.3f, rank %.1f, uniformity %.2f\n",
				seed, p.Step, p.Steps, p.Stage, p.Loss, p.Temperature, p.GradientNorm, p.Rate, p.Judgement.MRR, p.Judgement.Collapse.Rank, p.Judgement.Collapse.Uniformity)
		}
		return nil
	})
	best, j := t.Best()
	fmt.Printf("seed %d: %d steps in %.0f s; held out MRR from %.3f to %.3f at step %d\n", seed, t.Steps(), time.Since(began).Seconds(), t.Judgements()[0].MRR, j.MRR, j.Step)
	return best, err
}

func (c *comparison) report() {
	after := mean(c.runs)
	fmt.Println("\n| task | metric | queries | words tf-idf | BM25 | features | untrained | trained | trained, seeds | than untrained | than tf-idf |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|")
	for k, r := range after {
		low, high := spread(c.runs, k)
		ranked := "-"
		if c.bm25 != nil {
			ranked = shown(c.bm25[k])
		}
		fmt.Printf("| %s | %s | %d | %s | %s | %s | %s | %s | %.3f..%.3f | %s | %s |\n", r.task, r.metric, len(r.values),
			shown(c.tfidf[k]), ranked, shown(c.raw[k]), shown(c.before[k]), shown(r), low, high, verdict(c.before[k], r), verdict(c.tfidf[k], r))
	}
}

func shown(r result) string {
	if len(r.values) == 1 {
		return fmt.Sprintf("%.3f", r.values[0])
	}
	i := eval.Bootstrap(r.values, 1)
	return fmt.Sprintf("%.3f (%.3f..%.3f)", i.Mean, i.Low, i.High)
}

func verdict(than, r result) string {
	var gain eval.Interval
	if r.votes != nil {
		gain = pairedF1(than, r)
	} else {
		gain, _ = eval.Paired(than.values, r.values, 1)
	}
	return fmt.Sprintf("%s %+.3f", gain.Verdict(), gain.Mean)
}
