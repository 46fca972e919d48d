package tape

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/learner/tensor/par"
)

// operation is one operation, on the tape and in float64.
type operation struct {
	name   string
	shapes [][2]int // of the inputs that are differentiated
	tape   func(t *Tape, in []Matrix) Matrix
	plain  func(in []mat) mat
}

type everyThird struct{}

func (everyThird) Weigh(i int, _, w []float32) {
	for j := range w {
		w[j] = float32(weightOf(i, j))
	}
}

func weightOf(i, j int) float64 { return float64((i + j) % 3) }

func numbers(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(float32(r.NormFloat64()))
	}
	return x
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

func graph(r *rand.Rand, rows, sources, relations int) (CSR, []int32) {
	c, rel := CSR{Start: []int32{0}}, []int32(nil)
	for range rows {
		for range r.IntN(5) {
			c.Source = append(c.Source, r.Int32N(int32(sources)))
			c.Weight = append(c.Weight, r.Float32())
			rel = append(rel, r.Int32N(int32(relations)))
		}
		c.Start = append(c.Start, int32(len(c.Source)))
	}
	return c, rel
}

func operations(tb testing.TB) []operation {
	r := rand.New(rand.NewPCG(7, 7))
	csr, relation := graph(r, 70, 9, 3)
	edges, err := NewEdges(csr, relation, 9, 3)
	if err != nil {
		tb.Fatal(err)
	}
	mask := Mask{5, 3, []bool{true, true, true, true, false, true, false, false, true, true, true, false, false, true, true}}
	k, queue := mat{4, 8, numbers(r, 32)}, mat{300, 8, numbers(r, 2400)}
	k, queue = unit64(k), unit64(queue)
	constant := func(m mat) Matrix { return Constant(m.rows, m.cols, narrow(m.v)) }
	linear := func(act Activation) func(t *Tape, in []Matrix) Matrix {
		return func(t *Tape, in []Matrix) Matrix {
			y := t.New(in[0].Rows, in[1].Cols)
			t.Product(y, in[0], in[1], false)
			t.Product(y.Slice(0, 3), in[0].Slice(2, 5), in[1], true) // views share the gradient
			t.Bias(y, in[2], act, Drop{})
			return y
		}
	}
	linear64 := func(act func(float64) float64) func(in []mat) mat {
		return func(in []mat) mat {
			y := mul(in[0], in[1])
			more := mul(mat{3, in[0].cols, in[0].v[2*in[0].cols : 5*in[0].cols]}, in[1])
			for i, x := range more.v {
				y.v[i] += x
			}
			return each(plus(y, in[2]), act)
		}
	}
	features, rows := featureRows(r, 70, 20)
	input := gathered(features, rows)
	shapes := [][2]int{{70, 7}, {7, 18}, {1, 18}}
	none := Matrix{}
	return []operation{
		{"linear", shapes, linear(Identity), linear64(func(x float64) float64 { return x })},
		{"linear ReLU", shapes, linear(ReLU), linear64(relu64)},
		{"linear GELU", shapes, linear(GELU), linear64(gelu64)},
		{"input product", [][2]int{{20, 18}, {20, 18}}, func(t *Tape, in []Matrix) Matrix {
			x, y := t.Gather(features, rows), t.New(70, 18)
			t.InputProduct(y, x, in[0], false)
			t.InputProduct(y.Slice(0, 30), x, in[1], true)
			return y
		}, func(in []mat) mat {
			y := mul(input, in[0])
			for i, x := range mul(mat{30, 20, input.v[:30*20]}, in[1]).v {
				y.v[i] += x
			}
			return y
		}},
		{"layer norm", [][2]int{{66, 9}, {1, 9}, {1, 9}}, func(t *Tape, in []Matrix) Matrix {
			y := t.New(66, 9)
			t.LayerNorm(y, in[0], none, in[1], in[2], false)
			return y
		}, func(in []mat) mat { return norm64(in[0], in[1], in[2]) }},
		{"layer norm, residual outside", [][2]int{{66, 9}, {1, 9}, {1, 9}, {66, 9}}, func(t *Tape, in []Matrix) Matrix {
			y := t.New(66, 9)
			t.LayerNorm(y, in[0], in[3], in[1], in[2], false)
			return y
		}, func(in []mat) mat { return plus(norm64(in[0], in[1], in[2]), in[3]) }},
		{"layer norm, residual inside", [][2]int{{66, 9}, {1, 9}, {1, 9}, {66, 9}, {1, 9}}, func(t *Tape, in []Matrix) Matrix {
			x, y := t.New(66, 9), t.New(66, 9)
			t.Copy(x, in[0])
			t.Bias(x, in[4], ReLU, Drop{}) // which looks at x while going back
			t.LayerNorm(y, x, in[3], in[1], in[2], true)
			return y
		}, func(in []mat) mat { return norm64(plus(each(plus(in[0], in[4]), relu64), in[3]), in[1], in[2]) }},
		{"unit", [][2]int{{65, 9}}, func(t *Tape, in []Matrix) Matrix { return t.Unit(in[0]) },
			func(in []mat) mat { return unit64(in[0]) }},
		{"mix", [][2]int{{9, 11}, {3, 2}}, func(t *Tape, in []Matrix) Matrix {
			y := t.New(70, 22)
			t.Mix(y, in[0], in[1], edges)
			return y
		}, func(in []mat) mat { return mix64(in[0], in[1], csr, relation) }},
		attends(tb),
		{"attention", [][2]int{{15, 24}}, func(t *Tape, in []Matrix) Matrix {
			y := t.New(15, 8)
			t.Attention(y, in[0], mask, 2, false)
			return y
		}, func(in []mat) mat { return attention64(in[0], mask, 2, false) }},
		{"attention with itself", [][2]int{{15, 24}}, func(t *Tape, in []Matrix) Matrix {
			y := t.New(15, 8)
			t.Attention(y, in[0], mask, 2, true)
			return y
		}, func(in []mat) mat { return attention64(in[0], mask, 2, true) }},
		{"gates", [][2]int{{15, 9}, {15, 9}}, func(t *Tape, in []Matrix) Matrix {
			y := t.New(5, 9)
			t.Gates(y, in[0], in[1], mask)
			return y
		}, func(in []mat) mat { return gates64(in[0], in[1], mask) }},
		{"InfoNCE", [][2]int{{4, 8}, {1, 1}}, func(t *Tape, in []Matrix) Matrix {
			return t.InfoNCE(in[0], constant(k), constant(queue), in[1], nil)
		}, func(in []mat) mat {
			return contrast64(in[0], k, queue, in[1].v[0], func(int, int) float64 { return 1 })
		}},
		{"InfoNCE, weighted", [][2]int{{4, 8}, {1, 1}}, func(t *Tape, in []Matrix) Matrix {
			return t.InfoNCE(in[0], constant(k), constant(queue), in[1], everyThird{})
		}, func(in []mat) mat { return contrast64(in[0], k, queue, in[1].v[0], weightOf) }},
	}
}

