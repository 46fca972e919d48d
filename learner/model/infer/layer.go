package infer

import "math"

// Input is a node that Layer computes.
type Input struct {
	Self     []float32 // h, blocks of Width
	Messages []Message
}

// Message is the mean over the neighbours of one relation: each block over the neighbours at which it is active.
type Message struct {
	Relation int
	Mean     []float32 // blocks of Width
}

// block returns the block of a modality in v, nil when it is absent.
func (m *Model) block(v []float32, mode int) []float32 {
	w := m.cfg.Width
	if len(v) < (mode+1)*w {
		return nil
	}
	if b := v[mode*w : (mode+1)*w : (mode+1)*w]; present(b) {
		return b
	}
	return nil
}

// job is one block of one node.
type job struct {
	self     []float32
	messages []Message // the mean of each is the block's
	out      []float32
	drift    *float64 // where d of out goes, see drift; nil: nobody wants to know
}

// Layer computes layer l (from 0) for a batch of nodes, on all processors. It returns h' of each, up to its last active
// block. Each h' has memory of its own: who keeps a few of a batch, as a cache of nodes does, must not keep the batch.
func (m *Model) Layer(l int, in []Input) [][]float32 { return m.layer(l, in, 0, nil) }

// layer is Layer, and writes to drifts, if these are wanted, d of each block of the last layer where means are off by a length.
func (m *Model) layer(l int, in []Input, off float64, drifts [][modalities]float64) [][]float32 {
	mustBelow("layer", l, layers)
	w := m.cfg.Width
	out := make([][]float32, len(in))
	var jobs [modalities][]job
	for i := range in {
		var active [modalities]bool
		last := m.activeModalities(in[i], &active)
		out[i] = make([]float32, last*w)
		for mode := range last {
			if !active[mode] {
				continue
			}
			j := job{self: m.block(in[i].Self, mode), out: out[i][mode*w : (mode+1)*w]}
			if drifts != nil {
				j.drift = &drifts[i][mode]
			}
			if j.self == nil {
				j.self = m.branches[mode].layers[l].absent
			}
			for _, msg := range in[i].Messages {
				if b := m.block(msg.Mean, mode); b != nil {
					j.messages = append(j.messages, Message{msg.Relation, b})
				}
			}
			jobs[mode] = append(jobs[mode], j)
		}
	}
	for mode, all := range jobs {
		if len(all) > 0 {
			ly := &m.branches[mode].layers[l]
			m.parallel(len(all), func(s *scratch, from, to int) {
				m.rows(s, ly, all[from:to])
				for i, j := range all[from:to] {
					if j.drift != nil {
						*j.drift = m.driftNorms().layer(mode, ly, j.messages, off, s.scales[i])
					}
				}
			})
		}
	}
	return out
}

// activeModalities checks an Input and sets which modalities are active at it; it returns the number of blocks up to
// the last active one.
func (m *Model) activeModalities(in Input, active *[modalities]bool) (blocks int) {
	check := func(what string, v []float32) {
		if len(v)%m.cfg.Width != 0 || len(v) > modalities*m.cfg.Width {
			mustLength(what, len(v), m.cfg.Width)
		}
		mustBeFinite(what, v)
		for mode := range len(v) / m.cfg.Width {
			if m.branches[mode] != nil && m.block(v, mode) != nil {
				active[mode] = true
				blocks = max(blocks, mode+1)
			}
		}
	}
	check("self", in.Self)
	for _, msg := range in.Messages {
		mustBelow("relation", msg.Relation, m.cfg.Relations)
		check("mean", msg.Mean)
	}
	return blocks
}

// rows computes up to rowsPerChunk blocks of one modality. W_r is never formed: the messages are mixed by the
// coefficients first, which is the same by linearity, sum_r W_r mean_r = sum_b V_b (sum_r c[r,b] mean_r). rows leaves in s how
// each was scaled by the normalization.
func (m *Model) rows(s *scratch, ly *layer, jobs []job) {
	w, length := m.cfg.Width, ly.weights.rows
	rows := s.rows[:len(jobs)*length]
	for i, j := range jobs {
		r := rows[i*length : (i+1)*length]
		copy(r, j.self)
		clear(r[w:])
		for _, msg := range j.messages {
			for base, c := range ly.coefficients.row(msg.Relation) {
				m.blas.Saxpy(w, c, msg.Mean, 1, r[(1+base)*w:(2+base)*w], 1)
			}
		}
	}
	product(rows, ly.weights, s.product)
	for i, j := range jobs {
		h := s.product[i*w : (i+1)*w]
		for k, b := range ly.bias {
			h[k] = max(h[k]+b, 0)
		}
		s.scales[i] = normalize(h, ly.norm, j.out)
		for k, x := range j.self {
			j.out[k] += x
		}
	}
}

// variance is what layer normalization adds to the variance.
const variance = 1e-5

// normalize is layer normalization (Ba, Kiros and Hinton 2016, section 3), and returns by what it has scaled v. out may be v.
func normalize(v []float32, n norm, out []float32) (scale float64) {
	var sum, square float64
	for _, x := range v {
		sum += float64(x)
	}
	mean := sum / float64(len(v))
	for _, x := range v {
		d := float64(x) - mean
		square += d * d
	}
	scale = 1 / math.Sqrt(square/float64(len(v))+variance)
	for i, x := range v {
		// The conversion forbids a fused multiply-add, so that all processors give the same bits.
		out[i] = float32(float64((float64(x)-mean)*scale)*float64(n.gain[i])) + n.bias[i]
	}
	return scale
}
