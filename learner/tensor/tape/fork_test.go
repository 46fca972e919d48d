package tape

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestForkChangesNothing computes three branches over the same input in nested Forks and one after the other: results
// and gradients have the same bits, for any number of threads.
func TestForkChangesNothing(t *testing.T) {
	t.Parallel()
	const rows, wide, branches = 150, 24, 3
	compute := func(tape *Tape, forked bool) (y []float32, grads [branches][]float32) {
		r := rand.New(rand.NewPCG(3, 3))
		x := Constant(rows, wide, narrow(numbers(r, rows*wide)))
		var w [branches]Matrix
		for i := range w {
			grads[i] = make([]float32, wide*wide)
			w[i] = Variable(wide, wide, narrow(numbers(r, wide*wide)), grads[i])
		}
		both, bias := Constant(wide, 1, narrow(numbers(r, wide))), Constant(1, wide, narrow(numbers(r, wide)))
		tape.Reset()
		all := tape.New(branches*rows, wide)
		branch := func(i int, child *Tape) {
			z := child.New(rows, wide)
			child.Product(z, x, w[i], false)
			child.Bias(z, bias, ReLU, Drop{0.2, uint64(i)})
			child.Product(all.Slice(i*rows, (i+1)*rows), z, w[i], false)
		}
		if forked {
			tape.Fork(2, func(half int, child *Tape) {
				child.Fork(1+half, func(i int, child *Tape) { branch(half+i, child) })
			})
		} else {
			for i := range branches {
				branch(i, tape)
			}
		}
		sums := tape.New(branches*rows, 1)
		tape.Product(sums, all, both, false)
		total := tape.New(1, 1)
		tape.Product(total, sums.Reshape(1, branches*rows), Constant(branches*rows, 1, slices.Repeat([]float32{1}, branches*rows)), false)
		y = slices.Clone(all.Data)
		tape.Backward(total)
		return y, grads
	}
	wantY, want := compute(newTape(t, 1), false)
	for _, threads := range []int{1, 2, 3} {
		tape := newTape(t, threads)
		for range 3 {
			y, got := compute(tape, true)
			if !slices.Equal(y, wantY) {
				t.Fatalf("%d threads: the results differ", threads)
			}
			for i := range got {
				if !slices.Equal(got[i], want[i]) {
					t.Fatalf("%d threads: the gradients of branch %d differ", threads, i)
				}
			}
		}
	}
	if slices.Max(want[0]) == 0 {
		t.Error("the gradients are zero")
	}
}

// TestForkRecords: a child that does not record has no gradient.
func TestForkRecords(t *testing.T) {
	t.Parallel()
	tape := newTape(t, 2)
	for range 2 {
		tape.Reset()
		tape.Fork(2, func(i int, child *Tape) {
			child.SetRecording(i == 0)
			if has := child.New(1, 1).Grad() != nil; has != (i == 0) {
				t.Errorf("child %d: gradient %v", i, has)
			}
		})
		if tape.New(1, 1).Grad() == nil {
			t.Error("the tape itself records no more")
		}
	}
}
