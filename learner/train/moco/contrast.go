package moco

import (
	"math"
	"math/rand/v2"

	"kilim/learner/model"
	"kilim/learner/model/safetensors"
	"kilim/learner/tensor/tape"
	"kilim/learner/tensor/vec"
)

// Weigher weights the keys in the queue as a tape.Weigher does. Among returns the Weigher for a queue in which only some places
// have a key: nothing of the others may count.
type Weigher interface {
	tape.Weigher
	Among(there []bool) tape.Weigher
}

// contrast is one contrastive loss: that of the fusion's projections, or of a branch's. It has a queue of earlier keys and a
// temperature of its own. All queues are as long and have an artifact's keys in the same place, so that each key is as old as the
// fusion's: a queue filled with keys of a rare modality alone would have some that the key encoder has long left behind.
type contrast struct {
	queue            tape.Matrix
	temperature      tape.Matrix // its logarithm
	moment1, moment2 []float32   // of the temperature

	// Of a branch:
	name   string
	mode   int     // the modality
	weight float64 // of the loss
	there  []bool  // [place] whether it has a key: none of an artifact whose view did not show the modality
	pairs  []bool  // [item] whether both views of the present batch show it
	weigh  tape.Weigher
}

func newContrast(cfg Config, width int) *contrast {
	c := &contrast{queue: tape.Constant(cfg.Queue, width, make([]float32, cfg.Queue*width)), moment1: make([]float32, 1), moment2: make([]float32, 1)}
	log := []float32{float32(math.Log(cfg.Temperature))}
	if cfg.LearnTemperature {
		c.temperature = tape.Variable(1, 1, log, make([]float32, 1))
	} else {
		c.temperature = tape.Constant(1, 1, log)
	}
	return c
}

// seedQueue fills the queue with random directions.
func (c *contrast) seedQueue(seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0x9e0e))
	for i := range c.queue.Rows {
		row := c.queue.Row(i)
		for j := range row {
			row[j] = float32(r.NormFloat64())
		}
		length := float32(math.Sqrt(float64(vec.Dot(row, row))))
		for j := range row {
			row[j] /= length
		}
	}
}

// newBranches returns the contrasts of the branches whose loss has a weight. Their queues begin empty.
func newBranches(cfg Config, m *model.Model) []*contrast {
	var out []*contrast
	for mode, weight := range cfg.Branches {
		if weight > 0 {
			c := newContrast(cfg, m.Config().Width)
			c.name, c.mode, c.weight, c.there = m.Config().Modalities[mode].Name, mode, weight, make([]bool, cfg.Queue)
			out = append(out, c)
		}
	}
	return out
}

// branchLoss is the weighted loss of a branch. An item whose two views do not both show the modality has no positive pair, and no
// loss; the mean is over all items nevertheless, so that a pair weighs as much in a rare modality as in a common one.
func (c *contrast) branchLoss(t *tape.Tape, projected, keys tape.Matrix, q, k tape.Mask, weigh Weigher) tape.Matrix {
	c.pairs, c.weigh = c.pairs[:0], nil
	for i := range q.Items {
		c.pairs = append(c.pairs, c.shows(q, i) && c.shows(k, i))
	}
	if weigh != nil {
		c.weigh = weigh.Among(c.there)
	}
	return scaled(t, t.InfoNCE(projected, keys, c.queue, c.temperature, c), c.weight)
}

func (c *contrast) shows(m tape.Mask, item int) bool { return m.Present[item*m.Modalities+c.mode] }

// Weigh implements tape.Weigher for a branch.
func (c *contrast) Weigh(i int, cosines, weights []float32) {
	if !c.pairs[i] {
		clear(weights)
		return
	}
	if c.weigh == nil {
		for j := range weights {
			weights[j] = 1
		}
	} else {
		c.weigh.Weigh(i, cosines, weights)
	}
	for j, there := range c.there {
		if !there {
			weights[j] = 0
		}
	}
}

// put puts the keys of a batch into a branch's queue, from a place on: of the items that show the modality, and zeros of the others.
func (c *contrast) put(place int, keys tape.Matrix, k tape.Mask) {
	for i := range keys.Rows {
		row := c.queue.Row(place + i)
		clear(row)
		if c.shows(k, i) {
			copy(row, keys.Row(i))
		}
		c.find(place + i)
	}
}

// find sets whether a place of a branch's queue has a key: whether it is not zeros.
func (c *contrast) find(place int) {
	row := c.queue.Row(place)
	c.there[place] = vec.Dot(row, row) > 0
}

// tensors are the contrast's memory, by name.
func (c *contrast) tensors() []safetensors.Tensor {
	of := ""
	if c.there != nil {
		of = "." + c.name
	}
	return []safetensors.Tensor{
		safetensors.Floats("queue"+of, c.queue.Data, c.queue.Rows, c.queue.Cols),
		safetensors.Floats("temperature"+of, c.temperature.Data, 1),
		safetensors.Floats("temperature"+of+".moment1", c.moment1, 1), safetensors.Floats("temperature"+of+".moment2", c.moment2, 1),
	}
}

// scaled is a loss times a weight.
func scaled(t *tape.Tape, loss tape.Matrix, weight float64) tape.Matrix {
	out := t.New(1, 1)
	t.Product(out, loss, tape.Constant(1, 1, []float32{float32(weight)}), false)
	return out
}

// sum is that of two losses.
func sum(t *tape.Tape, loss, more tape.Matrix) tape.Matrix {
	out := t.New(1, 1)
	t.Copy(out, loss)
	t.Add(out, more)
	return out
}
