package sage

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Input is a node on its way through a layer.
type Input struct {
	Self     []float32 // h, of length Width
	Messages []Message
}

// Message is the mean of the neighbours of one relation.
type Message struct {
	Relation int
	Mean     []float32 // of length Width
}

// blockRows is how many rows one goroutine takes at a time.
const blockRows = 32

// block is the scratch of blockRows rows.
type block struct {
	rows    []float32 // blockRows x (1+Bases)*Width
	product []float32 // blockRows x Width
}

func newBlock(cfg Config) *block {
	return &block{
		rows:    make([]float32, blockRows*(1+cfg.Bases)*cfg.Width),
		product: make([]float32, blockRows*cfg.Width),
	}
}

// Layer computes layer l (from 0) for a batch of nodes, on all processors:
// out[i], of length Width, is h' of in[i]. out may not share memory with in.
func (m *Model) Layer(l int, in []Input, out [][]float32) {
	below("layer", l, m.cfg.Layers)
	must("out", len(out), len(in))
	// Before any goroutine: a panic must reach the caller.
	for i := range in {
		m.check(in[i], out[i])
	}
	blocks := (len(in) + blockRows - 1) / blockRows
	var next atomic.Int64
	work := func() {
		b := m.blocks.Get().(*block)
		defer m.blocks.Put(b)
		for {
			from := int(next.Add(1)-1) * blockRows
			if from >= len(in) {
				return
			}
			to := min(from+blockRows, len(in))
			m.block(b, &m.layers[l], in[from:to], out[from:to])
		}
	}
	var wg sync.WaitGroup
	for range min(blocks, runtime.GOMAXPROCS(0)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

func (m *Model) check(in Input, out []float32) {
	must("out", len(out), m.cfg.Width)
	must("self", len(in.Self), m.cfg.Width)
	finite("self", in.Self)
	for _, msg := range in.Messages {
		below("relation", msg.Relation, m.cfg.Relations)
		must("mean", len(msg.Mean), m.cfg.Width)
		finite("mean", msg.Mean)
	}
}

// block computes up to blockRows rows. W_r is never formed: the messages are
// mixed by the coefficients first, which is the same by linearity,
// sum_r W_r mean_r = sum_b V_b (sum_r c[r,b] mean_r).
func (m *Model) block(b *block, ly *layer, in []Input, out [][]float32) {
	w, length := m.cfg.Width, (1+m.cfg.Bases)*m.cfg.Width
	rows := b.rows[:len(in)*length]
	for i, n := range in {
		r := rows[i*length : (i+1)*length]
		copy(r, n.Self)
		clear(r[w:])
		for _, msg := range n.Messages {
			for base, c := range row(ly.coefficients, msg.Relation) {
				m.blas.Saxpy(w, c, msg.Mean, 1, r[(1+base)*w:(2+base)*w], 1)
			}
		}
	}
	m.product(rows, ly.weights, b.product[:len(in)*w])
	for i, n := range in {
		h := b.product[i*w : (i+1)*w]
		for j, x := range h {
			h[j] = max(x, 0)
		}
		normalize(h)
		for j, x := range n.Self {
			out[i][j] = float32(gain*h[j]) + x
		}
	}
}