func newTape(t testing.TB, threads int) *Tape {
	t.Helper()
	pool, err := par.New(threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return New(pool)
}

// run returns the result of an operation and the gradients of a weighted sum of its elements.
func run(tape *Tape, o operation, in []mat, weight []float32) (out []float32, grads [][]float32) {
	tape.Reset()
	var vars []Matrix
	for _, m := range in {
		g := make([]float32, len(m.v))
		grads = append(grads, g)
		vars = append(vars, Variable(m.rows, m.cols, narrow(m.v), g))
	}
	y := o.tape(tape, vars)
	total := tape.New(1, 1)
	tape.Product(total, y.Reshape(1, len(y.Data)), Constant(len(y.Data), 1, weight[:len(y.Data)]), false)
	out = slices.Clone(y.Data)
	tape.Backward(total)
	return out, grads
}

// TestGradients holds results against float64, and gradients against central differences in float64.
func TestGradients(t *testing.T) {
	t.Parallel()
	for _, o := range operations(t) {
		t.Run(o.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 1))
			var in []mat
			for _, s := range o.shapes {
				in = append(in, mat{s[0], s[1], numbers(r, s[0]*s[1])})
			}
			weight := numbers(r, 4096)
			got, grads := run(newTape(t, 2), o, in, narrow(weight))
			want := o.plain(in)
			for i, x := range want.v {
				if math.Abs(float64(got[i])-x) > 1e-5*(1+math.Abs(x)) {
					t.Fatalf("element %d is %v, want %v", i, got[i], x)
				}
			}
			value := func() float64 { y := o.plain(in); return dot64(y.v, narrowAndBack(weight[:len(y.v)])) }
			const h = 1e-6
			for k, m := range in {
				var off, size float64
				for i := range m.v {
					x := m.v[i]
					m.v[i] = x + h
					up := value()
					m.v[i] = x - h
					d := (up - value()) / (2 * h)
					m.v[i] = x
					off += (d - float64(grads[k][i])) * (d - float64(grads[k][i]))
					size += d * d
				}
				if size == 0 || math.Sqrt(off/size) > 1e-5 {
					t.Errorf("gradient of input %d: relative error %.2g of %.3g", k, math.Sqrt(off/size), math.Sqrt(size))
				}
			}
		})
	}
}

func narrowAndBack(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range narrow(x) {
		y[i] = float64(v)
	}
	return y
}

// TestBitsDoNotDependOnThreads: results and gradients have the same bits for any number of threads, and in memory that
// is reused.
func TestBitsDoNotDependOnThreads(t *testing.T) {
	t.Parallel()
	one, three := newTape(t, 1), newTape(t, 3)
	for _, o := range operations(t) {
		r := rand.New(rand.NewPCG(2, 2))
		var in []mat
		for _, s := range o.shapes {
			in = append(in, mat{s[0], s[1], numbers(r, s[0]*s[1])})
		}
		weight := narrow(numbers(r, 4096))
		y, g := run(one, o, in, weight)
		for range 2 {
			y3, g3 := run(three, o, in, weight)
			g3 = append(g3, y3)
			for k, want := range append(slices.Clone(g), y) {
				for i := range want {
					if math.Float32bits(want[i]) != math.Float32bits(g3[k][i]) {
						t.Fatalf("%s: matrix %d, element %d: %v with 1 thread, %v with 3", o.name, k, i, want[i], g3[k][i])
					}
				}
			}
		}
	}
}

