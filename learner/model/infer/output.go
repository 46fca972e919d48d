package infer

import (
	"iter"
	"math"
)

// tokens is the scratch memory of the fusion.
type tokens struct {
	token, normed, attended, branchOut []float32 // rows of Width
	fused                              []float32 // rowsPerChunk rows of Width, where these are no embeddings yet
	hidden                             []float32 // rows of 4*Width
	mode, item                         []int     // of each token
	scales                             []float64 // of each token, see normalize
	drift                              *drift    // nil: nobody wants to know
}

func (t *tokens) make(w int) {
	const n = rowsPerChunk * modalities
	t.token, t.normed, t.attended, t.branchOut = make([]float32, n*w), make([]float32, n*w), make([]float32, n*w), make([]float32, n*w)
	t.hidden = make([]float32, n*4*w)
	t.fused = make([]float32, rowsPerChunk*w)
	t.mode, t.item = make([]int, 0, n), make([]int, 0, n)
	t.scales = make([]float64, n)
}

// items gives the tokens of each item, from the first to before the last.
func (t *tokens) items() iter.Seq2[int, int] {
	return func(yield func(first, last int) bool) {
		for first := 0; first < len(t.mode); {
			last := first + 1
			for last < len(t.mode) && t.item[last] == t.item[first] {
				last++
			}
			if !yield(first, last) {
				return
			}
			first = last
		}
	}
}

// alone tells that no item has more than one token.
func (t *tokens) alone() bool {
	for k := 1; k < len(t.item); k++ {
		if t.item[k] == t.item[k-1] {
			return false
		}
	}
	return true
}

// Output returns the embeddings of artifacts: unit vectors of EmbeddingDim numbers. last is what the last Layer returned for
// each, features what Artifacts returned.
func (m *Model) Output(last, features [][]float32) [][]float32 {
	return m.output(last, features, nil, nil)
}

// Embed is the last Layer with Output, of artifacts. If the means in the Messages may be off by up to an RMS, over the coordinates of each
// of their blocks, it also tells how far each embedding may be from the exact one, by a bound, at most 2; drifts is nil for 0.
func (m *Model) Embed(in []Input, features [][]float32, off float32) (embeddings [][]float32, drifts []float64) {
	last := m.cfg.depth() - 1
	if off == 0 {
		return m.Output(m.layer(last, in, 0, nil), features), nil
	}
	blocks := make([][modalities]float64, len(in))
	h := m.layer(last, in, off, blocks)
	drifts = make([]float64, len(in))
	return m.output(h, features, blocks, drifts), drifts
}

// output is Output, and writes to drifts, if these are wanted, how far embeddings are off if last is by blocks.
func (m *Model) output(last, features [][]float32, blocks [][modalities]float64, drifts []float64) [][]float32 {
	mustLength("features", len(features), len(last))
	dim := m.EmbeddingDim()
	out := make([][]float32, len(last))
	for i := range last {
		out[i] = make([]float32, dim) // of its own, see Layer
		mustBeFinite("last", last[i])
		mustBeFinite("features", features[i])
	}
	m.parallel(len(last), func(s *scratch, from, to int) {
		t := &s.tokens
		if t.drift = nil; drifts != nil {
			t.drift = &drift{item: drifts[from:to], norms: m.driftNorms()}
			m.fuse(t, last[from:to], features[from:to], out[from:to], blocks[from:to])
			return
		}
		m.fuse(t, last[from:to], features[from:to], out[from:to], nil)
	})
	return out
}

// fuse makes embeddings of the branches' vectors. Only tokens that are present have a row.
func (m *Model) fuse(t *tokens, last, features, out [][]float32, blocks [][modalities]float64) {
	t.mode, t.item = t.mode[:0], t.item[:0]
	for i := range last {
		_, direct := Halves(features[i])
		for mode := range modalities {
			if d := m.block(direct, mode); d != nil {
				m.token(t, m.block(last[i], mode), d, mode)
				t.mode, t.item = append(t.mode, mode), append(t.item, i)
				if t.drift != nil {
					t.drift.token = append(t.drift.token, t.drift.norms.join[mode]*blocks[i][mode])
				}
			}
		}
	}
	if m.outward.Packed == nil {
		m.fusion.fuse(m, t, out)
	} else {
		w, fused := m.cfg.Width, make([][]float32, len(out))
		clear(t.fused)
		for i := range fused {
			fused[i] = t.fused[i*w : (i+1)*w]
		}
		m.fusion.fuse(m, t, fused)
		for i, z := range fused {
			product(z, m.outward, out[i])
			if t.drift != nil {
				t.drift.item[i] *= t.drift.norms.outward
			}
		}
	}
	for i, z := range out {
		length := unit(z)
		if t.drift != nil {
			t.drift.item[i] = unitDrift(t.drift.item[i], length)
		}
	}
}

// token writes the next token: h, the branch's vector (nil for none), with the residual of the branch's input.
func (m *Model) token(t *tokens, h, direct []float32, mode int) {
	w, n := m.cfg.Width, len(t.mode)
	row := t.token[n*w : (n+1)*w]
	if join := m.branches[mode].join; join.Packed != nil {
		both := t.hidden[:2*w]
		clear(both[:w])
		copy(both, h)
		copy(both[w:], direct)
		product(both, join, row)
		return
	}
	copy(row, direct)
	for k, x := range h {
		row[k] += x
	}
}

// dense is a linear layer over rows.
func (m *Model) dense(x []float32, l linear, out []float32) {
	if len(x) == 0 {
		return
	}
	product(x, l.w, out)
	l.addBias(out[:len(x)/l.w.rows*l.w.cols])
}

// addBias adds the bias to each of some rows.
func (l linear) addBias(rows []float32) {
	for ; len(rows) > 0; rows = rows[l.w.cols:] {
		add(rows[:l.w.cols], l.b)
	}
}

// normalizeRows applies normalize to each row of in.
func normalizeRows(out, in []float32, w int, n norm, scales []float64) {
	for i := 0; i < len(in); i += w {
		scales[i/w] = normalize(in[i:i+w], n, out[i:i+w])
	}
}

func add(to, x []float32) {
	for i := range to {
		to[i] += x[i]
	}
}

func dot(a, b []float32) (s float64) {
	for i, x := range a {
		s += float64(float64(x) * float64(b[i]))
	}
	return s
}

// unit scales v to length 1, and returns what it was.
func unit(v []float32) (length float64) {
	var n float64
	for _, x := range v {
		n += float64(float64(x) * float64(x))
	}
	scale := float32(1 / math.Sqrt(max(n, 1e-20)))
	for i := range v {
		v[i] *= scale
	}
	return math.Sqrt(n)
}
