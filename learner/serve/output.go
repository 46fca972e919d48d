package serve

import "math"

// tokens is the scratch of the fusion.
type tokens struct {
	token, normed, read, more []float32 // rows of Width
	wide                      []float32 // rows of 4*Width
	mode, item                []int     // of each token
}

func (t *tokens) make(w int) {
	const n = chunk * modalities
	t.token, t.normed, t.read, t.more = make([]float32, n*w), make([]float32, n*w), make([]float32, n*w), make([]float32, n*w)
	t.wide = make([]float32, n*4*w)
	t.mode, t.item = make([]int, 0, n), make([]int, 0, n)
}

// Output returns the embeddings of artifacts: unit vectors of Width numbers. h2 is what the last
// layer gave, features what Artifact gave.
func (m *Model) Output(h2, features [][]float32) [][]float32 {
	must("features", len(features), len(h2))
	w := m.cfg.Width
	out := make([][]float32, len(h2))
	slab := make([]float32, len(h2)*w)
	for i := range h2 {
		out[i] = slab[i*w : (i+1)*w : (i+1)*w]
		finite("h2", h2[i])
		finite("features", features[i])
	}
	m.parallel(len(h2), func(s *scratch, from, to int) {
		m.fuse(&s.tokens, h2[from:to], features[from:to], out[from:to])
	})
	return out
}

// fuse is the forward pass of model.Model's fusion; its comments are there. Only tokens that
// are present have a row.
func (m *Model) fuse(t *tokens, h2, features, out [][]float32) {
	w := m.cfg.Width
	t.mode, t.item = t.mode[:0], t.item[:0]
	for i := range h2 {
		_, direct := Halves(features[i])
		for mode := range modalities {
			d := m.block(direct, mode)
			if d == nil {
				continue
			}
			row := t.token[len(t.mode)*w : (len(t.mode)+1)*w]
			copy(row, d)
			if h := m.block(h2[i], mode); h != nil {
				for k, x := range h {
					row[k] += x
				}
			}
			t.mode, t.item = append(t.mode, mode), append(t.item, i)
		}
	}
	n := len(t.mode)
	token, normed := t.token[:n*w], t.normed[:n*w]
	each(normed, token, w, m.n1)
	m.dense(normed, m.qkv, t.wide)
	m.attend(t, t.wide[:n*3*w])
	m.dense(t.read[:n*w], m.proj, t.more)
	add(token, t.more)
	each(normed, token, w, m.n2)
	m.dense(normed, m.up, t.wide)
	gelu(t.wide[:n*4*w])
	m.dense(t.wide[:n*4*w], m.down, t.more)
	add(token, t.more)
	for i := range out {
		clear(out[i])
	}
	for k := range n {
		row := token[k*w : (k+1)*w]
		gate := t.more[:w]
		m.dense(row, m.branches[t.mode[k]].gate, gate)
		z := out[t.item[k]]
		for j, x := range row {
			z[j] += float32(float64(x) / (1 + math.Exp(-float64(gate[j]))))
		}
	}
	for _, z := range out {
		normalize(z, m.n3, z)
		unit(z)
	}
}

// dense is a linear layer over rows.
func (m *Model) dense(x []float32, l linear, out []float32) {
	if len(x) == 0 {
		return
	}
	m.product(x, l.w, out)
	for i := range len(x) / l.w.rows {
		row := out[i*l.w.cols : (i+1)*l.w.cols]
		for j, b := range l.b {
			row[j] += b
		}
	}
}

// attend lets each token read the other tokens of its item; one that is alone reads nothing.
func (m *Model) attend(t *tokens, qkv []float32) {
	w, size := m.cfg.Width, m.cfg.Width/m.cfg.Heads
	scale := 1 / math.Sqrt(float64(size))
	n := len(t.mode)
	clear(t.read[:n*w])
	for first := 0; first < n; {
		last := first + 1
		for last < n && t.item[last] == t.item[first] {
			last++
		}
		for a := first; a < last; a++ {
			for h := range m.cfg.Heads {
				var p [modalities]float64
				top, total := math.Inf(-1), 0.0
				query := qkv[a*3*w+h*size : a*3*w+(h+1)*size]
				for b := first; b < last; b++ {
					if b != a {
						key := qkv[b*3*w+w+h*size : b*3*w+w+(h+1)*size]
						p[b-first] = scale * dot(query, key)
						top = max(top, p[b-first])
					}
				}
				for b := first; b < last; b++ {
					if b != a {
						p[b-first] = math.Exp(p[b-first] - top)
						total += p[b-first]
					}
				}
				row := t.read[a*w+h*size : a*w+(h+1)*size]
				for b := first; b < last; b++ {
					if b != a {
						share := p[b-first] / total
						for j, x := range qkv[b*3*w+2*w+h*size : b*3*w+2*w+(h+1)*size] {
							row[j] += float32(share * float64(x))
						}
					}
				}
			}
		}
		first = last
	}
}

// each normalizes rows.
func each(out, in []float32, w int, n norm) {
	for i := 0; i < len(in); i += w {
		normalize(in[i:i+w], n, out[i:i+w])
	}
}

func add(to, x []float32) {
	for i := range to {
		to[i] += x[i]
	}
}

// gelu is x*Phi(x) (Hendrycks, Gimpel 2016).
func gelu(v []float32) {
	for i, x := range v {
		v[i] = float32(0.5 * float64(x) * (1 + math.Erf(float64(x)/math.Sqrt2)))
	}
}

func dot(a, b []float32) (s float64) {
	for i, x := range a {
		s += float64(float64(x) * float64(b[i]))
	}
	return s
}

// unit brings v to length 1.
func unit(v []float32) {
	var n float64
	for _, x := range v {
		n += float64(float64(x) * float64(x))
	}
	scale := float32(1 / math.Sqrt(max(n, 1e-20)))
	for i := range v {
		v[i] *= scale
	}
}
