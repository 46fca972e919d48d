package infer

import "fmt"

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

// Features are what is known of a node; nil stands for none. A node without text and facts still has a record: its
// type.
type Features struct {
	Text, Facts, Image, Audio []float32
}

// Node returns h0 of a node that is no artifact: one block, of its label's features and its type.
//
// In Node, Artifact, Layer and Output, a vector of another length, a type or relation out of range, and a number that
// is not finite (or beyond maxMagnitude) are programming errors: they panic in the caller's goroutine and say which.
func (m *Model) Node(text []float32, typ int) []float32 {
	out := make([]float32, m.cfg.Width)
	m.record(m.branches[record].input, Features{Text: text}, typ, out)
	return out
}

// Artifact returns h0 of an artifact and, behind it and as long, the part of its tokens that comes from its features
// directly. Output is given both halves.
func (m *Model) Artifact(f Features, typ int) []float32 {
	x := [modalities][]float32{image: f.Image, audio: f.Audio}
	blocks := 1
	for mode := image; mode < modalities; mode++ {
		if m.branches[mode] == nil {
			x[mode] = nil
		}
		if present(x[mode]) {
			blocks = mode + 1
		}
	}
	w := m.cfg.Width
	out := make([]float32, 2*blocks*w)
	h0, direct := out[:blocks*w], out[blocks*w:]
	m.record(m.branches[record].input, f, typ, h0[:w])
	m.record(m.branches[record].skip, f, typ, direct[:w])
	for mode := image; mode < blocks; mode++ {
		if present(x[mode]) {
			b := m.branches[mode]
			m.apply(b.input, x[mode], h0[mode*w:(mode+1)*w])
			m.apply(b.skip, x[mode], direct[mode*w:(mode+1)*w])
		}
	}
	return out
}

// Halves splits what Artifact returned.
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

// record writes to out the linear map of [text | facts | one-hot type].
func (m *Model) record(l input, f Features, typ int, out []float32) {
	mustBelow("type", typ, m.cfg.Types)
	if f.Text != nil {
		mustLength("text", len(f.Text), m.cfg.Text)
	}
	if f.Facts != nil {
		mustLength("facts", len(f.Facts), m.cfg.Facts)
	}
	if f.Text == nil {
		clear(out)
	} else {
		mustBeFinite("text", f.Text)
		product(f.Text, l.dense, out)
	}
	mustBeFinite("facts", f.Facts)
	for i, x := range f.Facts {
		m.blas.Saxpy(len(out), x, l.sparse.row(i), 1, out, 1)
	}
	add(out, l.sparse.row(m.cfg.Facts+typ))
	add(out, l.b)
}

// apply writes to out the linear map of a modality's features.
func (m *Model) apply(l input, x, out []float32) {
	mustLength("features", len(x), l.dense.rows)
	mustBeFinite("features", x)
	product(x, l.dense, out)
	add(out, l.b)
}
