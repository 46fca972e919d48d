package dist

import (
	"math"
	"sync/atomic"
	"unsafe"
)

// The functions in this file are the Go versions. They read what a writer may change meanwhile with atomic loads, which
// cost next to nothing.

func loadFloat(p *float32) float32 {
	return math.Float32frombits(atomic.LoadUint32((*uint32)(unsafe.Pointer(p))))
}

func storeFloat(p *float32, x float32) {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(p)), math.Float32bits(x))
}

func dotGo(a, b *float32, n int) float32 {
	x, y := unsafe.Slice(a, n), unsafe.Slice(b, n)
	return sum(n, func(i int) float32 { return float32(x[i] * y[i]) })
}

func dotRowsGo(query *float32, n int, rows *float32, stride int, slots *uint32, count int, out *float32) {
	q, to := unsafe.Slice(query, n), unsafe.Slice(out, count)
	for i, s := range unsafe.Slice(slots, count) {
		row := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(rows), 4*stride*int(s))), n)
		to[i] = sum(n, func(j int) float32 { return float32(q[j] * loadFloat(&row[j])) })
	}
}

// sum adds products in the order that Dot promises.
func sum(n int, product func(int) float32) (total float32) {
	const width = 32
	whole := n &^ (width - 1)
	if whole > 0 {
		var acc [width]float32
		for i := 0; i < whole; i += width {
			for l := range acc {
				acc[l] += product(i + l)
			}
		}
		for l := range 8 {
			acc[l] = acc[l] + acc[l+8] + acc[l+16] + acc[l+24]
		}
		for half := 4; half > 0; half /= 2 {
			for l := range half {
				acc[l] += acc[l+half]
			}
		}
		total = acc[0]
	}
	for i := whole; i < n; i++ {
		total += product(i)
	}
	return total
}

func scoresGo(query *int16, codes *byte, stride int, scales *float32, slots *uint32, n int, out *float32) {
	q, to := unsafe.Slice(query, stride), unsafe.Slice(out, n)
	for i, s := range unsafe.Slice(slots, n) {
		var total int32
		row := unsafe.Slice((*uint64)(unsafe.Add(unsafe.Pointer(codes), stride*int(s))), stride/8)
		for w := range row {
			word := atomic.LoadUint64(&row[w])
			for j, c := range q[8*w : 8*w+8] {
				total += int32(c) * int32(int8(word>>(8*j)))
			}
		}
		to[i] = float32(total) * loadFloat((*float32)(unsafe.Add(unsafe.Pointer(scales), 4*int(s))))
	}
}

func unvisitedGo(list *uint32, n int, visited *uint16, stamp uint16, out *uint32) (found int) {
	to := unsafe.Slice(out, n)
	links := unsafe.Slice(list, n)
	for i := range links {
		slot := atomic.LoadUint32(&links[i])
		if slot == None {
			break
		}
		mark := (*uint16)(unsafe.Add(unsafe.Pointer(visited), 2*int(slot)))
		if *mark != stamp {
			*mark = stamp
			to[found] = slot
			found++
		}
	}
	return found
}

func widenGo(row *byte, n int, dst *int16) {
	words, to := unsafe.Slice((*uint64)(unsafe.Pointer(row)), n/8), unsafe.Slice(dst, n)
	for i := range words {
		word := atomic.LoadUint64(&words[i])
		for j := range 8 {
			to[8*i+j] = int16(int8(word >> (8 * j)))
		}
	}
}

func maxAbsGo(vec *float32, n int) (largest float32) {
	for _, x := range unsafe.Slice(vec, n) {
		largest = max(largest, float32(math.Abs(float64(x))))
	}
	return largest
}

func roundGo(vec *float32, n int, factor float32, dst *int16) {
	to := unsafe.Slice(dst, n)
	for i, x := range unsafe.Slice(vec, n) {
		to[i] = int16(math.RoundToEven(float64(x * factor)))
	}
}

// copyGo reads and writes atomically, as other goroutines may use either row meanwhile.
func copyGo(dst, src *float32, n int) {
	to, from := unsafe.Slice(dst, n), unsafe.Slice(src, n)
	for i := range from {
		storeFloat(&to[i], loadFloat(&from[i]))
	}
}
