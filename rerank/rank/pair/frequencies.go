package pair

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Frequencies count in how many artifacts each fact is. They must not be changed while somebody reads them.
type Frequencies struct {
	of        map[uint64]int32
	artifacts int
}

// NewFrequencies returns those of an empty archive.
func NewFrequencies() *Frequencies { return &Frequencies{of: map[uint64]int32{}} }

// Add counts an artifact, Remove takes back what Add counted.
func (q *Frequencies) Add(f *Facts) { q.count(f, 1) }

// Remove takes an artifact out, with the Facts that it was added with.
func (q *Frequencies) Remove(f *Facts) { q.count(f, -1) }

func (q *Frequencies) count(f *Facts, by int32) {
	q.artifacts += int(by)
	add := func(fact uint64) {
		if n := q.of[fact] + by; n > 0 {
			q.of[fact] = n
		} else {
			delete(q.of, fact)
		}
	}
	for _, facts := range f.shared {
		for _, fact := range facts {
			add(fact)
		}
	}
	for _, text := range [...]uint64{f.title, f.description} {
		if text != 0 {
			add(text)
		}
	}
}

// Artifacts is the number of artifacts that were counted.
func (q *Frequencies) Artifacts() int { return q.artifacts }

// Bound forgets the rarest facts until there are no more than most (lossy counting, Manku and Motwani 2002). What is forgotten counts as if
// one artifact had it; if it comes again, it is counted from there on.
func (q *Frequencies) Bound(most int) {
	for rarest := int32(1); len(q.of) > most; rarest++ {
		q.forget(rarest)
	}
}

// Shared forgets the facts of one artifact alone, which are most of them. That changes no feature: idf takes a fact that it does not know for one
// of those, and a text that nobody else has is equal to no other.
func (q *Frequencies) Shared() { q.forget(1) }

func (q *Frequencies) forget(upTo int32) {
	maps.DeleteFunc(q.of, func(_ uint64, n int32) bool { return n <= upTo })
}

// idf is ln((1+artifacts)/(1+frequency)) + 1, as that of the words of stage 2.
func (q *Frequencies) idf(fact uint64) float64 {
	return math.Log(float64(1+q.artifacts)/float64(1+max(1, q.of[fact]))) + 1
}

// factBytes is the least that a fact takes in the binary form.
const factBytes = 8 + 1

// MarshalBinary writes how many artifacts and facts there are, and the facts with their counts. Equal Frequencies have equal bytes.
func (q *Frequencies) MarshalBinary() ([]byte, error) {
	b := binary.AppendUvarint(nil, uint64(q.artifacts))
	b = binary.AppendUvarint(b, uint64(len(q.of)))
	for _, fact := range slices.Sorted(maps.Keys(q.of)) {
		b = binary.LittleEndian.AppendUint64(b, fact)
		b = binary.AppendUvarint(b, uint64(q.of[fact]))
	}
	return b, nil
}

// UnmarshalFrequencies reads what MarshalBinary wrote, and refuses all else. No number in it makes it take more memory than the bytes that are
// there justify.
func UnmarshalFrequencies(b []byte) (*Frequencies, error) {
	fail := func(format string, args ...any) (*Frequencies, error) {
		return nil, fmt.Errorf("pair: reading frequencies: "+format, args...)
	}
	errShort := errors.New("they end too early")
	number := func() (uint64, bool) {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return 0, false
		}
		b = b[n:]
		return v, true
	}
	artifacts, ok := number()
	facts, both := number()
	if !ok || !both {
		return fail("%w", errShort)
	}
	if artifacts > math.MaxInt32 || facts > uint64(len(b)/factBytes) {
		return fail("%d facts of %d artifacts: want %d facts at most, in the %d bytes that are left", facts, artifacts, len(b)/factBytes, len(b))
	}
	q := &Frequencies{of: make(map[uint64]int32, facts), artifacts: int(artifacts)}
	last := uint64(0)
	for i := range facts {
		if len(b) < factBytes {
			return fail("fact %d: %w", i, errShort)
		}
		fact := binary.LittleEndian.Uint64(b)
		b = b[8:]
		n, ok := number()
		switch {
		case !ok:
			return fail("fact %d: %w", i, errShort)
		case i > 0 && fact <= last:
			return fail("fact %d: %x does not follow %x", i, fact, last)
		case n < 1 || n > artifacts:
			return fail("fact %d: %d of %d artifacts have it", i, n, artifacts)
		}
		q.of[fact], last = int32(n), fact
	}
	if len(b) > 0 {
		return fail("%d bytes too many", len(b))
	}
	return q, nil
}
