package main

import (
	"kilim/graphstore"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
)

// recompute computes all embeddings from the features and the list of the edges that are there, without any state: a mean
// is taken over the sources of a node's edges in float64.
func (s *stream) recompute() []float32 {
	h := s.x
	for l := range s.model.layers {
		h = s.wholeLayer(l, h)
	}
	var out []float32
	for _, v := range h {
		out = append(out, v...)
	}
	return out
}

func (s *stream) wholeLayer(l int, h [][]float32) [][]float32 {
	width := s.model.Width(l)
	sums, count := make([]float64, s.w.nodes*width), make([]int, s.w.nodes)
	for i := range s.edges {
		src, dst := s.w.src[i], int(s.w.dst[i])
		count[dst]++
		for j, x := range h[src] {
			sums[dst*width+j] += float64(x)
		}
	}
	in, slab := make([]infer.Input, s.w.nodes), make([]float32, s.w.nodes*width)
	for i := range in {
		in[i].Self = h[i]
		if count[i] == 0 {
			continue
		}
		mean := slab[i*width : (i+1)*width]
		for j := range mean {
			mean[j] = float32(sums[i*width+j] / float64(count[i]))
		}
		in[i].Messages = []infer.Message{{Relation: refresh.RelationIndex(graphstore.RelLink | graphstore.Inverse), Mean: mean}}
	}
	return s.model.Layer(l, in, 0)
}
