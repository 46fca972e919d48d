package infer

import (
	"fmt"
	"math"
)

// Drift. The means that a node reads of its neighbours may be off by up to epsilon (package refresh). What follows bounds how far
// its embedding is off then. With |.| the Euclidean length, |A| the spectral norm of a matrix (spectral), w the Width, and d(x) a
// bound of the distance of x from what it would be exactly:
//
//	d(mean_r)            = epsilon sqrt(w), for each block of a relation r that the node has a message of, of what the first layer gave
//	d(sum_r mean_r W_r) <= sum_b |V_b| sum_r |c_rb| d(mean_r)               as W_r = sum_b c_rb V_b
//	d(ReLU x)           <= d(x);   d(x W + b) <= |W| d(x);   d(GELU x) <= 1.13 d(x)
//	d(LN x)             <= max|gain| sqrt(w) 2 d(x) / (N + max(N - d(x), e))
//	d(x / |x|)          <= 2 d(x) / (|x| + max(|x| - d(x), 0)), and at most 2
//	d(sigmoid(g) x)     <= max(sigmoid(g)) d(x) + (max|x| + d(x)) |W_gate| d(x) / 4   for g = x W_gate + b
//	d(attention)        <= sum_b max_h p_bh d(v_b) + sqrt(sum_h (P_h R_h)^2)
//
// N is the length of x without its mean, with e = sqrt(w 1e-5) beside it: LN x is gain sqrt(w) times a projection of
// (x - mean, e) / N. Of two vectors of lengths N and N' that are d apart, those of length 1 in their directions are at most
// 2 d / (N + N') apart (Dunkl and Williams 1964), and N' is at least N - d. For a head h of attention, p are its shares, R_h is how
// far the values that it reads are from the first of them, at most, with what they are off by, and P_h bounds the sum of what
// its shares are off by: at most 2, and the greatest change of a logit, q k / sqrt(size), which is
// |q| d(k) + |k| d(q) + d(q) d(k).
//
// Of three layers, the second reads means as above, and its result is off by d(h'), as is that of the last layer, where h itself is:
//
//	d(h') = d(LN(..)) + d(h), with |W_self| d(h) in the sum before it
//
// d(h) is 0 below the second layer, which reads the node's own h exactly. What the last layer reads of neighbours is what they have
// told of h and of d(h), together within an RMS of epsilon over w + 1 coordinates. With |told - h| = x and |told d - d| = y, a neighbour is off
// by x + d <= told d + x + y, and x + y <= sqrt 2 sqrt(x^2 + y^2), so that
//
//	d(mean_r) = mean of told d + sqrt 2 epsilon sqrt(w + 1)
//
// What attention reads is in attentiondrift.go. So the bound is of one embedding, by the values at hand: the lengths N are those of its own vectors. A bound for all embeddings at
// once, the obvious design, would have to put e in the place of N, and say nothing. The bound is worst case: that all neighbours
// are off at once, and in the direction that moves the embedding most. Rounding is not in it.
type drift struct {
	// token has d of each token on its way through the fusion, item of each item's sum.
	token, item []float64
	norms       *norms
}

// norms are the spectral norms that d needs.
type norms struct {
	layers   [modalities][]layerNorms // those above the first
	join     [modalities]float64      // of the rows for h; 1 where the residual is a sum
	gate, up [modalities]float64
	query, key, value, project,
	outward, // of the output projection, where there is one
	network float64 // up and down with GELU between them; of the mlp down with GELU before it
}

// layerNorms are those of a layer: of W_self, where h may be off, and of V_b.
type layerNorms struct {
	self  float64
	bases []float64
}

// lipschitzGELU is above the steepest slope of GELU.
const lipschitzGELU = 1.13

