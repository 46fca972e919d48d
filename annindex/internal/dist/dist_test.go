package dist

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/viterin/vek/vek32"
)

func random(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

var dims = []int{1, 2, 3, 7, 8, 9, 24, 31, 32, 33, 63, 64, 65, 100, 128, 131, 384, 768, 1536}

// TestDotAgrees compares Dot in each instruction set with a sum in float64, with the Go version, and with vek32.Dot, by
// which earlier versions of kilim made scores: stored ones stay comparable.
func TestDotAgrees(t *testing.T) {
	t.Parallel()
	t.Log("this processor has", instructionSets())
	rng := rand.New(rand.NewPCG(1, 1))
	for _, dim := range dims {
		for range 20 {
			a, b := random(rng, dim), random(rng, dim)
			var exact, size float64
			for i := range a {
				exact += float64(a[i]) * float64(b[i])
				size += math.Abs(float64(a[i]) * float64(b[i]))
			}
			for _, f := range instructionSets() {
				got := f.dot(&a[0], &b[0], dim)
				if math.Abs(float64(got)-exact) > 1e-6*size {
					t.Fatalf("%v, dim %d: %v, want %v", f, dim, got, exact)
				}
				if got != f.dot(&b[0], &a[0], dim) {
					t.Fatalf("%v, dim %d: not symmetric", f, dim)
				}
				if plain := dotGo(&a[0], &b[0], dim); math.Abs(float64(plain-got)) > 1e-6*size {
					t.Fatalf("%v, dim %d: %v, the Go version %v", f, dim, got, plain)
				}
				if fuses(f) && runtime.GOARCH == "amd64" && got != vek32.Dot(a, b) {
					t.Fatalf("%v, dim %d: %v, vek32 %v", f, dim, got, vek32.Dot(a, b))
				}
			}
			if got, want := Dot(a, b), best.dot(&a[0], &b[0], dim); got != want {
				t.Fatalf("dim %d: %v, by %v %v", dim, got, best, want)
			}
		}
	}
}

// fuses says whether an instruction set multiplies and adds without rounding between.
func fuses(f instructionSet) bool { return f.String() != "Go" }

// fused returns the sum in the order that Dot promises, with no product rounded before it is added.
func fused(a, b []float32) float32 {
	add := func(sum, x, y float32) float32 {
		z := new(big.Float).SetPrec(400).SetFloat64(float64(x) * float64(y)) // exact: 48 bits
		out, _ := z.Add(z, big.NewFloat(float64(sum))).Float32()
		return out
	}
	var acc [32]float32
	whole := len(a) &^ 31
	for i := range whole {
		acc[i%32] = add(acc[i%32], a[i], b[i])
	}
	for l := range 8 {
		acc[l] = acc[l] + acc[l+8] + acc[l+16] + acc[l+24]
	}
	for half := 4; half > 0; half /= 2 {
		for l := range half {
			acc[l] += acc[l+half]
		}
	}
	total := acc[0]
	for i := whole; i < len(a); i++ {
		total = add(total, a[i], b[i])
	}
	return total
}

// TestDotSumsAsPromised holds the instruction sets that fuse against exact arithmetic, bit for bit.
func TestDotSumsAsPromised(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 1))
	for _, dim := range dims {
		for range 5 {
			a, b := random(rng, dim), random(rng, dim)
			want := fused(a, b)
			for _, f := range instructionSets() {
				if got := f.dot(&a[0], &b[0], dim); got != want && fuses(f) { // the Go version rounds products
					t.Fatalf("%v, dim %d: %v, want %v", f, dim, got, want)
				}
			}
		}
	}
}

