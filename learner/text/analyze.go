package text

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Term is a bucket and how often the document has it, 65535 standing for that
// or more.
type Term struct {
	Bucket uint32
	Count  uint16
}

// Doc is an analyzed document. Both lists are sorted by bucket, without
// duplicates. Words have buckets below Buckets/2, grams from there on.
type Doc struct {
	Words, Grams []Term
}

// Delta adds sign to delta at each bucket of the document: the change of the
// document frequencies when it comes (+1) or goes (-1).
func (d *Doc) Delta(delta map[uint32]int32, sign int32) {
	for _, t := range d.Words {
		delta[t.Bucket] += sign
	}
	for _, t := range d.Grams {
		delta[t.Bucket] += sign
	}
}

// The marks at the ends of a word, in its grams. Control characters are never
// part of a word.
const (
	wordBegin rune = 0x02
	wordEnd   rune = 0x03

	minGram, maxGram = 3, 5
)

// Analyze counts the words and grams of texts. No word spans two texts. Bytes
// that are not UTF-8 separate words. Time and memory are linear in the input.
func (e *Encoder) Analyze(texts ...string) *Doc {
	a := e.analyzers.Get().(*analyzer)
	for _, t := range texts {
		a.text(t)
	}
	doc := a.doc()
	// One huge text must not hold its buffers for ever.
	if len(a.spare) <= maxPooled && cap(a.normal) <= maxPooled {
		e.analyzers.Put(a)
	}
	return doc
}

const maxPooled = 1 << 16

// analyzer is the scratch of one Analyze.
type analyzer struct {
	e            *Encoder
	word         []rune // wordBegin and the runes of the word so far
	words, grams []uint32
	spare        []uint32
	terms        []Term
	fold         cases.Caser // stateful, so not shared
	normal       []byte
}

func newAnalyzer(e *Encoder) *analyzer {
	return &analyzer{e: e, word: []rune{wordBegin}, fold: cases.Fold()}
}

// text takes in one text. It is cut at ASCII white space, across which neither
// normalization nor folding acts, so that the stretches in ASCII, which are
// most, need neither.
func (a *analyzer) text(s string) {
	for i := 0; i < len(s); {
		if isSpace(s[i]) {
			i++
			continue
		}
		begin, ascii := i, true
		for i < len(s) && !isSpace(s[i]) {
			ascii = ascii && s[i] < utf8.RuneSelf
			i++
		}
		if ascii {
			a.ascii(s[begin:i])
		} else {
			a.unicode(s[begin:i])
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c-'\t' < 5 }

func (a *analyzer) ascii(s string) {
	for i := range len(s) {
		c := s[i]
		switch {
		case c-'a' < 26 || c-'0' < 10:
		case c-'A' < 26:
			c += 'a' - 'A'
		default:
			a.endWord()
			continue
		}
		a.word = append(a.word, rune(c))
	}
	a.endWord()
}

func (a *analyzer) unicode(s string) {
	a.normal = norm.NFKC.AppendString(a.normal[:0], s)
	folded := a.fold.Bytes(a.normal)
	// Folding may leave what is not in normal form.
	a.normal = norm.NFKC.Append(a.normal[:0], folded...)
	for i := 0; i < len(a.normal); {
		r, size := utf8.DecodeRune(a.normal[i:])
		i += size
		if unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) {
			a.word = append(a.word, r)
		} else {
			a.endWord()
		}
	}
	a.endWord()
}

// endWord hashes the word and its grams. The hash of a stretch is its
// polynomial in a seeded odd base modulo 2^64, finished by mix: those of 3, 4
// and 5 runes that begin at one place share their beginning.
func (a *analyzer) endWord() {
	if len(a.word) == 1 {
		return
	}
	base := a.e.base
	// The leading 1 makes polynomials of different lengths different.
	h := uint64(1)
	for _, r := range a.word[1:] {
		h = h*base + uint64(r)
	}
	a.words = append(a.words, uint32(mix(h^a.e.wordSalt)>>(64-wordBits)))

	w, salt := append(a.word, wordEnd), a.e.gramSalt
	for i := 0; i+minGram <= len(w); i++ {
		h := ((base+uint64(w[i]))*base+uint64(w[i+1]))*base + uint64(w[i+2])
		a.grams = append(a.grams, uint32(mix(h^salt)>>(64-gramBits)))
		for _, r := range w[i+minGram : min(i+maxGram, len(w))] {
			h = h*base + uint64(r)
			a.grams = append(a.grams, uint32(mix(h^salt)>>(64-gramBits)))
		}
	}
	a.word = w[:1]
}

// doc counts what was taken in and empties the scratch.
func (a *analyzer) doc() *Doc {
	total := len(a.words) + len(a.grams)
	if len(a.spare) < total {
		a.spare, a.terms = make([]uint32, total+total/4), make([]Term, total+total/4)
	}
	nw := countRuns(a.terms, radixSort(a.words, a.spare, wordBits), 0)
	n := nw + countRuns(a.terms[nw:], radixSort(a.grams, a.spare, gramBits), wordBuckets)
	a.words, a.grams = a.words[:0], a.grams[:0]
	terms := make([]Term, n)
	copy(terms, a.terms)
	return &Doc{Words: terms[:nw:nw], Grams: terms[nw:]}
}

// countRuns turns the runs of sorted into terms of buckets from first, and
// returns how many.
func countRuns(terms []Term, sorted []uint32, first uint32) int {
	n := 0
	for i := 0; i < len(sorted); {
		x, begin := sorted[i], i
		for i++; i < len(sorted) && sorted[i] == x; i++ {
		}
		terms[n] = Term{first + x, uint16(min(i-begin, 1<<16-1))}
		n++
	}
	return n
}
