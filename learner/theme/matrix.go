package theme

import "kilim/learner/tensor/vec"

// matrix is a sparse one: of each row, what is not 0, by rising column.
type matrix struct {
	columns int
	start   []int // of a row in column and value; one more than there are rows
	column  []int32
	value   []float32
}

func newMatrix(columns int) *matrix { return &matrix{columns: columns, start: []int{0}} }

// vector is a row.
func (m *matrix) vector(i int) vector {
	columns, values := m.row(i)
	out := make(vector, len(columns))
	for k := range out {
		out[k] = coordinate{columns[k], values[k]}
	}
	return out
}

// rows is their number.
func (m *matrix) rows() int { return len(m.start) - 1 }

// row are the columns and values of one.
func (m *matrix) row(i int) ([]int32, []float32) {
	return m.column[m.start[i]:m.start[i+1]], m.value[m.start[i]:m.start[i+1]]
}

// add appends to the row that is being made; end ends it.
func (m *matrix) add(column int32, value float32) {
	m.column, m.value = append(m.column, column), append(m.value, value)
}

func (m *matrix) end() { m.start = append(m.start, len(m.column)) }

// matrixOf has a row a vector.
func matrixOf(columns int, vectors []vector) *matrix {
	m := newMatrix(columns)
	for _, v := range vectors {
		for _, c := range v {
			m.add(c.feature, c.value)
		}
		m.end()
	}
	return m
}

// transposed is the matrix with rows and columns exchanged.
func (m *matrix) transposed() *matrix {
	t := &matrix{columns: m.rows(), start: make([]int, m.columns+1), column: make([]int32, len(m.column)), value: make([]float32, len(m.value))}
	for _, c := range m.column {
		t.start[c+1]++
	}
	for i := range m.columns {
		t.start[i+1] += t.start[i]
	}
	next := append([]int(nil), t.start...)
	for i := range m.rows() {
		columns, values := m.row(i)
		for k, c := range columns {
			t.column[next[c]], t.value[next[c]] = int32(i), values[k]
			next[c]++
		}
	}
	return t
}

// times is the product with a dense matrix b of the given width, into out: rows x width.
func (m *matrix) times(b []float32, width int, out []float32) {
	for i := range m.rows() {
		columns, values := m.row(i)
		vec.Gather(columns, values, b, width, out[i*width:][:width], false)
	}
}

// timesVector adds the product of a vector, taken as a row, with the matrix to out, as long as there are columns; of the columns
// only those below the length of out.
func (m *matrix) timesVector(v vector, out []float32) {
	for _, c := range v {
		columns, values := m.row(int(c.feature))
		for k, column := range columns {
			if int(column) >= len(out) {
				break
			}
			out[column] += c.value * values[k]
		}
	}
}
