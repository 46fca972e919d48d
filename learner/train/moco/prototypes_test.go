package moco

import (
	"math"
	"slices"
	"testing"

	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
)

func newTape(t *testing.T) *tape.Tape {
	t.Helper()
	pool, err := par.New(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return tape.New(pool)
}

// TestCentresFollowTheMeansOfTheirClasses computes the centres of two classes by hand, from the first two of three
// coordinates.
func TestCentresFollowTheMeansOfTheirClasses(t *testing.T) {
	t.Parallel()
	c := newCentres(Prototypes{Classes: 3, Width: 2, Weight: 1, Temperature: 0.5, Momentum: 0.75})
	keys := tape.Constant(4, 3, []float32{
		2, 0, 9, // of class 0; a length of its own doesn't matter
		0, 1, 9, // of class 0
		-3, 0, 9, // of class 2
		5, 5, 9, // of none
	})
	near := func(class int, x, y float64) {
		t.Helper()
		if row := c.at.Row(class); math.Abs(float64(row[0])-x) > 1e-6 || math.Abs(float64(row[1])-y) > 1e-6 {
			t.Errorf("the centre of class %d is %v, want %v, %v", class, row, x, y)
		}
	}
	c.update(keys, []int32{0, 0, 2, -1})
	near(0, math.Sqrt(0.5), math.Sqrt(0.5))
	near(1, 0, 0) // none has come by
	near(2, -1, 0)
	c.update(tape.Constant(1, 3, []float32{0, -1, 9}), []int32{2})
	length := math.Hypot(0.75, 0.25)
	near(2, -0.75/length, -0.25/length)
	near(0, math.Sqrt(0.5), math.Sqrt(0.5)) // nothing of it came by
}

// TestPrototypesLoss computes the loss by its formula, over the classes that have a centre. Items of an unknown class,
// or of one without centre, have neither loss nor gradient, and no coordinate beyond the prototypes' has a gradient.
func TestPrototypesLoss(t *testing.T) {
	t.Parallel()
	const weight, tau = 3, 0.5
	c := newCentres(Prototypes{Classes: 4, Width: 2, Weight: weight, Temperature: tau})
	copy(c.at.Data, []float32{1, 0, 0, 1, 0, 0, -1, 0}) // class 2 has none
	data, grad := []float32{3, 4, 7, 3, 4, 7, 3, 4, 7}, make([]float32, 9)
	tp := newTape(t)
	loss := c.loss(tp, tape.Variable(3, 3, data, grad), []int32{0, 2, -1})
	want := 0.0
	{
		// Cosines of (0.6, 0.8) with the centres are 0.6, 0.8 and -0.6.
		own := math.Exp(0.6 / tau)
		want = -math.Log(own/(own+math.Exp(0.8/tau)+math.Exp(-0.6/tau))) * weight / 3
	}
	if math.Abs(float64(loss.Data[0])-want) > 1e-5 {
		t.Errorf("the loss is %v, want %v", loss.Data[0], want)
	}
	tp.Backward(loss)
	if grad[0] == 0 || grad[1] == 0 || slices.ContainsFunc(grad[2:], func(g float32) bool { return g != 0 }) {
		t.Errorf("gradient %v: want one of the first two alone", grad)
	}
}

// TestStepWithPrototypes: a step with prototypes ends in the same state after Restore, and refuses classes that don't
// exist.
func TestStepWithPrototypes(t *testing.T) {
	t.Parallel()
	v := readFixture(t).view(t)
	items := v.Block.Mask.Items
	v.Classes = make([]int32, items)
	for i := range v.Classes {
		v.Classes[i] = int32(i%3) - 1
	}
	with := func() *Trainer {
		tr := newTrainer(t, shape, nil, 1)
		tr.cfg.Prototypes = Prototypes{Classes: 2, Width: 4, Weight: 1, Temperature: 0.1, Momentum: 0.8}
		tr.centres = newCentres(tr.cfg.Prototypes)
		return tr
	}
	step := func(tr *Trainer) float64 {
		t.Helper()
		loss, err := tr.Step(v, v, nil)
		if err != nil {
			t.Fatal(err)
		}
		return loss
	}
	a := with()
	step(a)
	state := a.State()
	for i := range state.Tensors {
		state.Tensors[i].F32, state.Tensors[i].I32 = slices.Clone(state.Tensors[i].F32), slices.Clone(state.Tensors[i].I32)
	}
	b := with()
	copy(b.query.Data, a.query.Data)
	if err := b.Restore(state); err != nil {
		t.Fatal(err)
	}
	plain := newTrainer(t, shape, nil, 1)
	if x, y := step(a), step(b); x != y || !slices.Equal(a.query.Data, b.query.Data) || !slices.Equal(a.centres.at.Data, b.centres.at.Data) {
		t.Errorf("taken up again, the second step has loss %v instead of %v, or moves other weights", y, x)
	} else if step(plain); step(plain) >= x {
		t.Error("the prototypes add nothing to the loss")
	}
	if err := plain.Restore(a.State()); err != nil {
		t.Errorf("a trainer without prototypes doesn't need them: %v", err)
	}
	if err := with().Restore(plain.State()); err == nil {
		t.Error("a state without prototypes was taken by a trainer that needs them")
	}
	before := slices.Clone(a.query.Data)
	for _, bad := range [][]int32{{0}, slices.Repeat([]int32{2}, items)} {
		w := v
		w.Classes = bad
		if _, err := a.Step(w, v, nil); err == nil {
			t.Errorf("classes %v were accepted", bad)
		}
	}
	if !slices.Equal(before, a.query.Data) {
		t.Error("a refused step has changed the weights")
	}
}
