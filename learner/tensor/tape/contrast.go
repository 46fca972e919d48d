package tape

import (
	"math"

	"gonum.org/v1/gonum/blas"

	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
)

// Weigher weights the negatives of an item. Weigh is given the cosines of item i with all of them and writes their
// weights: 1 as usual, 0 for a negative that is left out.
type Weigher interface {
	Weigh(i int, cosines, weights []float32)
}

type contrast struct {
	loss, q, k, queue, temperature Matrix
	weigh                          Weigher
	prob                           []float32 // [item][key]: cosines, then probabilities
	weight                         []float32 // one row for each worker
	positive                       []float32 // cosine, then probability minus 1
	losses, expected               []float32 // [item]; expected is the sum of p * cosine, less the positive's cosine
}

// InfoNCE is the mean over items i of
//
//	-log( exp(q_i k_i / tau) / (exp(q_i k_i / tau) + sum_j w_ij exp(q_i n_j / tau)) )
//
// (van den Oord et al. 2018, equation 4, with a queue as in He et al. 2020, equation 1), a 1x1 matrix. tau is
// exp(temperature); temperature is 1x1. Neither k nor queue has a gradient. weigh may be nil: all weights are 1 then.
func (t *Tape) InfoNCE(q, k, queue, temperature Matrix, weigh Weigher) Matrix {
	mustFit("k", len(k.Data), len(q.Data))
	mustFit("queue", queue.Cols, q.Cols)
	mustFit("temperature", len(temperature.Data), 1)
	n, items := queue.Rows, q.Rows
	o := t.slabs.contrasts.next()
	*o = contrast{
		loss: t.New(1, 1), q: q, k: k, queue: queue, temperature: temperature, weigh: weigh,
		prob: t.Scratch(items * n), positive: t.Scratch(items), losses: t.Scratch(items), expected: t.Scratch(items),
	}
	if weigh != nil {
		o.weight = t.Scratch(n * t.pool.Size())
	}
	t.multiply(t.worker, blas.NoTrans, blas.Trans, items, n, q.Cols, q.Data, q.Cols, queue.Data, queue.Cols, o.prob, n, false)
	const rowsEach = contrastRows
	t.worker.Run(o, (items+rowsEach-1)/rowsEach)
	total := 0.0
	for _, l := range o.losses {
		total += float64(l)
	}
	o.loss.Data[0] = float32(total / float64(items))
	t.record(o, o.loss)
	return o.loss
}

const contrastRows = 16

// Part computes the losses and probabilities of contrastRows rows.
func (o *contrast) Part(part int, worker *par.Worker) {
	n := o.queue.Rows
	inverse := math.Exp(-float64(o.temperature.Data[0]))
	for i := part * contrastRows; i < min((part+1)*contrastRows, o.q.Rows); i++ {
		p := o.prob[i*n : (i+1)*n]
		pos := float64(vec.Dot(o.q.Row(i), o.k.Row(i)))
		top := max(pos, float64(vec.Max(p)))
		var w []float32
		if o.weigh != nil {
			w = o.weight[worker.Index()*n : (worker.Index()+1)*n]
			o.weigh.Weigh(i, p, w)
			if (pos-top)*inverse < farBelow {
				top = topOfWeighed(p, w, pos)
			}
		}
		// The loop goes block by block because the cosines are needed beside the exponentials that replace them.
		e := math.Exp((pos - top) * inverse)
		var total, along float64
		total = e
		along = e * pos
		for at := 0; at < n; at += blockOfCosines {
			to := min(at+blockOfCosines, n)
			var cosines [blockOfCosines]float32
			c := cosines[:copy(cosines[:], p[at:to])]
			s := vec.Exp(c, p[at:to], float32(inverse), float32(-top*inverse))
			if w != nil {
				s = 0
				for j, x := range w[at:to] {
					p[at+j] *= x
					s += p[at+j]
				}
			}
			total += float64(s)
			along += float64(vec.Dot(c, p[at:to]))
		}
		scale(p, float32(1/total))
		o.expected[i] = float32(along/total - pos)
		o.losses[i] = float32(math.Log(total) - (pos-top)*inverse)
		o.positive[i] = float32(e/total - 1)
	}
}

// farBelow is the exponent of an item's own key below which those of 65,536 others, which vec.Exp takes for -87 when they are less,
// would be seen beside it.
const farBelow = -60

// topOfWeighed is the greatest of pos and the cosines whose weight is not 0, for an item whose nearest key may be one that is left out:
// measured from that one, the exponentials of all others can be too small to be told apart or to be divided by. The cosines that are left out are lowered to
// it, so that their exponentials, which weigh nothing, are finite.
func topOfWeighed(cosines, weights []float32, pos float64) float64 {
	top := pos
	for j, x := range weights {
		if x != 0 {
			top = max(top, float64(cosines[j]))
		}
	}
	for j, x := range weights {
		if x == 0 {
			cosines[j] = min(cosines[j], float32(top))
		}
	}
	return top
}

// blockOfCosines is short enough for the stack and the first cache.
const blockOfCosines = 256

func scale(x []float32, by float32) {
	for i := range x {
		x[i] *= by
	}
}

func (o *contrast) backward(t *Tape) {
	n := o.queue.Rows
	inverse := math.Exp(-float64(o.temperature.Data[0]))
	d := float32(float64(o.loss.Grad()[0]) / float64(o.q.Rows) * inverse)
	if o.temperature.grad != nil {
		// d loss / d log tau = -(sum of p * cosine - positive) / tau
		total := 0.0
		for _, a := range o.expected {
			total += float64(a)
		}
		o.temperature.Grad()[0] -= float32(total) * d
	}
	if o.q.grad == nil {
		return
	}
	g := o.q.Grad()
	// The sum is scaled after the product, which so reads the probabilities in place.
	sum := t.Scratch(len(o.q.Data))
	t.multiply(t.worker, blas.NoTrans, blas.NoTrans, o.q.Rows, o.q.Cols, n, o.prob, n, o.queue.Data, o.queue.Cols, sum, o.q.Cols, false)
	vec.Axpy(d, sum, g)
	for i := range o.q.Rows {
		vec.Axpy(d*o.positive[i], o.k.Row(i), g[i*o.q.Cols:(i+1)*o.q.Cols])
	}
}
