package text

import (
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

// Doc is an analyzed document. Each list is sorted by bucket, without
// duplicates, and has a range of buckets of its own.
type Doc struct {
	Words  []Term
	Sounds []Term // the consonants of words
	Grams  []Term
}

// Buckets calls yield with each bucket of the document, those that its coming and going changes the document frequencies of.
func (d *Doc) Buckets(yield func(uint32) bool) {
	for _, terms := range d.lists() {
		for _, t := range terms {
			if !yield(t.Bucket) {
				return
			}
		}
	}
}

func (d *Doc) lists() [3][]Term { return [3][]Term{d.Words, d.Grams, d.Sounds} }

// The marks at the ends of a word, in its grams. Control characters are never
// part of a word.
const (
	wordBegin rune = 0x02
	wordEnd   rune = 0x03

	minGram, maxGram = 3, 5
)

// Text is a text and its language, a BCP 47 tag or the ISO 639 code it begins
// with; "" when it is not known. It is an alias: weave.Text of package graphstore/weave is the same type.
type Text = struct{ Body, Language string }

// Analyze counts the words and grams of texts of unknown languages. No word
// spans two texts. Bytes that are not UTF-8 separate words. Time and memory are
// linear in the input.
func (e *Encoder) Analyze(texts ...string) *Doc {
	a := e.analyzers.Get().(*analyzer)
	for _, t := range texts {
		a.text(Text{Body: t})
	}
	return e.finish(a)
}

// AnalyzeTexts is Analyze for texts whose languages may be known.
func (e *Encoder) AnalyzeTexts(texts []Text) *Doc {
	a := e.analyzers.Get().(*analyzer)
	for _, t := range texts {
		a.text(t)
	}
	return e.finish(a)
}

// Words are those that AnalyzeTexts counts, normalized, in the order of the text.
func (e *Encoder) Words(t Text) []string {
	a := e.analyzers.Get().(*analyzer)
	a.spelling = true
	a.text(t)
	words := a.spelled
	a.spelling, a.spelled = false, nil
	e.analyzers.Put(a)
	return words
}

func (e *Encoder) finish(a *analyzer) *Doc {
	doc := a.doc()
	// One huge text must not hold its buffers for ever.
	if len(a.spare) <= maxPooled && cap(a.normal) <= maxPooled && cap(a.word) <= maxPooled {
		e.analyzers.Put(a)
	}
	return doc
}

const maxPooled = 1 << 16

// analyzer is the scratch of one Analyze.
type analyzer struct {
	e                    *Encoder
	source               Text   // which is being taken in
	usage                *usage // of its language; nil before it is asked for
	word                 []rune // wordBegin and the runes of the word so far
	cuts                 []int  // where in word an apostrophe stood
	sound                []byte
	words, sounds, grams []uint32
	spare                []uint32
	terms                []Term
	fold                 cases.Caser // stateful, so not shared
	normal               []byte
	spelling             bool // by Words: spelled gets the words, and nothing is counted
	spelled              []string
}

func newAnalyzer(e *Encoder) *analyzer {
	return &analyzer{e: e, word: []rune{wordBegin}, fold: cases.Fold()}
}

// text takes in one text. It is cut at ASCII white space, across which neither
// normalization nor folding acts, so that the stretches in ASCII, which are
// most, need neither.
func (a *analyzer) text(t Text) {
	a.source, a.usage = t, nil
	s := t.Body
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
		switch {
		case ascii:
			a.ascii(s[begin:i])
		case !a.alone(s[begin:i]):
			a.normalized(s[begin:i])
		}
		a.endWord()
	}
	a.source = Text{}
}

func isSpace(c byte) bool { return c == ' ' || c-'\t' < 5 }

// ascii takes in a stretch without white space.
func (a *analyzer) ascii(s string) {
	table := a.e.letters.table[:utf8.RuneSelf]
	for i := range len(s) {
		switch f := table[s[i]]; f.kind {
		case letter:
			a.word = append(a.word, rune(f.a))
		case apostrophe:
			a.apostrophe()
		default:
			a.endWord()
		}
	}
}

// alone takes in a stretch whose characters do not depend on their neighbours.
// It reports whether it is one.
func (a *analyzer) alone(s string) bool {
	for _, r := range s {
		if a.e.letters.of(r).kind == context {
			return false
		}
	}
	for _, r := range s {
		a.form(a.e.letters.of(r))
	}
	return true
}

