package text

import (
	"fmt"
	"math"
)

// Table holds in how many documents of an archive each bucket occurs. It may
// be read by many goroutines or written by one; the caller locks.
//
// The counts are plain sums: documents added and removed in any order leave
// exactly the counts of those that remain.
type Table struct {
	docs int
	df   []int32
	// low[b] is df[b], or isHigh for that and more. Being small, it stays in the
	// processor's cache, and most terms are looked up there only.
	low []uint8
	// base is ln(1+docs) + 1.
	base float32
	// logs[n] is ln(1+n).
	logs [logSize]float32
}

const isHigh = 1<<8 - 1

// logSize is the range in which logarithms are looked up: rare terms, which
// are most. Common ones are computed.
const logSize = 1 << 12

// NewTable returns the table of an empty archive.
func NewTable() *Table {
	t := &Table{df: make([]int32, Buckets), low: make([]uint8, Buckets)}
	for n := range t.logs {
		t.logs[n] = float32(math.Log1p(float64(n)))
	}
	t.SetDocs(0)
	return t
}

// Add counts a document in (sign +1) or out (-1).
func (t *Table) Add(d *Doc, sign int) {
	for _, terms := range d.lists() {
		for _, term := range terms {
			t.set(term.Bucket, t.df[term.Bucket]+int32(sign))
		}
	}
	t.SetDocs(t.docs + sign)
}

func (t *Table) set(bucket uint32, df int32) {
	t.df[bucket] = df
	t.low[bucket] = uint8(max(0, min(df, isHigh)))
}

// Load sets a bucket's count, of a table that was kept elsewhere.
func (t *Table) Load(bucket uint32, df int32) error {
	if int(bucket) >= len(t.df) {
		return fmt.Errorf("text: document frequency of bucket %d: there are %d buckets", bucket, len(t.df))
	}
	if df < 0 {
		return fmt.Errorf("text: document frequency %d of bucket %d: must be 0 or more", df, bucket)
	}
	t.set(bucket, df)
	return nil
}

// SetDocs sets the number of documents.
func (t *Table) SetDocs(n int) {
	t.docs = n
	t.base = float32(math.Log1p(float64(max(n, 0))) + 1)
}

// Docs is the number of documents.
func (t *Table) Docs() int { return t.docs }

// DF is the number of documents that have the bucket. A bucket of
// Buckets or more panics.
func (t *Table) DF(bucket uint32) int32 { return t.df[bucket] }

// IDF is ln((1+docs)/(1+df)) + 1: at least 1 while no count exceeds docs. A
// bucket of Buckets or more panics.
func (t *Table) IDF(bucket uint32) float32 {
	if df := t.low[bucket]; df < isHigh {
		return t.base - t.logs[df]
	}
	if df := t.df[bucket]; df < logSize {
		return t.base - t.logs[df]
	}
	return t.base - float32(math.Log1p(float64(t.df[bucket])))
}
