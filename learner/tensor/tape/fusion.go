package tape

import (
	"math"

	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
)

// Mask says which tokens there are: Present[i*Modalities+m] is true when item i has modality m.
type Mask struct {
	Items, Modalities int
	Present           []bool // [item][modality]
}

type attention struct {
	y, qkv Matrix
	mask   Mask
	heads  int
	self   bool
	prob   []float32 // [item][head][token][token]
}

// Attention lets each token of an item attend to the item's other tokens, and to itself if self is set, by scaled dot
// products in heads (Vaswani et al. 2017, section 3.2). Token m of item i is row m*Items+i; a row of qkv is its query,
// key and value. Absent tokens attend to nothing and are not attended to: Attention does not read their rows of qkv.
// The result of a token that attends to nothing is 0.
func (t *Tape) Attention(y, qkv Matrix, mask Mask, heads int, self bool) {
	mustFit("qkv", qkv.Cols, 3*y.Cols)
	mustFit("qkv", qkv.Rows, y.Rows)
	mustFit("tokens", y.Rows, mask.Items*mask.Modalities)
	mustFit("rest of the width by heads", y.Cols%heads, 0)
	o := t.slabs.attentions.next()
	*o = attention{y, qkv, mask, heads, self, t.Scratch(mask.Items * heads * mask.Modalities * mask.Modalities)}
	t.worker.Run((*attentionForward)(o), parts(mask.Items))
	t.record(o, y)
}

// head is the part of a row of qkv that belongs to head h of the query (which 0), key (1) or value (2).
func (o *attention) head(row []float32, which, h int) []float32 {
	w := o.y.Cols
	n := w / o.heads
	return row[which*w+h*n : which*w+(h+1)*n]
}

func (o *attention) probabilities(i, h int) []float32 {
	m := o.mask.Modalities
	at := (i*o.heads + h) * m * m
	return o.prob[at : at+m*m]
}

func (o *attention) reads(i, a, b int) bool {
	has := o.mask.Present[i*o.mask.Modalities:]
	return (o.self || a != b) && has[a] && has[b]
}

type attentionForward attention

func (f *attentionForward) Part(part int, _ *par.Worker) {
	o := (*attention)(f)
	from, to := bounds(part, o.mask.Items)
	m := o.mask.Modalities
	scale := float32(1 / math.Sqrt(float64(o.y.Cols/o.heads)))
	n := o.y.Cols / o.heads
	for i := from; i < to; i++ {
		for h := range o.heads {
			p := o.probabilities(i, h)
			for a := range m {
				row := o.y.Row(a*o.mask.Items + i)[h*n : (h+1)*n]
				clear(row)
				o.softmax(p[a*m:(a+1)*m], i, a, h, scale)
				for b := range m {
					if o.reads(i, a, b) {
						vec.Axpy(p[a*m+b], o.head(o.qkv.Row(b*o.mask.Items+i), 2, h), row)
					}
				}
			}
		}
	}
}

// softmax writes to p the attention of token a of item i to each token in head h.
func (o *attention) softmax(p []float32, i, a, h int, scale float32) {
	q := o.head(o.qkv.Row(a*o.mask.Items+i), 0, h)
	top, total := math.Inf(-1), 0.0
	for b := range p {
		p[b] = 0
		if o.reads(i, a, b) {
			p[b] = scale * vec.Dot(q, o.head(o.qkv.Row(b*o.mask.Items+i), 1, h))
			top = max(top, float64(p[b]))
		}
	}
	for b := range p {
		if o.reads(i, a, b) {
			e := math.Exp(float64(p[b]) - top)
			p[b] = float32(e)
			total += e
		}
	}
	for b := range p {
		if o.reads(i, a, b) {
			p[b] /= float32(total)
		}
	}
}

func (o *attention) backward(t *Tape) {
	if o.qkv.grad == nil {
		return
	}
	o.y.ensureZeroed()
	o.qkv.ensureZeroed()
	t.worker.Run((*attentionBackward)(o), parts(o.mask.Items))
}

type attentionBackward attention