// normalized takes in any stretch.
func (a *analyzer) normalized(s string) {
	for begin := 0; begin < len(s); {
		// Some apostrophes would be normalized into a space and an accent.
		end, next := len(s), len(s)
		for i, r := range s[begin:] {
			if a.e.letters.of(r).kind == apostrophe {
				end, next = begin+i, begin+i+utf8.RuneLen(r)
				break
			}
		}
		a.normal = a.normal[:0]
		for _, r := range normalize(s[begin:end], a.fold) {
			switch f := a.e.letters.normal(r); f.kind {
			case separator:
				a.normal = append(a.normal, ' ')
			case apostrophe:
				a.normal = append(a.normal, '\'')
			case context:
				a.normal = utf8.AppendRune(a.normal, r)
			case letter:
				a.normal = utf8.AppendRune(a.normal, rune(f.a))
				if f.b != 0 {
					a.normal = utf8.AppendRune(a.normal, rune(f.b))
				}
			}
		}
		a.normal = norm.NFC.Bytes(a.normal)
		for i := 0; i < len(a.normal); {
			r, size := utf8.DecodeRune(a.normal[i:])
			i += size
			switch r {
			case ' ':
				a.endWord()
			case '\'':
				a.apostrophe()
			default:
				a.word = append(a.word, r)
			}
		}
		if next > end {
			a.apostrophe()
		}
		begin = next
	}
}

func (a *analyzer) form(f form) {
	switch f.kind {
	case letter:
		a.word = append(a.word, rune(f.a))
		if f.b != 0 {
			a.word = append(a.word, rune(f.b))
		}
	case apostrophe:
		a.apostrophe()
	case separator:
		a.endWord()
	}
}

// apostrophe notes where one stands inside of a word.
func (a *analyzer) apostrophe() {
	if len(a.word) > 1 {
		a.cuts = append(a.cuts, len(a.word))
	}
}

// endWord ends the word, and sees to its apostrophes.
func (a *analyzer) endWord() {
	if len(a.cuts) > 0 {
		a.divide()
	}
	if len(a.word) > 1 {
		a.word = append(a.word, wordEnd)
		a.hash(a.word)
	}
	a.word = a.word[:1]
}

// hash takes in a word, between its marks, with its sounds and its grams. The
// hash of a stretch is its polynomial in a seeded odd base modulo 2^64, finished by
// mix: those of 3, 4 and 5 runes that begin at one place share their beginning.
func (a *analyzer) hash(w []rune) {
	base := a.e.base
	h := a.e.polynomial(w[1 : len(w)-1])
	if to, ok := a.e.lexicon.read(w, h); ok {
		w, h = to, a.e.polynomial(to[1:len(to)-1])
	}
	if a.spelling {
		a.spelled = append(a.spelled, string(w[1:len(w)-1]))
		return
	}
	a.words = append(a.words, uint32(mix(h^a.e.wordSalt)>>(64-wordBits)))

	a.sound = a.e.sounds.of(w[1:len(w)-1], a.sound[:0])
	if len(a.sound) > 0 {
		h = 1
		for _, s := range a.sound {
			h = h*base + uint64(s)
		}
		a.sounds = append(a.sounds, uint32(mix(h^a.e.soundSalt)>>(64-soundBits)))
	}

	salt := a.e.gramSalt
	for i := 0; i+minGram <= len(w); i++ {
		h := ((base+uint64(w[i]))*base+uint64(w[i+1]))*base + uint64(w[i+2])
		a.grams = append(a.grams, uint32(mix(h^salt)>>(64-gramBits)))
		for _, r := range w[i+minGram : min(i+maxGram, len(w))] {
			h = h*base + uint64(r)
			a.grams = append(a.grams, uint32(mix(h^salt)>>(64-gramBits)))
		}
	}
}

// polynomial is that of a word's runes.
func (e *Encoder) polynomial(word []rune) uint64 {
	// The leading 1 makes polynomials of different lengths different.
	h := uint64(1)
	for _, r := range word {
		h = h*e.base + uint64(r)
	}
	return h
}

// doc counts what was taken in and empties the scratch.
func (a *analyzer) doc() *Doc {
	total := len(a.words) + len(a.sounds) + len(a.grams)
	if len(a.spare) < total {
		a.spare, a.terms = make([]uint32, total+total/4), make([]Term, total+total/4)
	}
	nw := countRuns(a.terms, radixSort(a.words, a.spare, wordBits), firstWord)
	ns := nw + countRuns(a.terms[nw:], radixSort(a.sounds, a.spare, soundBits), firstSound)
	n := ns + countRuns(a.terms[ns:], radixSort(a.grams, a.spare, gramBits), firstGram)
	a.words, a.sounds, a.grams = a.words[:0], a.sounds[:0], a.grams[:0]
	terms := make([]Term, n)
	copy(terms, a.terms)
	return &Doc{Words: terms[:nw:nw], Sounds: terms[nw:ns:ns], Grams: terms[ns:]}
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