func TestDotRowsIsDot(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 1))
	for _, dim := range dims {
		stride := dim + 5
		rows, query := random(rng, 20*stride), random(rng, dim)
		for n := range 14 {
			slots, out := make([]uint32, n), make([]float32, n+1)
			for i := range slots {
				slots[i] = rng.Uint32N(20)
			}
			check := func(f instructionSet, what string) {
				t.Helper()
				for i, s := range slots {
					if want := f.dot(&query[0], &rows[int(s)*stride], dim); out[i] != want {
						t.Fatalf("%s, dim %d, row %d of %d: %v, want %v", what, dim, i, n, out[i], want)
					}
				}
				if out[n] != 42 {
					t.Fatalf("%s, dim %d: wrote after %d", what, dim, n)
				}
			}
			out[n] = 42
			DotRows(query, rows, stride, slots, out)
			check(best, "DotRows")
			for _, f := range instructionSets() {
				if n > 0 {
					clear(out[:n])
					f.dotRows(&query[0], dim, &rows[0], stride, &slots[0], n, &out[0])
				}
				check(f, f.String())
			}
		}
	}
}

// matrix returns n rows of random codes for vectors of dim numbers, with their codes and scales.
func matrix(rng *rand.Rand, dim, n int) (Rows, [][]int16, []float32) {
	stride := Padded(dim)
	scales := random(rng, n)
	r := NewRows(make([]uint64, n*stride/8), scales, stride)
	rows := make([][]int16, n)
	for s := range rows {
		rows[s] = make([]int16, stride)
		for i := range dim {
			rows[s][i] = int16(rng.IntN(255) - 127)
		}
		r.Store(uint32(s), rows[s])
	}
	return r, rows, scales
}

func TestScoresAreExact(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 1))
	for _, dim := range dims {
		const n = 30
		r, rows, scales := matrix(rng, dim, n)
		query := make([]int16, r.stride)
		limit := int(Limit(dim))
		for i := range dim {
			query[i] = int16(rng.IntN(2*limit+1) - limit)
		}
		if dim > 100 { // the greatest sum there is
			for i := range dim {
				query[i], rows[0][i] = int16(limit), 127
			}
			r.Store(0, rows[0])
		}
		for count := range 14 {
			slots, out := make([]uint32, count+Lanes), make([]float32, count+Lanes)
			for i := range count {
				slots[i] = rng.Uint32N(n)
			}
			want := make([]float32, count)
			for i := range want {
				var sum int64
				for j, c := range rows[slots[i]] {
					sum += int64(c) * int64(query[j])
				}
				if sum > math.MaxInt32 || sum < math.MinInt32 {
					t.Fatalf("dim %d: the limit allows %d", dim, sum)
				}
				want[i] = float32(sum) * scales[slots[i]]
			}
			r.Scores(query, slots, count, out)
			if !slices.Equal(out[:count], want) {
				t.Fatalf("dim %d: %v, want %v", dim, out[:count], want)
			}
			whole := (count + Lanes - 1) / Lanes * Lanes
			for _, f := range instructionSets() {
				if got := make([]float32, whole+1); count > 0 {
					f.scores(&query[0], r.codes, r.stride, r.scales, &slots[0], whole, &got[0])
					if !slices.Equal(got[:count], want) || got[whole] != 0 {
						t.Fatalf("%v, dim %d: %v, want %v and 0", f, dim, got, want)
					}
				}
			}
			plain := make([]float32, whole+1)
			scoresGo(&query[0], r.codes, r.stride, r.scales, &slots[0], whole, &plain[0])
			if !slices.Equal(plain[:count], want) {
				t.Fatalf("dim %d: the Go version %v, want %v", dim, plain[:count], want)
			}
		}
		wide := make([]int16, r.stride)
		for s := range rows {
			if r.Widen(uint32(s), wide); !slices.Equal(wide, rows[s]) {
				t.Fatalf("dim %d: row %d came back otherwise", dim, s)
			}
			for _, f := range instructionSets() {
				clear(wide)
				f.widen((*byte)(unsafe.Add(unsafe.Pointer(r.codes), s*r.stride)), r.stride, &wide[0])
				if !slices.Equal(wide, rows[s]) {
					t.Fatalf("%v, dim %d: row %d came back otherwise", f, dim, s)
				}
			}
		}
	}
}

