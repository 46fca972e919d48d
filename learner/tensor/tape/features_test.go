package tape

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/learner/tensor/sparse"
)

// featureRows returns some Features, sparse and whole ones, and the rows that gather them: one by one, weighted, several,
// or none.
func featureRows(r *rand.Rand, rows, cols int) (Features, CSR) {
	const sources = 15
	dense := make([]float32, sources*cols)
	for i := range dense {
		if share := []float64{0, 0.05, 0.1, 0.5, 1}[i/cols%5]; r.Float64() < share {
			dense[i] = float32(r.NormFloat64())
		}
	}
	c := CSR{Start: []int32{0}}
	for range rows {
		n := []int{0, 1, 1, 1, 1, 1, 3}[r.IntN(7)]
		for range n {
			weight := float32(1)
			if n > 1 || r.IntN(4) == 0 {
				weight = r.Float32()
			}
			c.Source, c.Weight = append(c.Source, r.Int32N(sources)), append(c.Weight, weight)
		}
		c.Start = append(c.Start, int32(len(c.Source)))
	}
	return NewFeatures(cols, dense), c
}

// gathered is Gather by its definition.
func gathered(f Features, c CSR) mat {
	y := zeros(c.Rows(), f.Cols)
	row := make([]float32, f.Cols)
	for i := range c.Rows() {
		for e := c.Start[i]; e < c.Start[i+1]; e++ {
			f.Rows[c.Source[e]].Scatter(row)
			for j, x := range row {
				*y.at(i, j) += float64(c.Weight[e]) * float64(x)
			}
		}
	}
	return y
}

// TestGather: each row is the weighted sum of its entries, and those of one sparse row or none stay sparse.
func TestGather(t *testing.T) {
	t.Parallel()
	f, c := featureRows(rand.New(rand.NewPCG(4, 4)), 200, 40)
	tape := newTape(t, 2)
	x := tape.Gather(f, c)
	if len(x.whole)+len(x.few) != 200 || len(x.whole) < 20 || len(x.few) < 20 {
		t.Fatalf("%d whole rows and %d sparse ones", len(x.whole), len(x.few))
	}
	got := make([][]float32, 200)
	for k, place := range x.whole {
		got[place] = x.matrix.Row(k)
	}
	for k, place := range x.few {
		if x.sparse[k].Whole() {
			t.Errorf("row %d is whole", place)
		}
		got[place] = make([]float32, 40)
		x.sparse[k].Scatter(got[place])
	}
	want := gathered(f, c)
	for i, row := range got {
		for j, x := range row {
			if math.Abs(float64(x)-*want.at(i, j)) > 1e-6 {
				t.Fatalf("element %d of row %d is %v, want %v", j, i, x, *want.at(i, j))
			}
		}
	}
}

// TestInputProductIsProduct holds the sparse path against the dense one: the same bits of the result, the same gradient
// but for rounding, and zeros in the gradient of the rows of w that nothing reads.
func TestInputProductIsProduct(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 5))
		rows, cols, width := 1+r.IntN(400), 1+r.IntN(900), 8*(1+r.IntN(20))
		f, c := featureRows(r, rows, cols)
		own := 1 + r.IntN(rows)
		w, dy := narrow(numbers(r, cols*width)), narrow(numbers(r, rows*width))
		// run takes the product of all rows, and adds that of the first ones.
		run := func(product func(t *Tape, x *Rows, y, w Matrix, add bool)) (y, grad []float32) {
			tape := newTape(t, 2)
			v := Variable(cols, width, w, make([]float32, cols*width))
			x, out := tape.Gather(f, c), tape.New(rows, width)
			product(tape, x, out, v, false)
			product(tape, x, out.Slice(0, own), v, true)
			y = slices.Clone(out.Data)
			copy(out.Grad(), dy)
			tape.backward()
			return y, v.Grad()
		}
		y, grad := run(func(t *Tape, x *Rows, y, w Matrix, add bool) { t.InputProduct(y, x, w, add) })
		wantY, wantGrad := run(func(t *Tape, x *Rows, y, w Matrix, add bool) {
			t.Product(y, denseRows(x, rows).Slice(0, y.Rows), w, add)
		})
		if !slices.Equal(y, wantY) {
			t.Fatalf("seed %d: a product of %dx%d by %d has other bits than the dense one", seed, rows, cols, width)
		}
		zeros := 0
		for i, want := range wantGrad {
			if d := math.Abs(float64(grad[i] - want)); !(d <= 1e-4) || want == 0 && grad[i] != 0 {
				t.Fatalf("seed %d: element %d of the gradient is %v, of the dense product %v", seed, i, grad[i], want)
			}
			if want == 0 {
				zeros++
			}
		}
		if seed == 0 && zeros == len(wantGrad) {
			t.Error("no gradient")
		}
	}
}

// denseRows is what Gather returned as one matrix.
func denseRows(x *Rows, rows int) Matrix {
	m := Constant(rows, x.matrix.Cols, make([]float32, rows*x.matrix.Cols))
	for k, place := range x.whole {
		copy(m.Row(int(place)), x.matrix.Row(k))
	}
	for k, place := range x.few {
		x.sparse[k].Scatter(m.Row(int(place)))
	}
	return m
}

// TestColumns compares with a search through all rows.
func TestColumns(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(6, 6))
	var c columns
	for range 20 {
		cols := 1 + r.IntN(30)
		var rows []sparse.Vector
		var places []int32
		for i := range int32(r.IntN(12)) {
			dense := make([]float32, cols)
			for j := range dense {
				if r.IntN(4) == 0 {
					dense[j] = float32(r.NormFloat64())
				}
			}
			rows, places = append(rows, sparse.NonZeros(dense)), append(places, 3*i+r.Int32N(3))
		}
		c.make(cols, places, rows)
		for j := range int32(cols) {
			var want []int32
			var values []float32
			for i, v := range rows {
				if at, ok := slices.BinarySearch(v.Index, j); ok {
					want, values = append(want, places[i]), append(values, v.Value[at])
				}
			}
			if a, b := c.start[j], c.start[j+1]; !slices.Equal(c.row[a:b], want) || !slices.Equal(c.value[a:b], values) {
				t.Fatalf("column %d: rows %v, values %v; want %v, %v", j, c.row[a:b], c.value[a:b], want, values)
			}
		}
	}
}
