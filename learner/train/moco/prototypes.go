package moco

import (
	"errors"
	"fmt"
	"math"

	"kilim/learner/tensor/tape"
	"kilim/learner/tensor/vec"
)

// Prototypes are the centres of classes among the keys' embeddings: an item is drawn to the centre of its own class and
// away from those of the others. Li et al. 2021 (section 3.2) use centres of clusters; here the classes are known.
//
// Their loss is on the embedding and not on its projection, as it is the embeddings whose neighbours shall be of one
// class. And it is on some of the coordinates only: on all of them it took what tells the members of a class apart.
type Prototypes struct {
	Classes     int     // 0: no prototypes
	Width       int     // how many of the embedding's coordinates they take, the first ones
	Weight      float64 // of their loss beside InfoNCE
	Temperature float64
	// Momentum is the share of a centre that stays when it moves towards keys of its class.
	Momentum float64
}

func (p Prototypes) validate(width int) error {
	if p.Classes == 0 {
		return nil
	}
	var errs []error
	if p.Classes < 0 || p.Classes > 1<<16 {
		errs = append(errs, fmt.Errorf("moco: prototypes: classes %d: must be in 0..65536", p.Classes))
	}
	if p.Width < 1 || p.Width > width {
		errs = append(errs, fmt.Errorf("moco: prototypes: width %d: must be in 1..%d, the width of the embedding", p.Width, width))
	}
	if !(p.Weight >= 0 && p.Weight <= 100) {
		errs = append(errs, fmt.Errorf("moco: prototypes: weight %v: must be in 0..100", p.Weight))
	}
	if !(p.Temperature >= coldest && p.Temperature <= hottest) {
		errs = append(errs, fmt.Errorf("moco: prototypes: temperature %v: must be in %v..%v", p.Temperature, coldest, hottest))
	}
	if !(p.Momentum >= 0 && p.Momentum < 1) {
		errs = append(errs, fmt.Errorf("moco: prototypes: momentum %v: must be in 0..1, without 1", p.Momentum))
	}
	return errors.Join(errs...)
}

// centres has the present centres.
type centres struct {
	cfg    Prototypes
	at     tape.Matrix // a row for each class; zeros: no key of it has occurred
	sums   tape.Matrix // of a batch's keys
	counts []int
	of     []int32 // the classes of the present queries, below 0: none
}

func newCentres(cfg Prototypes) *centres {
	zeros := func() tape.Matrix {
		return tape.Constant(cfg.Classes, cfg.Width, make([]float32, cfg.Classes*cfg.Width))
	}
	return &centres{cfg: cfg, at: zeros(), sums: zeros(), counts: make([]int, cfg.Classes)}
}

// check returns an error for classes that don't fit the batch or the Prototypes.
func (c *centres) check(items int, classes ...[]int32) error {
	for _, of := range classes {
		if of != nil && len(of) != items {
			return fmt.Errorf("moco: classes of %d items, the view has %d", len(of), items)
		}
		for i, class := range of {
			if c.cfg.Classes > 0 && int(class) >= c.cfg.Classes {
				return fmt.Errorf("moco: item %d is of class %d, there are %d", i, class, c.cfg.Classes)
			}
		}
	}
	return nil
}

func (c *centres) hasCentre(class int32) bool {
	row := c.at.Row(int(class))
	return vec.Dot(row, row) > 0
}

// loss returns the weighted loss of the queries' embeddings. A query whose class is unknown, or has no centre yet, has
// none.
func (c *centres) loss(t *tape.Tape, embedding tape.Matrix, classes []int32) tape.Matrix {
	c.of = classes
	embedding = c.classCoordinates(t, embedding)
	own := tape.Constant(embedding.Rows, embedding.Cols, t.Scratch(len(embedding.Data)))
	for i, class := range classes {
		clear(own.Row(i))
		if class >= 0 {
			copy(own.Row(i), c.at.Row(int(class)))
		}
	}
	temperature := tape.Constant(1, 1, []float32{float32(math.Log(c.cfg.Temperature))})
	return scaled(t, t.InfoNCE(t.Unit(embedding), own, c.at, temperature, c), c.cfg.Weight)
}

// classCoordinates returns the first coordinates of an embedding, which tell the classes apart.
func (c *centres) classCoordinates(t *tape.Tape, embedding tape.Matrix) tape.Matrix {
	w := c.at.Cols
	if w == embedding.Cols {
		return embedding
	}
	choose := tape.Constant(embedding.Cols, w, make([]float32, embedding.Cols*w))
	for i := range w {
		choose.Data[i*w+i] = 1
	}
	out := t.New(embedding.Rows, w)
	t.Product(out, embedding, choose, false)
	return out
}

// Weigh implements tape.Weigher.
func (c *centres) Weigh(i int, _, weights []float32) {
	clear(weights)
	if c.of[i] < 0 || !c.hasCentre(c.of[i]) {
		return
	}
	for class := range weights {
		if int32(class) != c.of[i] && c.hasCentre(int32(class)) {
			weights[class] = 1
		}
	}
}

// update moves each centre towards the mean of the batch's keys of its class, if there are any. It takes the mean of
// the keys and not each key, so that the centre of a rare class moves as far as that of a common one.
func (c *centres) update(embedding tape.Matrix, classes []int32) {
	clear(c.sums.Data)
	clear(c.counts)
	for i, class := range classes {
		if class < 0 {
			continue
		}
		z := embedding.Row(i)[:c.at.Cols]
		if length := math.Sqrt(float64(vec.Dot(z, z))); length > 0 {
			vec.Axpy(float32(1/length), z, c.sums.Row(int(class)))
			c.counts[class]++
		}
	}
	for class, n := range c.counts {
		if n == 0 {
			continue
		}
		row, sum := c.at.Row(class), c.sums.Row(class)
		stays := float32(c.cfg.Momentum)
		if !c.hasCentre(int32(class)) {
			stays = 0
		}
		for j := range row {
			row[j] = stays*row[j] + (1-stays)*sum[j]/float32(n)
		}
		length := float32(math.Sqrt(float64(vec.Dot(row, row))))
		for j := range row {
			row[j] /= max(length, 1e-12)
		}
	}
}
