package moco

import (
	"math"

	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
)

// optimizer is AdamW (vec.Adam) over a model's weights, with the key encoder that follows them.
type optimizer struct {
	worker     *par.Worker
	params     []model.Param
	query, key *model.Weights
	m, v       []float32
	updates    []int32    // [parameter] how many steps have moved it
	adams      []vec.Adam // [parameter] of this step
	keyRate    float32    // share of its distance to the query encoder that the key encoder moves
	clip       float32    // what the gradient is multiplied by
	chunks     []chunk
	squares    []float32 // [chunk] of the gradient
}

// chunk is a part of a parameter, short enough that its numbers stay in the second cache from one operation to the
// next.
type chunk struct{ parameter, from, to int }

const chunkSize = 8192

func newOptimizer(params []model.Param, query, key *model.Weights, momentum float64, worker *par.Worker) *optimizer {
	n := len(query.Data)
	o := &optimizer{
		worker: worker, params: params, query: query, key: key, keyRate: float32(1 - momentum),
		m: make([]float32, n), v: make([]float32, n),
		updates: make([]int32, len(params)), adams: make([]vec.Adam, len(params)),
	}
	for i, p := range params {
		end := p.Offset + p.Rows*p.Cols
		for from := p.Offset; from < end; from += chunkSize {
			o.chunks = append(o.chunks, chunk{i, from, min(from+chunkSize, end)})
		}
	}
	o.squares = make([]float32, len(o.chunks))
	return o
}

// adamW has the settings that all parameters share.
func adamW() vec.Adam { return vec.Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8} }

// step moves each parameter by its rate; at rate 0 neither the parameter nor its moments change. It returns the length
// of the gradient of the others, before it is clipped (clip 0: it isn't).
func (o *optimizer) step(rate func(parameter int) float64, decay, clip float64) float64 {
	for i, p := range o.params {
		adam := adamW()
		if adam.Rate = rate(i); adam.Rate != 0 {
			// The bias correction of AdamW counts a parameter's own updates, as its moments may begin later than
			// others'.
			o.updates[i]++
		}
		adam.Step = int(o.updates[i])
		if p.Decay {
			adam.Decay = decay
		}
		o.adams[i] = adam
	}
	o.worker.Run((*gradientTask)(o), len(o.chunks))
	total := 0.0
	for _, s := range o.squares {
		total += float64(s)
	}
	length := math.Sqrt(total)
	o.clip = 1
	if clip > 0 && length > clip {
		o.clip = float32(clip / length)
	}
	o.worker.Run((*updateTask)(o), len(o.chunks))
	return length
}

// gradientTask is the par.Task that sums the squares of the gradient.
type gradientTask optimizer

func (o *gradientTask) Part(i int, _ *par.Worker) {
	p := o.chunks[i]
	g := o.query.Grad[p.from:p.to]
	if o.adams[p.parameter].Rate == 0 {
		clear(g)
	}
	o.squares[i] = vec.Dot(g, g)
}

// updateTask is the par.Task that moves the weights and the key encoder.
type updateTask optimizer

func (o *updateTask) Part(i int, _ *par.Worker) {
	p := o.chunks[i]
	x, g := o.query.Data[p.from:p.to], o.query.Grad[p.from:p.to]
	if o.clip != 1 {
		for j := range g {
			g[j] *= o.clip
		}
	}
	if adam := o.adams[p.parameter]; adam.Rate != 0 {
		adam.Update(x, g, o.m[p.from:p.to], o.v[p.from:p.to])
	}
	vec.Lerp(o.keyRate, x, o.key.Data[p.from:p.to])
}
