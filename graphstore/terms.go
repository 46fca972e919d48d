package graphstore

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// The term table is kept as pages of document frequencies and, beside them,
// rows of changes: a commit touches tens of thousands of terms spread over
// all pages, and would rewrite the whole table each time. Changes are folded
// into the pages, within a commit, when foldAfterTerms of them have gathered.
const (
	termPageBits = 12
	// deltaTermsPerRow keeps a row of changes below the value threshold.
	deltaTermsPerRow = 8192
	foldAfterTerms   = 1 << 20
	// mostKeptTerms, 4 MiB, is room for the changes of a batch of records, which one Tx leaves to the next.
	mostKeptTerms = 1 << 19
)

// termCount is a term's document frequency, or a change of it: the bucket above, so that they are sorted by it, and the count below.
// A commit sorts hundreds for each of its records.
type termCount uint64

func countTerm(bucket uint32, count int32) termCount {
	return termCount(bucket)<<32 | termCount(uint32(count))
}

func (t termCount) bucket() uint32 { return uint32(t >> 32) }
func (t termCount) count() int32   { return int32(uint32(t)) }

// encodeTerms wants terms ascending; buckets are stored as differences.
func encodeTerms(terms []termCount) []byte {
	b := binary.AppendUvarint(newRow(8+4*len(terms)), uint64(len(terms)))
	last := uint32(0)
	for _, t := range terms {
		b = binary.AppendUvarint(b, uint64(t.bucket()-last))
		b = binary.AppendVarint(b, int64(t.count()))
		last = t.bucket()
	}
	return b
}

func decodeTerms(terms []termCount, row []byte) ([]termCount, error) {
	d := decodeRow(row)
	bucket := uint32(0)
	for range d.count(2) {
		bucket += d.uint32()
		terms = append(terms, countTerm(bucket, int32(d.varint())))
	}
	return terms, d.end()
}

// fewTerms are sorted faster without counting digits.
const fewTerms = 256

// sortTerms sorts by buckets, and returns terms or a copy. A batch of records has some hundred thousand terms, in random order: to
// compare them takes more than twice as long as to move each to its place, once for each digit of the buckets, from the lowest on.
func sortTerms(terms []termCount) []termCount {
	if len(terms) <= fewTerms {
		slices.Sort(terms)
		return terms
	}
	const bits, mask = 11, 1<<11 - 1
	spare := make([]termCount, len(terms))
	for shift := 32; shift < 64; shift += bits {
		var places [mask + 1]int
		for _, t := range terms {
			places[t>>shift&mask]++
		}
		next := 0
		for digit, n := range places {
			places[digit] = next
			next += n
		}
		for _, t := range terms {
			at := &places[t>>shift&mask]
			spare[*at] = t
			*at++
		}
		terms, spare = spare, terms
	}
	return terms
}

// sumTerms sorts and adds up the counts of each bucket, and leaves out zeros.
func sumTerms(terms []termCount) []termCount {
	terms = sortTerms(terms)
	out := terms[:0]
	for i := 0; i < len(terms); {
		bucket, count := terms[i].bucket(), terms[i].count()
		for i++; i < len(terms) && terms[i].bucket() == bucket; i++ {
			count += terms[i].count()
		}
		if count != 0 {
			out = append(out, countTerm(bucket, count))
		}
	}
	return out
}

// TermTable calls fn for each term with a document frequency other than 0, by
// ascending bucket.
func (r *Reader) TermTable(fn func(bucket uint32, df int32)) error {
	var terms []termCount
	err := r.rows([]byte{keyTerms}, func(k, v []byte) (err error) {
		terms, err = decodeTerms(terms, v)
		return err
	})
	if err != nil {
		return fmt.Errorf("graphstore: read the term table: %w", err)
	}
	if r.ov != nil {
		terms = append(terms, r.ov.terms...)
	}
	for _, t := range sumTerms(terms) {
		fn(t.bucket(), t.count())
	}
	return nil
}

// foldTerms turns the Tx's changes of terms into rows, and folds all changes
// into pages when enough have gathered.
func (t *Tx) foldTerms() error {
	changes := sumTerms(t.ov.terms)
	t.ov.terms = changes
	if len(changes) == 0 {
		return nil
	}
	if t.state.deltaTerms+uint64(len(changes)) >= t.s.foldAfter {
		return t.foldPages()
	}
	t.state.deltaTerms += uint64(len(changes))
	for part := range slices.Chunk(changes, deltaTermsPerRow) {
		t.ov.rows[string(termDeltaKey(t.state.nextDelta))] = encodeTerms(part)
		t.state.nextDelta++
	}
	return nil
}

// foldPages writes the whole table as pages and removes the rows of changes.
func (t *Tx) foldPages() error {
	stale := map[string]struct{}{}
	if err := t.rows([]byte{keyTerms}, func(k, _ []byte) error {
		stale[string(k)] = struct{}{}
		return nil
	}); err != nil {
		return fmt.Errorf("fold the term table: %w", err)
	}
	var page []termCount
	flush := func() {
		if len(page) == 0 {
			return
		}
		key := string(termPageKey(page[0].bucket() >> termPageBits))
		t.ov.rows[key] = encodeTerms(page)
		delete(stale, key)
		page = page[:0]
	}
	if err := t.TermTable(func(bucket uint32, df int32) {
		if len(page) > 0 && page[0].bucket()>>termPageBits != bucket>>termPageBits {
			flush()
		}
		page = append(page, countTerm(bucket, df))
	}); err != nil {
		return fmt.Errorf("fold the term table: %w", err)
	}
	flush()
	for key := range stale {
		t.ov.rows[key] = nil
	}
	t.state.deltaTerms = 0
	return nil
}
