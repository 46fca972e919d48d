package moco

import (
	"math"

	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
)

// optimizer is AdamW over a model's weights, and the keys' encoder that follows
// them.
type optimizer struct {
	member     *par.Member
	params     []model.Param
	query, key *model.Weights
	m, v       []float32
	updates    []int32    // of each parameter: how many it has had
	adams      []vec.Adam // of each parameter, this step
	follow     float32    // by how much of the difference the key moves
	clip       float32    // what the gradient is multiplied by
	pieces     []piece
	squares    []float32 // of each piece's gradient
}

// piece is a part of a parameter, short enough that all of its numbers stay in
// the second cache from one operation to the next.
type piece struct{ parameter, from, to int }

const pieceSize = 8192

func newOptimizer(params []model.Param, query, key *model.Weights, momentum float64, member *par.Member) *optimizer {
	n := len(query.Data)
	o := &optimizer{
		member: member, params: params, query: query, key: key, follow: float32(1 - momentum),
		m: make([]float32, n), v: make([]float32, n),
		updates: make([]int32, len(params)), adams: make([]vec.Adam, len(params)),
	}
	for i, p := range params {
		end := p.From + p.Rows*p.Cols
		for from := p.From; from < end; from += pieceSize {
			o.pieces = append(o.pieces, piece{i, from, min(from+pieceSize, end)})
		}
	}
	o.squares = make([]float32, len(o.pieces))
	return o
}

// adamW is what the steps of all parameters have in common.
func adamW() vec.Adam { return vec.Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8} }

// step moves the weights at each parameter's rate: not at all, its moments neither,
// at 0. It returns the length of the gradient of the others, before it was
// clipped (0 clips nothing).
func (o *optimizer) step(rate func(parameter int) float64, decay, clip float64) float64 {
	for i, p := range o.params {
		adam := adamW()
		if adam.Rate = rate(i); adam.Rate != 0 {
			// Moments that begin later are corrected for that later.
			o.updates[i]++
		}
		adam.Step = int(o.updates[i])
		if p.Decay {
			adam.Decay = decay
		}
		o.adams[i] = adam
	}
	o.member.Run((*measuring)(o), len(o.pieces))
	total := 0.0
	for _, s := range o.squares {
		total += float64(s)
	}
	length := math.Sqrt(total)
	o.clip = 1
	if clip > 0 && length > clip {
		o.clip = float32(clip / length)
	}
	o.member.Run((*moving)(o), len(o.pieces))
	return length
}

// measuring is the task that finds the gradient's length.
type measuring optimizer

func (o *measuring) Part(i int, _ *par.Member) {
	p := o.pieces[i]
	g := o.query.Grad[p.from:p.to]
	if o.adams[p.parameter].Rate == 0 {
		clear(g)
	}
	o.squares[i] = vec.Dot(g, g)
}

// moving is the task that moves the weights.
type moving optimizer

func (o *moving) Part(i int, _ *par.Member) {
	p := o.pieces[i]
	x, g := o.query.Data[p.from:p.to], o.query.Grad[p.from:p.to]
	if o.clip != 1 {
		for j := range g {
			g[j] *= o.clip
		}
	}
	if adam := o.adams[p.parameter]; adam.Rate != 0 {
		adam.Update(x, g, o.m[p.from:p.to], o.v[p.from:p.to])
	}
	vec.Lerp(o.follow, x, o.key.Data[p.from:p.to])
}
