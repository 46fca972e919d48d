package bound

import (
	"math"
	"slices"

	"kilim/annindex/codes"
	"kilim/rerank"
)

// Words gives the inverse document frequency of a hashed word.
type Words interface {
	IDF(bucket uint32) float32
}

// Table holds the artifacts of an archive. One may write to it while nobody reads; any number may read at the same time.
type Table struct {
	scorer *rerank.Scorer
	words  Words
	// dim is that of the vectors, 0 while there are none.
	dim int

	slots map[uint64]uint32
	// What follows is by slot. gone tells which are of artifacts that are gone and may still be in the inverted lists, those in
	// free aren't.
	nodes  []uint64
	gone   []bool
	said   []said
	free   []uint32
	blocks []block

	terms, entities terms
	// epoch is when the frequencies of now were taken, artifacts their number then.
	epoch     float64
	artifacts int
	bytes     int
}

// said is what an artifact says besides its column.
type said struct {
	begin, end float64
	bytes      int32
}

// block has the columns of blockSize slots, by row, and their vectors, nil while there are none.
type block struct {
	numbers []float32
	vectors *codes.Rows
}

// The rows of a block. rowLength is the length of the vector, rowRest that of what rounding takes from it; rowWords and rowEntities are
// the lengths of the common terms, rowWordScale and rowEntityScale what scales the weights of all terms to length 1.
const (
	rowRest = iota
	rowLength
	rowWords
	rowEntities
	rowDated
	rowWordScale
	rowEntityScale
	// rowTotal and rowGeneral are what a score must reach to enter the lists, negative: added to a bound it is 0 or more where it does.
	rowTotal
	rowGeneral
	rowCount

	blockSize = 256
)

// row is one of the block's.
func (b *block) row(i int) []float32 { return b.numbers[i*blockSize : (i+1)*blockSize] }

// slotBytes and postingBytes are what an artifact and each of its terms take, with what slices and maps leave free.
const (
	slotBytes    = 4*rowCount + 112
	postingBytes = 12
)

// New makes the table of an empty archive.
func New(s *rerank.Scorer, words Words) *Table {
	return &Table{scorer: s, words: words, slots: map[uint64]uint32{}, epoch: math.NaN(),
		terms: newTerms(), entities: newTerms()}
}

// Len is the number of artifacts, and Bytes what they take: it follows from what they are, not from how they came.
func (t *Table) Len() int { return len(t.slots) }

// Has tells whether an artifact is there.
func (t *Table) Has(node uint64) bool {
	_, ok := t.slots[node]
	return ok
}

// Bytes is described with Len.
func (t *Table) Bytes() int { return t.bytes + len(t.slots)*codes.RowBytes(t.dim) }

// Epoch is when the epoch was begun, NaN before the first.
func (t *Table) Epoch() float64 { return t.epoch }

// WordIDF is that of the epoch.
func (t *Table) WordIDF(bucket uint32) float32 {
	if idf, ok := t.terms.idf(uint64(bucket)); ok {
		return idf
	}
	return t.words.IDF(bucket)
}

// EntityIDF is that of the epoch, ln((1+N)/(1+n)) + 1 of an entity that n of N artifacts share.
func (t *Table) EntityIDF(node uint64) float32 {
	if idf, ok := t.entities.idf(node); ok {
		return idf
	}
	return t.entityIDF(0)
}

func (t *Table) entityIDF(has int) float32 {
	return float32(math.Log((1+float64(t.artifacts))/(1+float64(has))) + 1)
}

// Put takes up an artifact, in place of what it was. Its vector follows by Move; until then, and until SetLeast, it may be near to all and in reach of all.
func (t *Table) Put(e *rerank.Evidence) {
	total, general := float32(math.Inf(-1)), float32(math.Inf(-1))
	if _, ok := t.slots[e.Node]; ok {
		total, general = t.Least(e.Node)
		t.Remove(e.Node)
	}
	slot := t.slot()
	t.slots[e.Node], t.nodes[slot], t.gone[slot] = slot, e.Node, false
	column := t.column(slot)
	column.clear()
	var words, entities lengths
	for _, w := range e.Words {
		x := t.terms.of(uint64(w.Bucket), func(uint64) float32 { return t.words.IDF(w.Bucket) })
		x.had = append(x.had, posting{slot, rerank.Sublinear(w.Count)})
		words.add(x, rerank.Sublinear(w.Count))
	}
	for _, n := range e.Entities {
		x := t.entities.of(n, func(uint64) float32 { return t.entityIDF(0) })
		x.had = append(x.had, posting{slot, 1})
		entities.add(x, 1)
	}
	p := rerank.Lay(&rerank.Evidence{Begin: e.Begin, End: e.End}, nil)
	s := &t.said[slot]
	s.begin, s.end = p.Dates()
	if !math.IsNaN(s.begin) {
		column.set(rowDated, 1)
	}
	s.bytes = int32(slotBytes + postingBytes*(len(e.Words)+len(e.Entities)))
	t.bytes += int(s.bytes)
	t.setLengths(slot, &words, &entities)
	t.SetLeast(e.Node, total, general)
}

