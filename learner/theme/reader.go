package theme

import (
	"encoding/binary"
	"fmt"
	"math"
)

// reader reads a Model's bytes. The first fault sticks; what is read after it is empty.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.b = nil
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail("it ends early")
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

// count reads how many things follow that take at least size bytes each.
func (r *reader) count(size int) int {
	n := r.number(math.MaxInt32)
	if n > len(r.b)/size {
		r.fail("it ends early")
		return 0
	}
	return n
}

// number reads one up to a limit.
func (r *reader) number(limit int) int {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > uint64(limit) {
		r.fail("a number is above %d or ends early", limit)
		return 0
	}
	r.b = r.b[size:]
	return int(n)
}

func (r *reader) text() string { return string(r.take(r.count(1))) }

// rising reads n different numbers below a limit.
func (r *reader) rising(n, limit int) []int32 {
	out := make([]int32, 0, n)
	next := 0
	for range n {
		next += r.number(math.MaxInt32)
		if r.err != nil || next >= limit {
			r.fail("a number is not below %d", limit)
			return nil
		}
		out = append(out, int32(next))
		next++
	}
	return out
}

func (r *reader) space(s *space) {
	for range r.count(17) {
		b := r.take(17)
		hash, of, weight := binary.LittleEndian.Uint64(b), view(b[8]), math.Float64frombits(binary.LittleEndian.Uint64(b[9:]))
		if n := s.len(); n > 0 && hash <= s.hash[n-1] || of >= numViews || !(weight >= 0 && weight <= 100) {
			r.fail("feature %d is none", n)
			return
		}
		s.add(hash, of, weight)
	}
}

// probabilities reads n.
func (r *reader) probabilities(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		b := r.take(4)
		if r.err != nil {
			return nil
		}
		if out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b)); !(out[i] >= 0 && out[i] <= 1) {
			r.fail("%g is no probability", out[i])
			return nil
		}
	}
	return out
}

// matrix reads one of so many columns.
func (r *reader) matrix(columns int) *matrix {
	m := newMatrix(columns)
	for range r.count(1) {
		n := r.count(5)
		row := r.rising(n, columns)
		values := r.take(4 * n)
		if r.err != nil {
			return newMatrix(columns)
		}
		for k, column := range row {
			value := math.Float32frombits(binary.LittleEndian.Uint32(values[4*k:]))
			if !(math.Abs(float64(value)) < math.MaxFloat32) {
				r.fail("a weight is not finite")
				return newMatrix(columns)
			}
			m.add(column, value)
		}
		m.end()
	}
	return m
}

// vocabulary reads the terms of so many Works.
func (r *reader) vocabulary(works int) vocabulary {
	var v vocabulary
	for range r.count(2) {
		s := span{theme: r.text(), from: int32(len(v.terms))}
		if n := len(v.spans); n > 0 && s.theme <= v.spans[n-1].theme {
			r.fail("themes are out of order")
		}
		for i := range r.count(2) {
			term := r.text()
			if i > 0 && term <= v.terms[len(v.terms)-1] {
				r.fail("terms are out of order")
			}
			v.terms, v.works = append(v.terms, term), append(v.works, r.rising(r.count(1), works))
		}
		if s.to = int32(len(v.terms)); s.to == s.from {
			r.fail("theme %q has no terms", s.theme)
		}
		v.spans = append(v.spans, s)
		if r.err != nil {
			return vocabulary{}
		}
	}
	return v
}
