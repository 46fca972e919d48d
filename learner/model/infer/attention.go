package infer

import (
	"math"

	"kilim/learner/tensor/attend"
)

// attention are the vectors by which a layer weights neighbours and relations (package attend), a row for each relation, with the
// lengths of the rows.
type attention struct {
	neighbour, relation, reader vectors
}

type vectors struct {
	matrix
	// lipschitz bounds, for each row, what a score changes by for each unit of length by which what is scored changes.
	lipschitz []float64
}

func (r *reader) attention(name string) *attention {
	read := func(what string) vectors {
		v := vectors{matrix: r.matrix(name + ".attention." + what)}
		for i := range v.rows {
			v.lipschitz = append(v.lipschitz, length(v.row(i))/math.Sqrt(float64(v.cols)))
		}
		return v
	}
	return &attention{neighbour: read("neighbour"), relation: read("relation"), reader: read("reader")}
}

// What a node gives to those who read it over a relation is, with mean aggregation, its vector. With attention it has, for each block h of
// that, by the weight w of h in the relation:
//
//	w h, w d where the vector says how far h may be off, w, w |h|^2 / Width
//
// so that a mean of what neighbours give tells the weighted means of h, of d and of the square of h's length: sums of what nodes give are all
// that package refresh keeps.

// MessageWidth is the length of a block of what nodes Give, and of a Message.
func (m *Model) MessageWidth(layer int) int {
	if m.attends {
		return m.Width(layer) + 2
	}
	return m.Width(layer)
}

// Give returns what a node with a vector v, which layer l reads, gives to those who read it over a relation. It has the same bits on
// every processor, so that it can be taken from a sum to which another one has added it.
func (m *Model) Give(l, relation int, v []float32) []float32 {
	if !m.attends {
		return v
	}
	mustBelow("relation", relation, m.cfg.Relations)
	w, width, gives := m.cfg.Width, m.Width(l), m.MessageWidth(l)
	out := make([]float32, len(v)/width*gives)
	for mode := range len(v) / width {
		h, off := m.blockOf(v, mode, width)
		if h == nil || m.branches[mode] == nil {
			continue
		}
		by := m.branches[mode].layers[l].attention.neighbour.row(relation)
		weight := float32(attend.Weight(attend.Clip(attend.Dot(by, h))))
		to := out[mode*gives : (mode+1)*gives]
		for k, x := range h {
			to[k] = weight * x
		}
		if width > w {
			to[w] = weight * float32(off)
		}
		to[width], to[width+1] = weight, weight*float32(attend.Dot(h, h)/math.Sqrt(float64(w)))
	}
	return out
}

// read takes the messages of a job's block. off is what the vectors behind them may be off by.
func (j *job) read(m *Model, l, mode int, messages []Message, off float32) {
	width := m.MessageWidth(l)
	for _, msg := range messages {
		b, told := m.blockOf(msg.Mean, mode, width)
		if b == nil {
			continue
		}
		j.messages = append(j.messages, Message{msg.Relation, b})
		if m.attends {
			total := msg.Mean[mode*width+m.Width(l)]
			j.scales = append(j.scales, 1/total)
			if j.drift != nil {
				if m.Width(l) == m.cfg.Width {
					told = 0
				}
				square := float64(msg.Mean[mode*width+m.Width(l)+1]) * float64(m.cfg.Width)
				a := m.branches[mode].layers[l].attention
				j.offs = append(j.offs, a.meanOff(m, l, mode, msg.Relation, off, told/float64(total), spread(b, square, float64(total))))
			}
		} else if j.drift != nil {
			j.offs = append(j.offs, m.meanOff(l, off, told))
		}
	}
	if m.attends && len(j.messages) > 0 {
		m.branches[mode].layers[l].attention.relations(j)
	}
}

// relations weights the messages of a job among each other.
func (a *attention) relations(j *job) {
	weights, total := make([]float64, len(j.messages)), 0.0
	for i, msg := range j.messages {
		score := attend.Dot(a.relation.row(msg.Relation), msg.Mean)*float64(j.scales[i]) + attend.Dot(a.reader.row(msg.Relation), j.self)
		weights[i] = attend.Weight(attend.Clip(score))
		total += weights[i]
	}
	n := float64(len(weights))
	for i := range weights {
		weights[i] *= n / total
	}
	if j.drift != nil {
		a.relationsOff(j, weights)
	}
	for i, weight := range weights {
		j.scales[i] *= float32(weight)
	}
}

// spread is the weighted variance of vectors, of the sums of what they give over the sum of their weights. Rounding takes nothing from it.
func spread(mean []float32, square, total float64) float64 {
	const rounding = 1e-6
	return square/total*(1+rounding) - dot(mean, mean)/(total*total)*(1-rounding)
}