func (t *Table) setLengths(slot uint32, words, entities *lengths) {
	column := t.column(slot)
	scale, common := words.scale()
	column.set(rowWordScale, scale)
	column.set(rowWords, common)
	scale, common = entities.scale()
	column.set(rowEntityScale, scale)
	column.set(rowEntities, common)
}

// slot returns one that nobody has.
func (t *Table) slot() uint32 {
	if n := len(t.free); n > 0 {
		slot := t.free[n-1]
		t.free = t.free[:n-1]
		return slot
	}
	slot := uint32(len(t.nodes))
	t.nodes, t.gone, t.said = append(t.nodes, 0), append(t.gone, false), append(t.said, said{})
	if int(slot)%blockSize == 0 {
		t.blocks = append(t.blocks, newBlock())
	}
	return slot
}

// newBlock has columns such that nobody may enter their lists.
func newBlock() block {
	b := block{numbers: make([]float32, rowCount*blockSize)}
	for i := range blockSize {
		b.row(rowTotal)[i], b.row(rowGeneral)[i] = float32(math.Inf(-1)), float32(math.Inf(-1))
	}
	return b
}

// Remove forgets an artifact.
func (t *Table) Remove(node uint64) {
	slot, ok := t.slots[node]
	if !ok {
		return
	}
	delete(t.slots, node)
	t.gone[slot] = true
	t.bytes -= int(t.said[slot].bytes)
	column := t.column(slot)
	column.clear()
	column.set(rowTotal, float32(math.Inf(-1)))
	column.set(rowGeneral, float32(math.Inf(-1)))
}

// Move gives an artifact another vector.
func (t *Table) Move(node uint64, vector []float32) {
	slot, ok := t.slots[node]
	if !ok {
		return
	}
	t.dim = len(vector)
	b, at := &t.blocks[slot/blockSize], int(slot%blockSize)
	if b.vectors == nil {
		b.vectors = codes.NewRows(t.dim, blockSize)
	}
	sum := 0.0
	for _, x := range vector {
		sum += float64(x) * float64(x)
	}
	b.row(rowRest)[at], b.row(rowLength)[at] = b.vectors.Set(at, vector), float32(math.Sqrt(sum))
}

// SetLeast says below which score nobody enters the lists of an artifact.
func (t *Table) SetLeast(node uint64, total, general float32) {
	if slot, ok := t.slots[node]; ok {
		column := t.column(slot)
		column.set(rowTotal, -total)
		column.set(rowGeneral, -general)
	}
}

// Least is what SetLeast was told of an artifact that is there.
func (t *Table) Least(node uint64) (total, general float32) {
	column := t.column(t.slots[node])
	return -column.get(rowTotal), -column.get(rowGeneral)
}

// column is an artifact's place in its block.
type column struct {
	block []float32
	at    int
}

func (t *Table) column(slot uint32) column {
	return column{t.blocks[slot/blockSize].numbers, int(slot % blockSize)}
}

func (c column) get(row int) float32    { return c.block[row*blockSize+c.at] }
func (c column) set(row int, x float32) { c.block[row*blockSize+c.at] = x }

func (c column) clear() {
	for row := range rowCount {
		c.set(row, 0)
	}
}

// Begin begins an epoch at a time, of an archive of so many artifacts.
func (t *Table) Begin(at float64, artifacts int) {
	t.epoch, t.artifacts = at, artifacts
	words, entities := make([]lengths, len(t.nodes)), make([]lengths, len(t.nodes))
	gone := t.gone
	if !slices.Contains(gone, true) {
		gone = nil
	}
	t.terms.begin(artifacts, gone, func(bucket uint64, _ int) float32 { return t.words.IDF(uint32(bucket)) }, words)
	t.entities.begin(artifacts, gone, func(_ uint64, has int) float32 { return t.entityIDF(has) }, entities)
	for slot := range t.nodes {
		if t.gone[slot] {
			t.gone[slot], t.nodes[slot] = false, 0
			t.free = append(t.free, uint32(slot))
		}
	}
	for _, slot := range t.slots {
		t.setLengths(slot, &words[slot], &entities[slot])
	}
}
