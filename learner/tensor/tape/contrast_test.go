package tape

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// rowWeights weighs by a row for each item.
type rowWeights [][]float32

func (r rowWeights) Weigh(i int, _, w []float32) { copy(w, r[i]) }

// TestInfoNCEWithoutItsNearest: at the lowest temperature, where an item's nearest keys are left out and its own is far, loss and
// gradients are those of the definition, in float64; an item without negatives has neither. Measured from the nearest key of all, the
// other exponentials were too small for a float32, and gradients not numbers.
func TestInfoNCEWithoutItsNearest(t *testing.T) {
	t.Parallel()
	const items, keys, d = 8, 24, 2 // so few dimensions that cosines of -1 to 1 occur
	temperature := float32(math.Log(0.01))
	tau := math.Exp(float64(temperature))
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 3))
		units := func(n int) []float32 {
			out := make([]float32, n*d)
			for i := range n {
				sin, cos := math.Sincos(2 * math.Pi * r.Float64())
				out[i*d], out[i*d+1] = float32(cos), float32(sin)
			}
			return out
		}
		q, k, queue := units(items), units(items), units(keys)
		weights := make(rowWeights, items)
		want, gradient := 0.0, make([]float64, len(q))
		for i := range items {
			left := r.IntN(4) // how many keys are left in
			weights[i] = make([]float32, keys)
			for range left {
				weights[i][r.IntN(keys)] = float32(1 + r.IntN(3))
			}
			l, g := contrastOf(q[i*d:(i+1)*d], k[i*d:(i+1)*d], queue, weights[i], tau)
			want += l / items
			copy(gradient[i*d:], g)
		}
		tp := newTape(t, 1)
		grad, gradOfTemperature := make([]float32, len(q)), make([]float32, 1)
		loss := tp.InfoNCE(Variable(items, d, q, grad), Constant(items, d, k), Constant(keys, d, queue), Variable(1, 1, []float32{temperature}, gradOfTemperature), weights)
		if got := float64(loss.Data[0]); !(math.Abs(got-want) <= 1e-3*(1+want)) {
			t.Fatalf("seed %d: the loss is %v, want %v", seed, got, want)
		}
		tp.Backward(loss)
		for i, g := range grad {
			if want := gradient[i] / items; !(math.Abs(float64(g)-want) <= 1e-3*(1+math.Abs(want))) {
				t.Fatalf("seed %d: the gradient of item %d is %v, want %v", seed, i/d, g, want)
			}
			if !slices.ContainsFunc(weights[i/d], func(w float32) bool { return w != 0 }) && g != 0 {
				t.Fatalf("seed %d: item %d has no negatives and the gradient %v", seed, i/d, g)
			}
		}
		if x := float64(gradOfTemperature[0]); math.IsNaN(x) || math.IsInf(x, 0) {
			t.Fatalf("seed %d: the temperature's gradient is %v", seed, x)
		}
	}
}

// contrastOf is InfoNCE of one item by its definition, and its gradient.
func contrastOf(q, k, queue, weights []float32, tau float64) (loss float64, gradient []float64) {
	d := len(q)
	dot := func(x []float32) (s float64) {
		for i := range x {
			s += float64(q[i]) * float64(x[i])
		}
		return s
	}
	top := dot(k)
	for j, w := range weights {
		if w != 0 {
			top = max(top, dot(queue[j*d:(j+1)*d]))
		}
	}
	own := math.Exp((dot(k) - top) / tau)
	total, sum := own, make([]float64, d)
	for i := range sum {
		sum[i] = own * float64(k[i])
	}
	for j, w := range weights {
		if w == 0 {
			continue
		}
		n := queue[j*d : (j+1)*d]
		e := float64(w) * math.Exp((dot(n)-top)/tau)
		total += e
		for i := range sum {
			sum[i] += e * float64(n[i])
		}
	}
	for i := range sum {
		gradient = append(gradient, (sum[i]/total-float64(k[i]))/tau)
	}
	return math.Log(total) - (dot(k)-top)/tau, gradient
}
