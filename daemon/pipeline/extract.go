package pipeline

import (
	"math"
	"slices"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/text"
	"kilim/rerank"
)

// extracted is what is made of an artifact before the graph is touched.
type extracted struct {
	doc      *text.Doc
	edges    []graphstore.EdgeSpec
	evidence *rerank.Evidence
	facts    []float32
}

// extract is a pure function of the artifact.
func extract(enc *text.Encoder, a *profile.Artifact) *extracted {
	x := &extracted{doc: enc.AnalyzeTexts(weave.Texts(a)), edges: weave.Edges(a), facts: facts.Of(a)}
	ev := &rerank.Evidence{ID: a.ID, Node: uint64(graphstore.ID(graphstore.Artifact, a.ID)), Begin: math.NaN(), End: math.NaN()}
	for _, e := range x.edges {
		id := uint64(graphstore.ID(e.Type, e.Key))
		switch e.Rel {
		case graphstore.RelMedia:
		case graphstore.RelLink:
			ev.Links = append(ev.Links, id)
		default:
			ev.Entities = append(ev.Entities, id)
		}
	}
	slices.Sort(ev.Links)
	ev.Links = slices.Compact(ev.Links)
	slices.Sort(ev.Entities)
	ev.Entities = slices.Compact(ev.Entities)
	for _, t := range x.doc.Words {
		ev.Words = append(ev.Words, rerank.Word{Bucket: t.Bucket, Count: t.Count})
	}
	ev.Words = rerank.MostFrequent(ev.Words)
	if d := a.Date; d != nil {
		if d.Begin != nil {
			ev.Begin = *d.Begin
		}
		if d.End != nil {
			ev.End = *d.End
		}
	}
	x.evidence = ev
	return x
}
