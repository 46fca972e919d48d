package text

import (
	"math/bits"
	"slices"
	"sync"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The terms of words and of n-grams have spaces of their own.
const (
	wordBuckets = 1 << 18
	gramBuckets = 1 << 18
	// Buckets is the number of terms that there can be.
	Buckets = wordBuckets + gramBuckets
)

// Lengths of the character n-grams.
const (
	minGram = 3
	maxGram = 5
)

// Term is a hashed word or n-gram with the number of its occurrences (at most 65,535).
type Term struct {
	Bucket uint32
	Count  uint16
}

// Doc is an analyzed text. Both lists ascend by bucket and have no bucket twice.
type Doc struct {
	Words []Term // buckets below 1<<18
	Grams []Term // buckets from 1<<18 to below Buckets
}

// scratch is what an analysis needs and the next one can use again.
type scratch struct {
	words, grams []uint32
	runes        []rune
	fold         cases.Caser
}

var scratches = sync.Pool{New: func() any { return &scratch{fold: cases.Fold()} }}

// Analyze finds the terms of texts that belong together. A word is a run of
// letters, marks and digits after NFKC and full case folding; n-grams are taken
// within words, whose ends are marked, so that a prefix differs from a middle.
func (e *Encoder) Analyze(texts ...string) *Doc {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.words, s.grams = s.words[:0], s.grams[:0]
	for _, t := range texts {
		e.scan(s, t)
	}
	return &Doc{Words: count(s.words), Grams: count(s.grams)}
}

// edge marks the ends of a word; it can't occur in one.
const edge = '\x00'

func (e *Encoder) scan(s *scratch, t string) {
	if !plain(t) {
		// Folding may undo the composition (and the reverse), hence NFKC on both sides.
		t = norm.NFKC.String(s.fold.String(norm.NFKC.String(t)))
	}
	s.runes = append(s.runes[:0], edge)
	for _, r := range t {
		if r < 0x80 {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
				s.runes = append(s.runes, r)
				continue
			}
		} else if unicode.In(r, unicode.Letter, unicode.Mark, unicode.Number) {
			s.runes = append(s.runes, r)
			continue
		}
		e.word(s)
	}
	e.word(s)
}

// plain tells text that case folding of ASCII letters alone brings to its normal form.
func plain(t string) bool {
	for i := range len(t) {
		if t[i] >= 0x80 {
			return false
		}
	}
	return true
}

// word ends the word in s.runes, if there is one, and begins the next.
func (e *Encoder) word(s *scratch) {
	if len(s.runes) == 1 {
		return
	}
	h := e.wordSeed
	for _, r := range s.runes[1:] {
		h = mix(h, uint64(r))
	}
	s.words = append(s.words, uint32(finish(h)%wordBuckets))
	s.runes = append(s.runes, edge)
	for from := range s.runes {
		h := e.gramSeed
		for n := 0; n < maxGram && from+n < len(s.runes); n++ {
			h = mix(h, uint64(s.runes[from+n]))
			if n+1 >= minGram {
				s.grams = append(s.grams, wordBuckets+uint32(finish(h)%gramBuckets))
			}
		}
	}
	s.runes = s.runes[:1]
}

// mix and finish are a multiply-and-fold hash over runes, after wyhash.
func mix(h, x uint64) uint64 {
	hi, lo := bits.Mul64(h^x, 0x9e3779b97f4a7c15)
	return hi ^ lo ^ x
}

func finish(h uint64) uint64 {
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// count turns hashes into terms; it sorts its argument.
func count(hashes []uint32) []Term {
	if len(hashes) == 0 {
		return nil
	}
	slices.Sort(hashes)
	distinct := 1
	for i := 1; i < len(hashes); i++ {
		if hashes[i] != hashes[i-1] {
			distinct++
		}
	}
	out := make([]Term, 0, distinct)
	for i := 0; i < len(hashes); {
		j := i + 1
		for j < len(hashes) && hashes[j] == hashes[i] {
			j++
		}
		out = append(out, Term{hashes[i], uint16(min(j-i, 1<<16-1))})
		i = j
	}
	return out
}
