package main

import (
	"fmt"
	"math"
	"slices"

	"kilim/consumer/profile"
	"kilim/daemon/experiments/feedfile"
	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/vocabulary"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode"
	"kilim/learner/encode/text"
	"kilim/learner/model"
	"kilim/learner/model/infer"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
	"kilim/learner/train"
	"kilim/learner/train/dataset"
	"kilim/learner/train/eval"
	"kilim/rerank"
	"kilim/rerank/rank/pair"
)

// archive is a feed as stage 2 sees it.
type archive struct {
	ids      []string
	raw      [][]byte // the documents, without inventory numbers
	at       map[string]int
	links    map[int][]int
	prepared []*rerank.Prepared
	facts    []*pair.Weighed
	vectors  [][]float32
	bm25     *eval.Stored
	scorer   *rerank.Scorer
	evidence []*rerank.Evidence
	words    *text.Table
	// byEntity and byWord are who has each, with its weight there: all words of an artifact make a vector of length 1, and all entities do.
	byEntity map[uint64][]posting
	byWord   map[uint32][]posting
}

type posting struct {
	artifact int32
	weight   float32
}

// EntityIDF and WordIDF make an archive rerank.Weights, as package topk weighs.
func (a *archive) EntityIDF(node uint64) float32 {
	return float32(math.Log((1+float64(len(a.ids)))/(1+float64(len(a.byEntity[node])))) + 1)
}

func (a *archive) WordIDF(bucket uint32) float32 { return a.words.IDF(bucket) }

func readArchive(feed string, count, threads int) (*archive, error) {
	records, err := feedfile.Read(feed, count)
	if err != nil {
		return nil, err
	}
	textCfg, modelCfg := pipeline.Sizes(encode.Encoders{})
	v, err := vocabulary.New(textCfg, false)
	if err != nil {
		return nil, err
	}
	a := &archive{at: map[string]int{}, bm25: eval.NewStored(), byEntity: map[uint64][]posting{}, byWord: map[uint32][]posting{}, words: v.Table}
	if a.scorer, err = rerank.NewScorer(rerank.DefaultScoreWeights()); err != nil {
		return nil, err
	}
	memory, counts := dataset.NewMemory(), pair.NewFrequencies()
	reader := pair.NewReader(v.Analyzer)
	var shown []dataset.Record
	var numbers, texts []string
	var themes []map[string][]string
	var facts []*pair.Facts
	for i := range records {
		artifact, err := profile.Parse(records[i].Line, "", profile.DefaultLimits())
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", feed, i+1, err)
		}
		numbers, texts, themes = append(numbers, numberOf(artifact)), append(texts, artifact.Title+" "+artifact.Description), append(themes, artifact.Theme)
		artifact.Title, artifact.Description = masked(artifact.Title), masked(artifact.Description)
		a.ids = append(a.ids, artifact.ID)
		a.at[artifact.ID] = i
		raw, err := maskedRecord(records[i].Line)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", feed, i+1, err)
		}
		a.raw = append(a.raw, raw)
		shown = append(shown, dataset.RecordOf(artifact, dataset.Vectors{}))
		if err := memory.Put(&graphstore.Doc{ID: artifact.ID, Raw: records[i].Line}, dataset.Vectors{}); err != nil {
			return nil, err
		}
		x := v.Extract(artifact)
		v.Count(x, 1)
		a.add(x)
		f := reader.Read(artifact, weave.Title(artifact), text.Text{Body: artifact.Description, Language: artifact.Language})
		counts.Add(f)
		facts = append(facts, f)
	}
	if a.links = links(numbers, texts); len(a.links) == 0 {
		a.links = alike(themes)
	}
	a.weigh()
	for i := range facts {
		a.facts = append(a.facts, counts.Weigh(facts[i]))
		a.prepared = append(a.prepared, rerank.Prepare(a.evidence[i], a))
	}
	a.vectors, err = embed(modelCfg, v, memory, shown, threads)
	return a, err
}

func (a *archive) add(x *vocabulary.Extracted) {
	for _, e := range x.Evidence.Entities {
		a.byEntity[e] = append(a.byEntity[e], posting{artifact: int32(len(a.evidence))})
	}
	for _, w := range x.Evidence.Words {
		a.byWord[w.Bucket] = append(a.byWord[w.Bucket], posting{int32(len(a.evidence)), float32(1 + math.Log(float64(w.Count)))})
	}
	a.evidence = append(a.evidence, x.Evidence)
	var terms []eval.Term
	for _, t := range x.Doc.Words {
		terms = append(terms, eval.Term{Word: t.Bucket, Count: int(t.Count)})
	}
	a.bm25.Add(x.Evidence.ID, terms)
}

// weigh gives postings their weights when all artifacts are there.
func (a *archive) weigh() {
	for node, list := range a.byEntity {
		for i := range list {
			list[i].weight = a.EntityIDF(node)
		}
	}
	for bucket, list := range a.byWord {
		for i := range list {
			list[i].weight *= a.WordIDF(bucket)
		}
	}
	normalize(len(a.ids), a.byEntity)
	normalize(len(a.ids), a.byWord)
}

func normalize[T comparable](artifacts int, postings map[T][]posting) {
	squares := make([]float64, artifacts)
	for _, list := range postings {
		for _, p := range list {
			squares[p.artifact] += float64(p.weight) * float64(p.weight)
		}
	}
	for _, list := range postings {
		for i := range list {
			list[i].weight /= float32(math.Sqrt(squares[list[i].artifact]))
		}
	}
}

// embed computes the embeddings of the model that a new state begins with.
func embed(cfg infer.Config, v *vocabulary.Vocabulary, memory *dataset.Memory, shown []dataset.Record, threads int) ([][]float32, error) {
	shape := cfg.Shape()
	b, err := dataset.NewBuilder(dataset.Config{Words: v.Analyzer, Shape: shape, MaxRareMembers: dataset.MaxRareMembers}, v.Table.IDF, memory)
	if err != nil {
		return nil, err
	}
	var nodes []int32
	for _, r := range shown {
		node, err := b.Add(r)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
	d, err := b.Build()
	if err != nil {
		return nil, err
	}
	m, err := model.New(shape)
	if err != nil {
		return nil, err
	}
	pool, err := par.New(threads)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	w, err := m.Weights(infer.SeededWeights(cfg, m), nil)
	if err != nil {
		return nil, err
	}
	z, err := train.Embed(d.Set, m, w, pool)
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(nodes))
	for i, node := range nodes {
		out[i] = slices.Clone(z.Row(int(node)))
	}
	return out, nil
}

// scored are some candidates of an artifact by the stated weights.
func (a *archive) scored(query int, others []int32) []pair.Candidate {
	var c rerank.Comparison
	c.Begin(a.scorer, a.prepared[query])
	out := make([]pair.Candidate, len(others))
	for i, o := range others {
		score, parts := c.Score(a.prepared[o], vec.Dot(a.vectors[query], a.vectors[o]))
		out[i] = pair.Candidate{Weighed: a.facts[o], Parts: parts, Score: score}
	}
	return out
}
