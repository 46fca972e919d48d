package tape

import (
	"math"
	"math/rand/v2"
	"testing"
)

// attends are Attend over a random graph, and in float64 as package attend defines it.
func attends(tb testing.TB) operation {
	const rows, sources, relations, cols = 70, 90, 5, 9
	csr, relation := graph(rand.New(rand.NewPCG(8, 8)), rows, sources, relations)
	edges, err := NewEdges(csr, relation, sources, relations)
	if err != nil {
		tb.Fatal(err)
	}
	vectors := [2]int{relations, cols}
	return operation{"attend", [][2]int{{sources, cols}, vectors, vectors, vectors}, func(t *Tape, in []Matrix) Matrix {
		y := t.New(edges.Pairs().Len(), cols)
		t.Attend(y, in[0], AttentionVectors{in[1], in[2], in[3]}, edges)
		return y
	}, func(in []mat) mat { return attend64(in[0], in[1], in[2], in[3], csr, relation) }}
}

func attend64(x, neighbour, relate, reader mat, c CSR, relation []int32) mat {
	const limit = 4 * math.Ln2
	score := func(a, b []float64) float64 { return dot64(a, b) / math.Sqrt(float64(len(a))) }
	clip := func(s float64) float64 { return limit * s / (limit + math.Abs(s)) }
	out := zeros(0, x.cols)
	for i := range c.Rows() {
		var order []int32
		means, logits := map[int32][]float64{}, map[int32]float64{}
		weights := map[int32]float64{}
		for e := c.Start[i]; e < c.Start[i+1]; e++ {
			r := relation[e]
			if means[r] == nil {
				order, means[r] = append(order, r), make([]float64, x.cols)
			}
			h := x.row(int(c.Source[e]))
			w := math.Exp(clip(score(neighbour.row(int(r)), h)))
			weights[r] += w
			for j, v := range h {
				means[r][j] += w * v
			}
		}
		total := 0.0
		for _, r := range order {
			for j := range means[r] {
				means[r][j] /= weights[r]
			}
			logits[r] = math.Exp(clip(score(relate.row(int(r)), means[r]) + score(reader.row(int(r)), x.row(i))))
			total += logits[r]
		}
		for _, r := range order {
			for _, v := range means[r] {
				out.v = append(out.v, v*float64(len(order))*logits[r]/total)
			}
			out.rows++
		}
	}
	return out
}

// TestAttendWithoutVectors: of vectors of zeros, what is read is the mean, but for rounding.
func TestAttendWithoutVectors(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 9))
	csr, relation := graph(r, 40, 50, 3)
	edges, err := NewEdges(csr, relation, 50, 3)
	if err != nil {
		t.Fatal(err)
	}
	tape, none := newTape(t, 1), Constant(3, 8, make([]float32, 24))
	x := Constant(50, 8, narrow(numbers(r, 400)))
	y := tape.New(edges.Pairs().Len(), 8)
	tape.Attend(y, x, AttentionVectors{none, none, none}, edges)
	for k := range y.Rows {
		p := edges.Pairs()
		entries := p.entries[p.start[k]:p.start[k+1]]
		for j, got := range y.Row(k) {
			mean := 0.0
			for _, e := range entries {
				mean += float64(x.Row(int(csr.Source[e]))[j]) / float64(len(entries))
			}
			if math.Abs(float64(got)-mean) > 1e-6 {
				t.Fatalf("pair %d reads %v, the mean is %v", k, got, mean)
			}
		}
	}
}
