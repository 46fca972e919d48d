package moco

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kilim/learner/model"
	"kilim/learner/tensor/tape"
)

// harder weighs some keys more, and says which places it was asked for.
type harder struct{ there []bool }

func (harder) Weigh(i int, _, weights []float32) {
	for j := range weights {
		weights[j] = float32(1 + (i+j)%3)
	}
}

func (h harder) Among(there []bool) tape.Weigher {
	if !slices.Equal(h.there, there) {
		panic(fmt.Sprintf("keys at %v, the queue has some at %v", there, h.there))
	}
	return h
}

// TestBranchLoss computes the loss of a branch by its definition, over batches with masks drawn at random: items that show the modality
// in both views are told apart from the keys of those that showed it when their keys were made, and others have neither loss nor
// gradient, nor a place in the queue.
func TestBranchLoss(t *testing.T) {
	t.Parallel()
	const items, queue, d, weight, tau = 4, 12, 3, 2.5, 0.2
	r := rand.New(rand.NewPCG(2, 2))
	c := newBranches(Config{Queue: queue, Temperature: tau, Branches: []float64{0, weight}}, newTrainer(t, shape, nil, 1).model)[0]
	c.queue = tape.Constant(queue, d, make([]float32, queue*d))
	tp := newTape(t)
	rows := func() []float32 {
		z := tape.Constant(items, d, make([]float32, items*d))
		for i := range z.Data {
			z.Data[i] = float32(r.NormFloat64())
		}
		return slices.Clone(tp.Unit(z).Data)
	}
	mask := func() tape.Mask {
		m := tape.Mask{Items: items, Modalities: 2, Present: make([]bool, 2*items)}
		for i := range m.Present {
			m.Present[i] = r.IntN(2) == 0
		}
		return m
	}
	dot := func(a, b []float32) (s float64) {
		for i := range a {
			s += float64(a[i]) * float64(b[i])
		}
		return s
	}
	kept, have := make([][]float32, queue), make([]bool, queue) // what the queue should have
	for step := range 30 {
		tp.Reset()
		q, k, inQuery, inKey := rows(), rows(), mask(), mask()
		var weigh Weigher
		if step%2 == 1 {
			weigh = harder{have}
		}
		grad := make([]float32, len(q))
		loss := c.branchLoss(tp, tape.Variable(items, d, q, grad), tape.Constant(items, d, k), inQuery, inKey, weigh)
		tp.Backward(loss)
		want := 0.0
		for i := range items {
			pair := inQuery.Present[2*i+1] && inKey.Present[2*i+1]
			query := q[i*d : (i+1)*d]
			negatives := 0.0
			for j, key := range kept {
				if key != nil && pair {
					w := 1.0
					if weigh != nil {
						w = float64(1 + (i+j)%3)
					}
					negatives += w * math.Exp(dot(query, key)/tau)
				}
			}
			own := math.Exp(dot(query, k[i*d:(i+1)*d]) / tau)
			want += weight * -math.Log(own/(own+negatives)) / items
			if moved := slices.ContainsFunc(grad[i*d:(i+1)*d], func(g float32) bool { return g != 0 }); moved != (negatives > 0) {
				t.Errorf("step %d, item %d: a gradient %v, a pair with negatives %v", step, i, moved, negatives > 0)
			}
		}
		if got := float64(loss.Data[0]); math.Abs(got-want) > 1e-4*(1+want) {
			t.Fatalf("step %d: the loss is %v, want %v", step, got, want)
		}
		place := step * items % queue
		c.put(place, tape.Constant(items, d, k), inKey)
		for i := range items {
			kept[place+i], have[place+i] = nil, inKey.Present[2*i+1]
			if have[place+i] {
				kept[place+i] = k[i*d : (i+1)*d]
			}
		}
	}
}