// driftNorms computes the norms once: they take some tenths of a second, and who serves with epsilon 0 needs none.
func (m *Model) driftNorms() *norms {
	m.normsOnce.Do(func() {
		n, w := &m.norms, m.cfg.Width
		of := func(name string) float64 { return spectral(m.named[name]) }
		n.network = lipschitzGELU * of("fusion.down.weight")
		if output, ok := m.named["fusion.output"]; ok {
			n.outward = spectral(output)
		}
		m.eachBranch(func(mode int, name string) {
			n.layers[mode] = make([]layerNorms, m.cfg.depth())
			for l := 1; l < m.cfg.depth(); l++ {
				at, ly := fmt.Sprintf("%s.layer%d", name, l+1), &n.layers[mode][l]
				if l > 1 {
					ly.self = of(at + ".self.weight")
				}
				for b := range m.cfg.Bases {
					ly.bases = append(ly.bases, spectral(m.named[at+".bases"].below(b*w).top(w)))
				}
			}
			n.gate[mode], n.join[mode] = of("fusion.gate."+name+".weight"), 1
			if join, ok := m.named[name+".join"]; ok {
				n.join[mode] = spectral(join.top(w))
			}
			if up, ok := m.named["fusion.up."+name+".weight"]; ok {
				n.up[mode] = spectral(up)
			}
		})
		if qkv, ok := m.named["fusion.qkv.weight"]; ok {
			n.query, n.key, n.value = spectral(qkv.columns(0, w)), spectral(qkv.columns(w, 2*w)), spectral(qkv.columns(2*w, 3*w))
			n.project = of("fusion.proj.weight")
			n.network *= of("fusion.up.weight")
		}
	})
	return &m.norms
}

// meanOff is d of a block of a mean that a layer reads, of vectors that have told of a d whose mean is told.
func (m *Model) meanOff(l int, off float32, told float64) float64 {
	length := float64(off) * math.Sqrt(float64(m.Width(l)))
	if l == 2 {
		return told + math.Sqrt2*length
	}
	return length
}

// drift is d of a layer's block, where LN has scaled.
func (n *layerNorms) drift(ly *layer, j *job, scale float64) float64 {
	d := n.self * j.selfOff
	for i, msg := range j.messages {
		for b, c := range ly.coefficients.row(msg.Relation) {
			d += n.bases[b] * math.Abs(float64(c)) * j.offs[i]
		}
	}
	return ly.norm.drift(d, scale) + j.selfOff
}

// drift is d(LN x) where LN has scaled x by scale, 1 / sqrt(variance + 1e-5).
func (n norm) drift(d, scale float64) float64 {
	root := math.Sqrt(float64(len(n.gain)))
	length := root / scale
	return n.most * root * min(2, 2*d/(length+max(length-d, root*math.Sqrt(variance))))
}

// unitDrift is d(x / |x|).
func unitDrift(d, length float64) float64 {
	if d == 0 {
		return 0
	}
	return min(2, 2*d/(length+max(length-d, 0)))
}

// attended adds d of what attention adds to each token: l has normalized it by scales, and qkv are the queries, keys and values.
func (l *encoderLayer) attended(m *Model, t *tokens, qkv []float32, scales []float64) {
	d := t.drift
	normed := make([]float64, len(t.mode))
	for k := range normed {
		normed[k] = l.n1.drift(d.token[k], scales[k])
	}
	for first, last := range t.items() {
		for a := first; a < last; a++ {
			d.token[a] += d.norms.project * l.attentionDrift(m, qkv, normed, a, first, last, d.norms)
		}
	}
}

// attentionDrift is d of what token a reads of the tokens of its item.
func (l *encoderLayer) attentionDrift(m *Model, qkv []float32, normed []float64, a, first, last int, n *norms) float64 {
	var share [modalities]float64 // the greatest of each token, over the heads
	spread := 0.0
	for h := range m.cfg.Heads {
		p := m.shares(qkv, h, a, first, last, l.self)
		query := m.part(qkv, a, 0, h)
		from, logits, radius := -1, 0.0, 0.0
		for b := first; b < last; b++ {
			if !l.self && b == a {
				continue
			}
			share[b-first] = max(share[b-first], p[b-first])
			key, value := m.part(qkv, b, 1, h), m.part(qkv, b, 2, h)
			dq, dk := n.query*normed[a], n.key*normed[b]
			logits = max(logits, (length(query)*dk+length(key)*dq+dq*dk)/math.Sqrt(float64(len(query))))
			if from < 0 {
				from = b
			}
			radius = max(radius, distance(value, m.part(qkv, from, 2, h))+n.value*normed[b])
		}
		if last-first > 2 || l.self && last-first > 1 { // of one token the share is 1, whatever the logit
			spread += math.Pow(min(2, logits)*radius, 2)
		}
	}
	d := math.Sqrt(spread)
	for b := first; b < last; b++ {
		d += share[b-first] * n.value * normed[b]
	}
	return d
}

func length(v []float32) float64 { return math.Sqrt(dot(v, v)) }

func distance(a, b []float32) float64 {
	s := 0.0
	for i, x := range a {
		d := float64(x) - float64(b[i])
		s += d * d
	}
	return math.Sqrt(s)
}
