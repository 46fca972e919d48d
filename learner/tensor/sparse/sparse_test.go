package sparse

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestOf: whatever share of the numbers is 0, a Vector has them all, in the form that is shorter.
func TestOf(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	var forms [2]int
	for n := range 100 {
		for _, share := range []float64{0, 0.05, 0.17, 0.3, 1} {
			dense := make([]float32, n)
			count := 0
			for i := range dense {
				if r.Float64() < share {
					dense[i] = float32(r.NormFloat64())
					count++
				}
			}
			v := Of(slices.Clone(dense))
			if v.Length != n || n > 0 && v.Whole() != (limit*count > n) {
				t.Fatalf("of %d numbers, %d not 0: %+v", n, count, v)
			}
			if v.Whole() {
				forms[0]++
			} else {
				forms[1]++
				if len(v.Index) != count || len(v.Value) != count || !slices.IsSorted(v.Index) {
					t.Fatalf("of %d numbers, %d not 0: %+v", n, count, v)
				}
			}
			few := NonZeros(dense)
			if few.Length != n || len(few.Index) != count || len(few.Value) != count {
				t.Fatalf("of %d numbers, %d not 0: %+v", n, count, few)
			}
			for _, v := range []Vector{v, few} {
				got := slices.Repeat([]float32{7}, n)
				if v.Scatter(got); !slices.Equal(got, dense) {
					t.Fatalf("of %d numbers, %d not 0: %v, want %v", n, count, got, dense)
				}
			}
		}
	}
	if forms[0] == 0 || forms[1] == 0 {
		t.Errorf("%d whole, %d not", forms[0], forms[1])
	}
}

func TestScatterSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Of([]float32{0, 1}).Scatter(make([]float32, 3))
}
