package infer

import (
	"fmt"

	"kilim/learner/tensor/gemm"
	"kilim/learner/tensor/sparse"
)

// mustLength, mustBelow and mustBeFinite guard lengths, indices and numbers. These follow from the configuration and
// not from data: a wrong one is a programming error.
func mustLength(what string, have, want int) {
	if have != want {
		panic(fmt.Sprintf("infer: %s has length %d, want %d", what, have, want))
	}
}

func mustBelow(what string, have, limit int) {
	if have < 0 || have >= limit {
		panic(fmt.Sprintf("infer: %s %d, the model has %d", what, have, limit))
	}
}

// maxMagnitude keeps products far from overflow. Real values are below 100.
const maxMagnitude = 1e12

// mustBeFinite keeps out a NaN because it would spread: in a running sum of package refresh it would stay for ever.
func mustBeFinite(what string, v []float32) {
	for i, x := range v {
		if !(x >= -maxMagnitude && x <= maxMagnitude) {
			panic(fmt.Sprintf("infer: %s[%d] is %v", what, i, x))
		}
	}
}

// Features are what is known of a node; nil, or the zero Vector, stands for none. A node without text and facts still
// has a record: its type.
type Features struct {
	Text                sparse.Vector
	Facts, Image, Audio []float32
}

// of returns the features of a modality besides the record, nil if there are none or the model has no such modality.
func (m *Model) of(f *Features, mode int) []float32 {
	x := f.Image
	if mode == audio {
		x = f.Audio
	}
	if m.branches[mode] == nil || !present(x) {
		return nil
	}
	return x
}

// Node returns h0 of a node that is no artifact: one block, of its label's features and its type.
//
// In Node, Artifacts, Layer and Output, a vector of another length, a type or relation out of range, and a
// number that is not finite (or beyond maxMagnitude) are programming errors: they panic in the caller's goroutine and
// say which.
func (m *Model) Node(text sparse.Vector, typ int) []float32 {
	f := Features{Text: text}
	m.mustFit(&f, typ)
	out := make([]float32, m.cfg.Width)
	l := &m.branches[record].input
	switch {
	case !text.Whole():
		gemm.MultiplySparse(text, len(out), l.rows.data, out, false)
	case text.Length > 0:
		product(text.Value, l.whole, out)
	}
	m.addRest(l, &f, typ, out)
	return out
}

// Artifacts returns, for each artifact, h0 and, behind it and as long, the part of its tokens that comes from its
// features directly. Output is given both halves. Artifacts computes on all processors.
func (m *Model) Artifacts(features []Features, typ int) [][]float32 {
	w := m.cfg.Width
	out := make([][]float32, len(features))
	for i := range features {
		f := &features[i]
		m.mustFit(f, typ)
		blocks := 1
		for mode := image; mode < modalities; mode++ {
			if m.of(f, mode) != nil {
				blocks = mode + 1
			}
		}
		out[i] = make([]float32, 2*blocks*w)
	}
	m.parallel(len(features), func(s *scratch, from, to int) { m.inputs(s, features[from:to], typ, out[from:to]) })
	return out
}

// inputs is Artifacts for up to rowsPerChunk artifacts. Their whole vectors are multiplied together, for which a matrix
// is read once; sparse ones each for itself, for which only some rows of it are read.
func (m *Model) inputs(s *scratch, features []Features, typ int, out [][]float32) {
	for mode, b := range m.branches {
		if b == nil {
			continue
		}
		var whole []int // which artifacts have whole features
		rows := s.rows[:0]
		for i := range features {
			f := &features[i]
			var x []float32
			if mode != record {
				x = m.of(f, mode)
			} else if f.Text.Whole() {
				x = f.Text.Value
			}
			if len(x) > 0 {
				whole, rows = append(whole, i), append(rows, x...)
			}
		}
		for half, l := range []*input{&b.input, &b.skip} {
			block := func(i int) []float32 {
				at := half*len(out[i])/2 + mode*m.cfg.Width
				return out[i][at : at+m.cfg.Width]
			}
			if len(whole) > 0 {
				product(rows, l.whole, s.product)
			}
			for k, i := range whole {
				copy(block(i), s.product[k*m.cfg.Width:])
				if mode != record {
					add(block(i), l.b)
				}
			}
			if mode != record {
				continue
			}
			for i := range features {
				f := &features[i]
				if !f.Text.Whole() {
					gemm.MultiplySparse(f.Text, m.cfg.Width, l.rows.data, block(i), false)
				}
				m.addRest(l, f, typ, block(i))
			}
		}
	}
}

// addRest adds to out, which has the product of a record's text, that of [facts | one-hot type] and the bias.
func (m *Model) addRest(l *input, f *Features, typ int, out []float32) {
	for i, x := range f.Facts {
		m.blas.Saxpy(len(out), x, l.rest.row(i), 1, out, 1)
	}
	add(out, l.rest.row(m.cfg.Facts+typ))
	add(out, l.b)
}

// mustFit checks features.
func (m *Model) mustFit(f *Features, typ int) {
	mustBelow("type", typ, m.cfg.Types)
	if f.Text.Length > 0 {
		mustLength("text", f.Text.Length, m.cfg.Text)
	}
	mustBeFinite("text", f.Text.Value)
	if f.Facts != nil {
		mustLength("facts", len(f.Facts), m.cfg.Facts)
	}
	mustBeFinite("facts", f.Facts)
	for mode := image; mode < modalities; mode++ {
		if x := m.of(f, mode); x != nil {
			mustLength(names[mode], len(x), m.cfg.dims()[mode])
			mustBeFinite(names[mode], x)
		}
	}
}

// Halves splits what Artifacts returned for one.
func Halves(features []float32) (h0, direct []float32) {
	n := len(features) / 2
	return features[:n:n], features[n:]
}

// present is false for nil and for zeros.
func present(v []float32) bool {
	for _, x := range v {
		if x != 0 {
			return true
		}
	}
	return false
}
