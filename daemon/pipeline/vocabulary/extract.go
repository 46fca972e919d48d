package vocabulary

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

// Extracted is what a record tells, before the graph is touched.
type Extracted struct {
	Doc      *text.Doc
	Edges    []graphstore.EdgeSpec
	Evidence *rerank.Evidence
	Facts    []float32
}

// Extract is a pure function of the artifact.
func (v *Vocabulary) Extract(a *profile.Artifact) *Extracted {
	x := &Extracted{Doc: v.Analyzer.AnalyzeTexts(weave.Texts(a)), Edges: weave.Edges(a), Facts: facts.Of(a)}
	ev := &rerank.Evidence{ID: a.ID, Node: uint64(graphstore.ID(graphstore.Artifact, a.ID)), Begin: math.NaN(), End: math.NaN()}
	for _, e := range x.Edges {
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
	for _, t := range x.Doc.Words {
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
	x.Evidence = ev
	return x
}
