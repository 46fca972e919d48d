package rerank

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// Word is a hashed word with its number of occurrences in the artifact.
type Word struct {
	Bucket uint32
	Count  uint16
}

// mostWords is how many words of an artifact are evidence. A text of a megabyte may have 150,000, 2 MB with their weights, and
// each search holds those of hundreds of candidates. Records and pages have some hundreds.
const mostWords = 4096

// MostFrequent returns the words that are evidence of an artifact that has all of these, with increasing buckets: the most
// frequent ones, of equals those of smaller buckets.
func MostFrequent(words []Word) []Word {
	if len(words) <= mostWords {
		return words
	}
	byCount := slices.Clone(words)
	slices.SortFunc(byCount, func(a, b Word) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Bucket, b.Bucket)) })
	kept := slices.Clip(slices.Clone(byCount[:mostWords]))
	slices.SortFunc(kept, func(a, b Word) int { return cmp.Compare(a.Bucket, b.Bucket) })
	return kept
}

// Evidence is what stage 2 knows of one artifact besides its embedding.
type Evidence struct {
	// ID is the artifact's id, Node its node in the graph.
	ID   string
	Node uint64
	// Entities and Links are nodes, strictly increasing. Links are those that this
	// artifact declares; the scorer looks at both sides.
	Entities []uint64
	Links    []uint64
	// Words have strictly increasing buckets.
	Words []Word
	// Begin and End are years, negative before the era; NaN: not known.
	Begin, End float64
}

const evidenceVersion = 1

// Marshal returns the binary form.
func (e *Evidence) Marshal() []byte {
	b := make([]byte, 0, 64+len(e.ID)+8*(len(e.Entities)+len(e.Links))+4*len(e.Words))
	b = append(b, evidenceVersion)
	b = appendString(b, e.ID)
	b = binary.LittleEndian.AppendUint64(b, e.Node)
	b = appendNodes(b, e.Entities)
	b = appendNodes(b, e.Links)
	b = binary.AppendUvarint(b, uint64(len(e.Words)))
	last := uint32(0)
	for _, w := range e.Words {
		b = binary.AppendUvarint(b, uint64(w.Bucket-last))
		b = binary.AppendUvarint(b, uint64(w.Count))
		last = w.Bucket
	}
	b = appendFloat64(b, e.Begin)
	return appendFloat64(b, e.End)
}

// Unmarshal reads the binary form. Lists that are not strictly increasing are an error, for
// the scorer merges them. After an error e is not changed.
func (e *Evidence) Unmarshal(b []byte) error {
	d := decoder{rest: b}
	d.version(evidenceVersion)
	v := Evidence{
		ID:       d.string("id"),
		Node:     d.fixed64("node"),
		Entities: d.nodes("entities"),
		Links:    d.nodes("links"),
		Words:    d.words("words"),
		Begin:    d.float64("begin"),
		End:      d.float64("end"),
	}
	if err := d.finish("evidence"); err != nil {
		return err
	}
	*e = v
	return nil
}

func appendNodes(b []byte, nodes []uint64) []byte {
	b = binary.AppendUvarint(b, uint64(len(nodes)))
	for _, n := range nodes {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}

var errOrder = errors.New("not strictly increasing")

func (d *decoder) nodes(field string) []uint64 {
	n := d.count(field, 8)
	if n == 0 {
		return nil
	}
	out := make([]uint64, n)
	for i := range out {
		out[i] = d.fixed64(field)
		if i > 0 && out[i] <= out[i-1] {
			d.fail(field, errOrder)
			return nil
		}
	}
	return out
}

func (d *decoder) words(field string) []Word {
	n := d.count(field, 2)
	if n == 0 {
		return nil
	}
	out := make([]Word, n)
	last := uint64(0)
	for i := range out {
		step := d.below(field, math.MaxUint32)
		if i > 0 && step == 0 {
			d.fail(field, errOrder)
			return nil
		}
		last += step
		if last > math.MaxUint32 {
			d.fail(field, errors.New("bucket overflows 32 bits"))
			return nil
		}
		out[i] = Word{Bucket: uint32(last), Count: uint16(d.below(field, math.MaxUint16))}
	}
	return out
}