func (f *attentionBackward) Part(part int, _ *par.Worker) {
	o := (*attention)(f)
	from, to := bounds(part, o.mask.Items)
	m, items, w := o.mask.Modalities, o.mask.Items, o.y.Cols
	n := w / o.heads
	scale := float32(1 / math.Sqrt(float64(n)))
	gy, gq := o.y.Grad(), o.qkv.Grad()
	for i := from; i < to; i++ {
		for h := range o.heads {
			p := o.probabilities(i, h)
			for a := range m {
				ra := a*items + i
				dy := gy[ra*w+h*n : ra*w+(h+1)*n]
				var along float32 // sum of p * dp
				for b := range m {
					if o.reads(i, a, b) {
						along += p[a*m+b] * vec.Dot(dy, o.head(o.qkv.Row(b*items+i), 2, h))
					}
				}
				for b := range m {
					if !o.reads(i, a, b) {
						continue
					}
					rb := b*items + i
					ga, gb := gq[ra*3*w:(ra+1)*3*w], gq[rb*3*w:(rb+1)*3*w]
					vec.Axpy(p[a*m+b], dy, o.head(gb, 2, h))
					d := p[a*m+b] * (vec.Dot(dy, o.head(o.qkv.Row(rb), 2, h)) - along) * scale
					vec.Axpy(d, o.head(o.qkv.Row(rb), 1, h), o.head(ga, 0, h))
					vec.Axpy(d, o.head(o.qkv.Row(ra), 0, h), o.head(gb, 1, h))
				}
			}
		}
	}
}

type gates struct {
	y, x, a Matrix
	mask    Mask
	open    []float32 // sigmoid(a)
}

// Gates is y_i = sum over the tokens m that item i has of sigmoid(a_mi) * x_mi, with tokens as in Attention. Gates does
// not read absent tokens.
func (t *Tape) Gates(y, x, a Matrix, mask Mask) {
	mustFit("y", y.Rows, mask.Items)
	mustFit("x", x.Rows, mask.Items*mask.Modalities)
	mustFit("a", len(a.Data), len(x.Data))
	o := t.slabs.gates.next()
	*o = gates{y, x, a, mask, t.Scratch(len(a.Data))}
	t.worker.Run((*gatesForward)(o), parts(mask.Items))
	t.record(o, y)
}

type gatesForward gates

func (o *gatesForward) Part(part int, _ *par.Worker) {
	from, to := bounds(part, o.mask.Items)
	w := o.y.Cols
	for i := from; i < to; i++ {
		y := o.y.Row(i)
		clear(y)
		for m := range o.mask.Modalities {
			if !o.mask.Present[i*o.mask.Modalities+m] {
				continue
			}
			r := m*o.mask.Items + i
			open := o.open[r*w : (r+1)*w]
			vec.Exp(o.a.Row(r), open, -1, 0)
			for j, x := range o.x.Row(r) {
				s := 1 / (1 + open[j])
				open[j] = s
				y[j] += s * x
			}
		}
	}
}

func (o *gates) backward(t *Tape) {
	o.y.ensureZeroed()
	if o.x.grad == nil || o.a.grad == nil {
		return
	}
	o.x.ensureZeroed()
	o.a.ensureZeroed()
	t.worker.Run((*gatesBackward)(o), parts(o.mask.Items))
}

type gatesBackward gates

func (o *gatesBackward) Part(part int, _ *par.Worker) {
	from, to := bounds(part, o.mask.Items)
	w := o.y.Cols
	gy, gx, ga := o.y.Grad(), o.x.Grad(), o.a.Grad()
	for i := from; i < to; i++ {
		dy := gy[i*w : (i+1)*w]
		for m := range o.mask.Modalities {
			if !o.mask.Present[i*o.mask.Modalities+m] {
				continue
			}
			r := m*o.mask.Items + i
			dx, da, x, open := gx[r*w:(r+1)*w], ga[r*w:(r+1)*w], o.x.Row(r), o.open[r*w:(r+1)*w]
			for j, d := range dy {
				s := open[j]
				dx[j] += d * s
				da[j] += d * x[j] * s * (1 - s)
			}
		}
	}
}
