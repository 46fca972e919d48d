package tape

import (
	"math"
	"slices"
)

// The operations in float64, as plain loops.

type mat struct {
	rows, cols int
	v          []float64
}

func zeros(rows, cols int) mat     { return mat{rows, cols, make([]float64, rows*cols)} }
func (m mat) at(i, j int) *float64 { return &m.v[i*m.cols+j] }
func (m mat) row(i int) []float64  { return m.v[i*m.cols : (i+1)*m.cols] }
func each(m mat, f func(float64) float64) mat {
	out := mat{m.rows, m.cols, slices.Clone(m.v)}
	for i, x := range out.v {
		out.v[i] = f(x)
	}
	return out
}

func mul(x, w mat) mat {
	y := zeros(x.rows, w.cols)
	for i := range x.rows {
		for j := range w.cols {
			for p := range x.cols {
				*y.at(i, j) += *x.at(i, p) * *w.at(p, j)
			}
		}
	}
	return y
}

func plus(x, y mat) mat {
	z := mat{x.rows, x.cols, slices.Clone(x.v)}
	for i := range z.v {
		z.v[i] += y.v[i%len(y.v)]
	}
	return z
}

func relu64(x float64) float64    { return max(x, 0) }
func gelu64(x float64) float64    { return x * (1 + math.Erf(x/math.Sqrt2)) / 2 }
func sigmoid64(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func norm64(x, gain, bias mat) mat {
	y := zeros(x.rows, x.cols)
	for i := range x.rows {
		mean, square := 0.0, 0.0
		for _, v := range x.row(i) {
			mean += v / float64(x.cols)
		}
		for _, v := range x.row(i) {
			square += (v - mean) * (v - mean) / float64(x.cols)
		}
		for j, v := range x.row(i) {
			*y.at(i, j) = (v-mean)/math.Sqrt(square+1e-5)*gain.v[j] + bias.v[j]
		}
	}
	return y
}

func dot64(x, y []float64) (s float64) {
	for i := range x {
		s += x[i] * y[i]
	}
	return s
}

func unit64(x mat) mat {
	y := zeros(x.rows, x.cols)
	for i := range x.rows {
		for j, v := range x.row(i) {
			*y.at(i, j) = v / math.Sqrt(dot64(x.row(i), x.row(i)))
		}
	}
	return y
}

func mix64(x, c mat, csr CSR, relation []int32) mat {
	y := zeros(csr.Rows(), c.cols*x.cols)
	for i := range y.rows {
		for e := csr.Start[i]; e < csr.Start[i+1]; e++ {
			for b := range c.cols {
				for j, v := range x.row(int(csr.Source[e])) {
					*y.at(i, b*x.cols+j) += float64(csr.Weight[e]) * *c.at(int(relation[e]), b) * v
				}
			}
		}
	}
	return y
}

func attention64(qkv mat, p Mask, heads int, self bool) mat {
	w := qkv.cols / 3
	n := w / heads
	y := zeros(qkv.rows, w)
	for i := range p.Items {
		for a := range p.Modalities {
			for h := range heads {
				part := func(m, which int) []float64 {
					return qkv.row(m*p.Items + i)[which*w+h*n : which*w+(h+1)*n]
				}
				total := 0.0
				score := make([]float64, p.Modalities)
				for b := range p.Modalities {
					if (self || a != b) && p.Present[i*p.Modalities+a] && p.Present[i*p.Modalities+b] {
						score[b] = math.Exp(dot64(part(a, 0), part(b, 1)) / math.Sqrt(float64(n)))
						total += score[b]
					}
				}
				for b, s := range score {
					for j := range n {
						if s > 0 {
							*y.at(a*p.Items+i, h*n+j) += s / total * part(b, 2)[j]
						}
					}
				}
			}
		}
	}
	return y
}

func gates64(x, a mat, p Mask) mat {
	y := zeros(p.Items, x.cols)
	for i := range p.Items {
		for m := range p.Modalities {
			for j := range x.cols {
				if r := m*p.Items + i; p.Present[i*p.Modalities+m] {
					*y.at(i, j) += sigmoid64(*a.at(r, j)) * *x.at(r, j)
				}
			}
		}
	}
	return y
}

func contrast64(q, k, queue mat, temperature float64, weight func(i, j int) float64) mat {
	tau := math.Exp(temperature)
	loss := zeros(1, 1)
	for i := range q.rows {
		pos := math.Exp(dot64(q.row(i), k.row(i)) / tau)
		total := pos
		for j := range queue.rows {
			total += weight(i, j) * math.Exp(dot64(q.row(i), queue.row(j))/tau)
		}
		loss.v[0] += math.Log(total/pos) / float64(q.rows)
	}
	return loss
}
