package sparse

import "fmt"

// Vector is Length numbers, by value immutable. The zero Vector has none.
type Vector struct {
	Length int
	// Index are the places of Value, ascending, and all other numbers are 0. Where Value has all Length numbers there is
	// no Index: the Vector is whole.
	Index []int32
	Value []float32
}

// limit is one in how many numbers of what Of returns may differ from 0 if it is not whole. At about this share a product
// takes as long in both forms: measured for a row among 32, multiplied by 2,048 x 256 weights with AVX-512.
const limit = 6

// Of returns the Vector of dense numbers in the form in which a row among many is multiplied faster. The result may share
// their memory.
func Of(dense []float32) Vector {
	if count(dense)*limit > len(dense) {
		return Vector{Length: len(dense), Value: dense}
	}
	return NonZeros(dense)
}

// NonZeros returns the Vector of dense numbers by those that are not 0, however many they are. A row that is multiplied
// alone is faster so: reading the weights is what takes the time then.
func NonZeros(dense []float32) Vector {
	n := count(dense)
	v := Vector{len(dense), make([]int32, 0, n), make([]float32, 0, n)}
	for i, x := range dense {
		if x != 0 {
			v.Index, v.Value = append(v.Index, int32(i)), append(v.Value, x)
		}
	}
	return v
}

func count(dense []float32) (n int) {
	for _, x := range dense {
		if x != 0 {
			n++
		}
	}
	return n
}

// Whole tells whether Value has all numbers, zeros too.
func (v Vector) Whole() bool { return len(v.Value) == v.Length }

// Scatter writes all numbers of v to out, of length Length. Another length is a programming error and panics.
func (v Vector) Scatter(out []float32) {
	if len(out) != v.Length {
		panic(fmt.Sprintf("sparse: %d numbers scattered to %d", v.Length, len(out)))
	}
	if v.Whole() {
		copy(out, v.Value)
		return
	}
	clear(out)
	for k, i := range v.Index {
		out[i] = v.Value[k]
	}
}
