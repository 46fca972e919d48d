package search

import "encoding/binary"

// postings are numbers of artifacts in ascending order, as varints of the differences: a common word takes a byte an artifact.
type postings struct {
	last  uint32
	count int
	bytes []byte
}

// add appends a number, which is larger than those before.
func (p *postings) add(n uint32) {
	p.bytes = binary.AppendUvarint(p.bytes, uint64(n-p.last))
	p.last = n
	p.count++
}

// all are the numbers for which keep is true.
func (p *postings) all(keep func(uint32) bool) []uint32 {
	out := make([]uint32, 0, p.count)
	at := uint32(0)
	for rest := p.bytes; len(rest) > 0; {
		step, n := binary.Uvarint(rest)
		rest = rest[n:]
		if at += uint32(step); keep(at) {
			out = append(out, at)
		}
	}
	return out
}

// and keeps those of numbers, which ascend, that are in p.
func (p *postings) and(numbers []uint32) []uint32 {
	out := numbers[:0]
	at, rest := uint32(0), p.bytes
	for _, want := range numbers {
		for at < want && len(rest) > 0 {
			step, n := binary.Uvarint(rest)
			rest = rest[n:]
			at += uint32(step)
		}
		if at == want {
			out = append(out, want)
		}
	}
	return out
}
