package infer

import "math"

// Input is a node that Layer computes.
type Input struct {
	Self     []float32 // h, blocks of the layer's Width
	Messages []Message
}

// Message is the mean of what the neighbours of one relation Give: each block over the neighbours at which it is active.
type Message struct {
	Relation int
	Mean     []float32 // blocks of the layer's MessageWidth
}

// block returns the block of a modality in v, nil when it is absent.
func (m *Model) block(v []float32, mode int) []float32 {
	b, _ := m.blockOf(v, mode, m.cfg.Width)
	return b
}

// blockOf is block of a vector whose blocks are of a width of a layer, and tells how far the block may be off.
func (m *Model) blockOf(v []float32, mode, width int) (b []float32, off float64) {
	if len(v) < (mode+1)*width {
		return nil, 0
	}
	all := v[mode*width : (mode+1)*width]
	if b = all[:m.cfg.Width:m.cfg.Width]; !present(b) {
		return nil, 0
	}
	if width > len(b) {
		off = float64(all[len(b)])
	}
	return b, off
}

// job is one block of one node.
type job struct {
	self     []float32
	messages []Message // the mean of each is the block's
	scales   []float32 // by what each mean is multiplied; nil: by 1
	out      []float32
	drift    *float64  // where d of out goes, see drift; nil: nobody wants to know
	selfOff  float64   // how far self is off
	offs     []float64 // how far each mean is off
}

// Layer computes layer l (from 0) for a batch of nodes, on all processors. It returns h' of each, up to its last active
// block. Each h' has memory of its own: who keeps a few of a batch, as a cache of nodes does, must not keep the batch.
// Means of what a layer gave may be off by up to an RMS over the coordinates of each of their blocks: that of what has moved and not
// been told. What the third layer reads says how far it is off then.
func (m *Model) Layer(l int, in []Input, off float32) [][]float32 {
	if off == 0 || m.gives(l) == m.cfg.Width {
		return m.layer(l, in, 0, nil)
	}
	drifts := make([][modalities]float64, len(in))
	out := m.layer(l, in, off, drifts)
	for i, h := range out {
		for mode := range len(h) / m.gives(l) {
			h[mode*m.gives(l)+m.cfg.Width] = float32(drifts[i][mode])
		}
	}
	return out
}

// gives is the length of the blocks that a layer returns: what the next one reads, and of the last Width.
func (m *Model) gives(l int) int {
	if l+1 < m.cfg.depth() {
		return m.Width(l + 1)
	}
	return m.cfg.Width
}

// layer is Layer, and writes to drifts, if these are wanted, d of each block.
func (m *Model) layer(l int, in []Input, off float32, drifts [][modalities]float64) [][]float32 {
	mustBelow("layer", l, m.cfg.depth())
	w, reads, gives := m.cfg.Width, m.Width(l), m.gives(l)
	out := make([][]float32, len(in))
	var jobs [modalities][]job
	for i := range in {
		var active [modalities]bool
		last := m.activeModalities(in[i], l, &active)
		out[i] = make([]float32, last*gives)
		for mode := range last {
			if !active[mode] {
				continue
			}
			j := job{out: out[i][mode*gives : mode*gives+w]}
			j.self, j.selfOff = m.blockOf(in[i].Self, mode, reads)
			if drifts != nil {
				j.drift = &drifts[i][mode]
			}
			if j.self == nil {
				j.self = m.branches[mode].layers[l].absent
			}
			j.read(m, l, mode, in[i].Messages, off)
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
						*j.drift = m.driftNorms().layers[mode][l].drift(ly, &j, s.scales[i])
					}
				}
			})
		}
	}
	return out
}

// activeModalities checks an Input and sets which modalities are active at it; it returns the number of blocks up to
// the last active one.
func (m *Model) activeModalities(in Input, l int, active *[modalities]bool) (blocks int) {
	check := func(what string, v []float32, width int) {
		if len(v)%width != 0 || len(v) > modalities*width {
			mustLength(what, len(v), width)
		}
		mustBeFinite(what, v)
		for mode := range len(v) / width {
			if b, _ := m.blockOf(v, mode, width); m.branches[mode] != nil && b != nil {
				active[mode] = true
				blocks = max(blocks, mode+1)
			}
		}
	}
	check("self", in.Self, m.Width(l))
	for _, msg := range in.Messages {
		mustBelow("relation", msg.Relation, m.cfg.Relations)
		check("mean", msg.Mean, m.MessageWidth(l))
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
		for k, msg := range j.messages {
			for base, c := range ly.coefficients.row(msg.Relation) {
				if j.scales != nil {
					c *= j.scales[k]
				}
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
