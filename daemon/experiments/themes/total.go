package main

import (
	"context"
	"fmt"
	"math"

	"kilim/consumer/profile"
	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/vocabulary"
	"kilim/learner/encode"
	"kilim/learner/tensor/vec"
	"kilim/rerank"
)

// evidence scores works as the list total does while no order was learned: by stated weights, and embeddings of the untrained model.
type evidence struct {
	scorer   *rerank.Scorer
	prepared []*rerank.Prepared
	vectors  [][]float32
}

// entities are how many works have each; with the words that are counted they are rerank.Weights, as package topk weighs.
type entities struct {
	works int
	df    map[uint64]int
	v     *vocabulary.Vocabulary
}

func (e *entities) EntityIDF(node uint64) float32 {
	return float32(math.Log((1+float64(e.works))/(1+float64(e.df[node]))) + 1)
}

func (e *entities) WordIDF(bucket uint32) float32 { return e.v.Table.IDF(bucket) }

// evidenceOf is that of the works at places, by the frequencies of all.
func (a *archive) evidenceOf(ctx context.Context, places []int, threads int) (*evidence, error) {
	cfg, _ := pipeline.Sizes(encode.Encoders{})
	v, err := vocabulary.New(cfg, false)
	if err != nil {
		return nil, err
	}
	e := &evidence{}
	if e.scorer, err = rerank.NewScorer(rerank.DefaultScoreWeights()); err != nil {
		return nil, err
	}
	counted := &entities{works: len(a.docs), df: map[uint64]int{}, v: v}
	all := make([]*rerank.Evidence, len(a.docs))
	for i, doc := range a.docs {
		artifact, err := profile.Parse(doc.Raw, "", profile.DefaultLimits())
		if err != nil {
			return nil, fmt.Errorf("work %s: %w", doc.ID, err)
		}
		x := v.Extract(artifact)
		v.Count(x, 1)
		for _, node := range x.Evidence.Entities {
			counted.df[node]++
		}
		all[i] = x.Evidence
	}
	vectors, err := a.embeddings(ctx, threads)
	if err != nil {
		return nil, err
	}
	for _, i := range places {
		e.prepared = append(e.prepared, rerank.Prepare(all[i], counted))
		e.vectors = append(e.vectors, vectors[a.docs[i].ID])
	}
	return e, nil
}

// scores are those of all works, when one of them asks, and the cosines of the embeddings, by which the list general is ordered.
func (e *evidence) scores(query int) (total, general []float64) {
	var c rerank.Comparison
	c.Begin(e.scorer, e.prepared[query])
	for i, p := range e.prepared {
		cosine := vec.Dot(e.vectors[query], e.vectors[i])
		score, _ := c.Score(p, cosine)
		total, general = append(total, float64(score)), append(general, float64(cosine))
	}
	return total, general
}