// TestStepWithBranches: steps with losses behind the branches make the same bytes for any number of threads, and when they go on from a
// State; a branch without a weight has no queue; and a model without heads is refused, as are weights of no branch.
func TestStepWithBranches(t *testing.T) {
	t.Parallel()
	v := readFixture(t).view(t)
	cfg := shape
	cfg.Dropout = 0.2
	run := func(tr *Trainer, steps int) (losses []float64) {
		t.Helper()
		for range steps {
			l, err := tr.Step(v, v, nil)
			if err != nil {
				t.Fatal(err)
			}
			losses = append(losses, l)
		}
		return losses
	}
	weights := []float64{1, 0.5}
	a, b := newBranchTrainer(t, cfg, nil, 1, weights), newBranchTrainer(t, cfg, nil, 3, weights)
	if la, lb := run(a, 6), run(b, 6); !slices.Equal(la, lb) || !slices.Equal(a.query.Data, b.query.Data) || !slices.Equal(a.branches[1].queue.Data, b.branches[1].queue.Data) {
		t.Error("training depends on the number of threads")
	}
	if ta, tb := a.branches[0].temperature.Data[0], a.branches[1].temperature.Data[0]; ta == tb || float64(ta) == math.Log(0.07) {
		t.Errorf("the branches' temperatures are %v and %v: want them learned, each for itself", ta, tb)
	}
	state := a.State()
	for i := range state.Tensors {
		state.Tensors[i].F32, state.Tensors[i].I32 = slices.Clone(state.Tensors[i].F32), slices.Clone(state.Tensors[i].I32)
	}
	c := newBranchTrainer(t, cfg, nil, 1, weights)
	copy(c.query.Data, a.query.Data)
	if err := c.Restore(state); err != nil {
		t.Fatal(err)
	}
	if la, lc := run(a, 3), run(c, 3); !slices.Equal(la, lc) || !slices.Equal(a.query.Data, c.query.Data) {
		t.Errorf("taken up again, the losses are %v, not %v", lc, la)
	}
	plain := newTrainer(t, cfg, nil, 1)
	if run(plain, 6)[5] >= run(newBranchTrainer(t, cfg, nil, 1, weights), 6)[5] {
		t.Error("the branches add nothing to the loss")
	}
	if one := newBranchTrainer(t, cfg, nil, 1, []float64{0, 2}); len(one.branches) != 1 || one.branches[0].name != "image" {
		t.Errorf("%d branches have a loss, want that of images", len(one.branches))
	}
	if err := newBranchTrainer(t, cfg, nil, 1, weights).Restore(plain.State()); err == nil {
		t.Error("a state without branches was taken by a trainer that has some")
	}
	with := plain.cfg
	with.Branches = weights
	if _, err := New(with, plain.model, plain.query, cfg.Width, nil); err == nil {
		t.Error("a model without heads was taken")
	}
	for _, bad := range [][]float64{{1, 1, 1}, {-1}, {math.NaN()}, {1000}} {
		with.Branches = bad
		if _, err := New(with, plain.model.WithBranchHeads(), plain.query, cfg.Width, nil); err == nil {
			t.Errorf("weights %v were taken", bad)
		}
	}
}

// TestBranchGradients: with dropout, the gradient of each head and of what the losses behind the branches reach is the slope of the loss.
func TestBranchGradients(t *testing.T) {
	t.Parallel()
	v := readFixture(t).view(t)
	cfg := shape
	cfg.Dropout = 0.25
	tr := newBranchTrainer(t, cfg, nil, 1, []float64{0.3, 0.6})
	for range 2 { // so that the branches' queues have keys
		if _, err := tr.Step(v, v, nil); err != nil {
			t.Fatal(err)
		}
	}
	heads := 0
	compareSlopes(t, "with branches", tr, func(p model.Param) bool {
		if p.Group == "head" && !strings.HasPrefix(p.Name, "head.") {
			heads++
		}
		return p.Group != "fusion" && !strings.HasPrefix(p.Name, "head.")
	})
	if heads != 8 {
		t.Errorf("%d parameters of heads behind branches, want 4 each", heads)
	}
	before := slices.Clone(tr.query.Data)
	tr.cfg.Rate = 1e-3
	if _, err := tr.Step(v, v, nil); err != nil {
		t.Fatal(err)
	}
	for _, p := range tr.model.Params() {
		if same := slices.Equal(before[p.Offset:p.Offset+p.Rows*p.Cols], tr.query.Data[p.Offset:p.Offset+p.Rows*p.Cols]); same {
			t.Errorf("a step has not moved %s", p.Name)
		}
	}
}