// TestCoarseIsExact multiplies rows with the largest codes among them, in each instruction set.
func TestCoarseIsExact(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 5))
	for _, dim := range dims {
		const n = 12
		stride := Padded(dim)
		codes, scales, order := make([]uint64, n*stride/8), make([]float32, n), make([]uint32, n)
		r := NewRows(codes, scales, stride)
		query, rows := make([]int16, stride), make([][]int16, n)
		one := func(limit int) int16 {
			switch rng.IntN(3) {
			case 0:
				return int16(limit)
			case 1:
				return int16(-limit)
			}
			return int16(rng.IntN(2*limit+1) - limit)
		}
		for i := range rows {
			rows[i] = make([]int16, stride)
			order[i], scales[i] = uint32(i), rng.Float32()
			for j := range dim {
				rows[i][j], query[j] = one(127), one(CoarseLimit)
			}
			r.Store(uint32(i), rows[i])
		}
		for i := range rows[0] { // both of a pair of products are as large as they may be
			rows[0][i], query[i] = 127, CoarseLimit
		}
		r.Store(0, rows[0])
		var q Coarse
		q.Set(query)
		for _, f := range instructionSets() {
			got := make([]float32, n+1)
			f.coarse(&q, r, &order[0], n, &got[0])
			for i, row := range rows {
				sum := 0
				for j := range row {
					sum += int(row[j]) * int(query[j])
				}
				if want := float32(sum) * scales[i]; got[i] != want {
					t.Fatalf("%v, dim %d, row %d: %v, want %v", f, dim, i, got[i], want)
				}
			}
			if got[n] != 0 {
				t.Fatalf("%v, dim %d: it writes behind the end", f, dim)
			}
		}
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 1))
	for _, dim := range dims {
		for _, size := range []float32{1, 1e-3, 1e15, 1e-33, 1e-44} {
			for _, limit := range []float32{127, Limit(dim)} {
				v := random(rng, dim)
				var largest float32
				for i := range v {
					v[i] *= size
					largest = max(largest, float32(math.Abs(float64(v[i]))))
				}
				if largest == 0 {
					continue
				}
				codes := make([]int16, Padded(dim))
				scale := Codes(v, limit, codes)
				reached := false
				for i, x := range v {
					exact := float64(x) / float64(largest) * float64(limit)
					if math.Abs(exact-float64(codes[i])) > 0.51 {
						t.Fatalf("dim %d, size %g: number %d is %g steps, coded %d", dim, size, i, exact, codes[i])
					}
					reached = reached || math.Abs(float64(codes[i])) == float64(limit)
				}
				if !reached || scale <= 0 || size > 1e-40 && math.Abs(float64(scale)*float64(limit)/float64(largest)-1) > 1e-5 {
					t.Fatalf("dim %d, size %g: scale %g for a largest of %g, reached %v", dim, size, scale, largest, reached)
				}
				if n := dim &^ 7; n > 0 && largest > 1e-30 {
					plain := make([]int16, dim)
					roundGo(&v[0], n, limit/largest, &plain[0])
					if !slices.Equal(plain[:n], codes[:n]) {
						t.Fatalf("dim %d: the Go version differs", dim)
					}
					for _, f := range instructionSets() {
						got := make([]int16, dim)
						f.round(&v[0], n, limit/largest, &got[0])
						if !slices.Equal(plain, got) || f.maxAbs(&v[0], n) != maxAbsGo(&v[0], n) {
							t.Fatalf("%v, dim %d: differs from the Go version", f, dim)
						}
					}
				}
			}
		}
	}
}

