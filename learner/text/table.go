package text

import (
	"fmt"
	"math"
)

// Table holds document frequencies in memory: in how many documents each term
// occurs. Callers see to it that nobody reads while somebody writes.
type Table struct {
	df   []int32
	docs int
	// logs[n] is ln(1+n); lnDocs is ln(1+docs).
	logs   []float32
	lnDocs float32
}

// NewTable returns a table without documents.
func NewTable() *Table {
	t := &Table{df: make([]int32, Buckets), logs: make([]float32, 1<<12)}
	for n := range t.logs {
		t.logs[n] = float32(math.Log1p(float64(n)))
	}
	return t
}

// Add counts a document's terms n times: 1 when it comes, -1 when it goes.
func (t *Table) Add(d *Doc, n int) {
	for _, terms := range [2][]Term{d.Words, d.Grams} {
		for _, term := range terms {
			t.df[term.Bucket] += int32(n)
		}
	}
	t.SetDocs(t.docs + n)
}

// Load sets the frequency of one term, as it was stored.
func (t *Table) Load(bucket uint32, df int32) error {
	if bucket >= Buckets || df < 0 {
		return fmt.Errorf("text: document frequency %d of bucket %d: buckets are below %d, frequencies not negative", df, bucket, Buckets)
	}
	t.df[bucket] = df
	return nil
}

// SetDocs sets the number of documents.
func (t *Table) SetDocs(n int) {
	t.docs = n
	t.lnDocs = float32(math.Log1p(float64(n)))
}

// Docs is the number of documents.
func (t *Table) Docs() int { return t.docs }

// DF is the number of documents with a term.
func (t *Table) DF(bucket uint32) int32 { return t.df[bucket] }

// IDF is ln((1+N)/(1+df)) + 1.
func (t *Table) IDF(bucket uint32) float32 {
	df := t.df[bucket]
	if int(df) < len(t.logs) {
		return t.lnDocs - t.logs[df] + 1
	}
	return t.lnDocs - float32(math.Log1p(float64(df))) + 1
}
