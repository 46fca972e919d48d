package theme

// rows are Vectors by feature, for the kernels of a Vector with all of them: one walk through the lists of the features that it
// has, instead of a merge with each.
type rows struct {
	n     int
	lists [][]posting // by feature
}

type posting struct {
	row   int32
	value float32
}

func newRows(features int, vectors []Vector) *rows {
	r := &rows{n: len(vectors), lists: make([][]posting, features)}
	for i, v := range vectors {
		for _, c := range v {
			r.lists[c.Feature] = append(r.lists[c.Feature], posting{int32(i), c.Value})
		}
	}
	return r
}

// kernels adds the inner products of v with all rows to out, which has their number.
func (r *rows) kernels(v Vector, out []float32) {
	for _, c := range v {
		for _, p := range r.lists[c.Feature] {
			out[p.row] += c.Value * p.value
		}
	}
}