func TestUnvisited(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 1))
	const n = 50
	r, _, _ := matrix(rng, 40, n)
	for range 300 {
		visited := make([]uint16, n)
		for i := range visited {
			visited[i] = uint16(rng.IntN(2)) * 0x8001
		}
		list := make([]uint32, rng.IntN(20))
		end := rng.IntN(25)
		for i := range list {
			if list[i] = rng.Uint32N(n); i >= end {
				list[i] = None
			}
		}
		start := slices.Clone(visited)
		var want []uint32
		for _, s := range list {
			if s == None {
				break
			}
			if visited[s] != 0x8001 {
				visited[s] = 0x8001
				want = append(want, s)
			}
		}
		out := make([]uint32, len(list)+Lanes)
		var next uint32
		marks := slices.Clone(start)
		got := out[:r.Unvisited(list, marks, 0x8001, out, &next)]
		if !slices.Equal(got, want) || !slices.Equal(marks, visited) {
			t.Fatalf("%v: got %v, want %v", list, got, want)
		}
		if len(list) > 0 {
			marks := slices.Clone(start)
			got := out[:unvisitedGo(&list[0], len(list), &marks[0], 0x8001, &out[0])]
			if !slices.Equal(got, want) || !slices.Equal(marks, visited) {
				t.Fatalf("%v: the Go version has %v, want %v", list, got, want)
			}
			for _, f := range instructionSets() {
				marks := slices.Clone(start)
				got := out[:f.unvisited(&list[0], len(list), &marks[0], 0x8001, r.codes, r.stride, &out[0], &next)]
				if !slices.Equal(got, want) || !slices.Equal(marks, visited) {
					t.Fatalf("%v, %v: got %v, want %v", f, list, got, want)
				}
			}
		}
	}
}

func TestCopyRow(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(6, 1))
	for _, dim := range dims {
		src, dst, plain := random(rng, dim), make([]float32, dim+1), make([]float32, dim)
		CopyRow(dst[:dim], src)
		copyGo(&plain[0], &src[0], dim)
		if !slices.Equal(dst[:dim], src) || dst[dim] != 0 || !slices.Equal(plain, src) {
			t.Fatalf("dim %d: the copy differs", dim)
		}
		for _, f := range instructionSets() {
			clear(dst)
			f.copyFloats(&dst[0], &src[0], dim)
			if !slices.Equal(dst[:dim], src) || dst[dim] != 0 {
				t.Fatalf("%v, dim %d: the copy differs", f, dim)
			}
		}
	}
}

func BenchmarkScores(b *testing.B) {
	rng := rand.New(rand.NewPCG(7, 1))
	for _, dim := range []int{128, 768} {
		r, rows, _ := matrix(rng, dim, 64)
		slots, out := make([]uint32, 32), make([]float32, 32)
		for i := range slots {
			slots[i] = rng.Uint32N(64)
		}
		for _, f := range instructionSets() {
			b.Run(fmt.Sprintf("%v/%d", f, dim), func(b *testing.B) {
				for b.Loop() {
					f.scores(&rows[0][0], r.codes, r.stride, r.scales, &slots[0], 32, &out[0])
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*32), "ns/row")
			})
		}
	}
}

func BenchmarkCoarse(b *testing.B) {
	for _, dim := range []int{128, 256, 768} {
		const n = 256
		stride := Padded(dim)
		order, out := make([]uint32, n), make([]float32, n)
		for i := range order {
			order[i] = uint32(i)
		}
		r := NewRows(make([]uint64, n*stride/8), make([]float32, n), stride)
		var q Coarse
		q.Set(make([]int16, stride))
		for _, f := range instructionSets() {
			b.Run(fmt.Sprintf("%v/%d", f, dim), func(b *testing.B) {
				for b.Loop() {
					f.coarse(&q, r, &order[0], n, &out[0])
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/row")
			})
		}
	}
}

func BenchmarkDotRows(b *testing.B) {
	rng := rand.New(rand.NewPCG(7, 2))
	for _, dim := range []int{128, 768} {
		rows, query := random(rng, 64*dim), random(rng, dim)
		slots, out := make([]uint32, 32), make([]float32, 32)
		for i := range slots {
			slots[i] = rng.Uint32N(64)
		}
		for _, f := range instructionSets() {
			b.Run(fmt.Sprintf("%v/%d", f, dim), func(b *testing.B) {
				for b.Loop() {
					f.dotRows(&query[0], dim, &rows[0], dim, &slots[0], 32, &out[0])
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*32), "ns/row")
			})
		}
	}
}