// TestAbsentTokensAreNotRead: numbers in the row of an absent token change nothing.
func TestAbsentTokensAreNotRead(t *testing.T) {
	t.Parallel()
	for _, o := range operations(t) {
		if o.name != "attention" && o.name != "attention with itself" && o.name != "gates" {
			continue
		}
		r := rand.New(rand.NewPCG(3, 3))
		var in []mat
		for _, s := range o.shapes {
			in = append(in, mat{s[0], s[1], numbers(r, s[0]*s[1])})
		}
		weight := narrow(numbers(r, 4096))
		tape := newTape(t, 1)
		want, grads := run(tape, o, in, weight)
		for _, m := range in {
			for j := range m.cols {
				*m.at(1*5+1, j) = math.NaN() // item 1 has no second modality
			}
		}
		got, after := run(tape, o, in, weight)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the result depends on an absent token", o.name)
		}
		for k := range grads {
			if !slices.Equal(grads[k], after[k]) {
				t.Errorf("%s: the gradient of input %d depends on an absent token", o.name, k)
			}
		}
	}
}

// TestDropout: Dropout zeroes its share, scales the other elements and repeats for a seed, and its gradient passes
// where the value passed; the same holds within Bias.
func TestDropout(t *testing.T) {
	t.Parallel()
	tape := newTape(t, 2)
	const rows, cols = 300, 50
	ones, grad := make([]float32, rows*cols), make([]float32, rows*cols)
	for i := range ones {
		ones[i] = 1
	}
	all := func(y Matrix) Matrix {
		s := tape.New(1, 1)
		tape.Product(s, y.Reshape(1, rows*cols), Constant(rows*cols, 1, ones), false)
		return s
	}
	x := Variable(rows, cols, slices.Clone(ones), grad)
	y := tape.Dropout(x, Drop{0.2, 5})
	again := tape.Dropout(x, Drop{0.2, 5})
	other := tape.Dropout(x, Drop{0.2, 6})
	z := tape.New(rows, cols)
	tape.Copy(z, x)
	tape.Bias(z, Constant(1, cols, make([]float32, cols)), ReLU, Drop{0.2, 5})
	if !slices.Equal(y.Data, again.Data) || slices.Equal(y.Data, other.Data) || !slices.Equal(y.Data, z.Data) {
		t.Fatal("dropout is not a function of its seed")
	}
	zeros := 0
	for _, v := range y.Data {
		if v == 0 {
			zeros++
		} else if v != 1.25 {
			t.Fatalf("%v stays of 1", v)
		}
	}
	if share := float64(zeros) / (rows * cols); math.Abs(share-0.2) > 0.02 {
		t.Errorf("%.3f dropped, want 0.2", share)
	}
	want := slices.Clone(y.Data)
	tape.Backward(all(y))
	if !slices.Equal(grad, want) {
		t.Error("the gradient of Dropout is not its mask")
	}
	clear(grad)
	tape.Reset()
	z = tape.New(rows, cols)
	tape.Copy(z, x)
	tape.Bias(z, Constant(1, cols, make([]float32, cols)), ReLU, Drop{0.2, 5})
	tape.Backward(all(z))
	if !slices.Equal(grad, want) {
		t.Error("the gradient of Bias with a dropout is not its mask")
	}
}

func TestEdgesAreChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]CSR{
		"no start":      {},
		"short weights": {[]int32{0, 1}, []int32{0}, nil},
		"source":        {[]int32{0, 1}, []int32{9}, []float32{1}},
		"order":         {[]int32{0, 2, 1}, []int32{0}, []float32{1}},
	} {
		if _, err := NewEdges(c, make([]int32, len(c.Source)), 9, 1); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := NewEdges(CSR{[]int32{0, 1}, []int32{0}, []float32{1}}, []int32{1}, 9, 1); err == nil {
		t.Error("a relation out of range was accepted")
	}
}

func TestNoGarbage(t *testing.T) {
	tape := newTape(t, 2)
	all := operations(t)
	in := make([][]Matrix, len(all))
	r := rand.New(rand.NewPCG(5, 5))
	for i, o := range all[:11] { // without InfoNCE, whose constants the test makes
		for _, s := range o.shapes {
			n := s[0] * s[1]
			in[i] = append(in[i], Variable(s[0], s[1], narrow(numbers(r, n)), make([]float32, n)))
		}
	}
	step := func() {
		tape.Reset()
		for i, o := range all[:11] {
			y := o.tape(tape, in[i])
			tape.Backward(y.Slice(0, 1).Reshape(y.Cols, 1).Slice(0, 1))
		}
	}
	step()
	if n := testing.AllocsPerRun(5, step); n > 0 {
		t.Errorf("%v allocations a step", n)
	}
}
