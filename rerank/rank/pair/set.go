package pair

import (
	"slices"
	"strings"
)

// Kind is what a title says its artifact is of something larger.
type Kind uint8

// The Kinds. Whole is an artifact of which nothing of the kind is said.
const (
	Whole    Kind = iota
	Pair          // one of a pair, a companion, a pendant
	Member        // one of a set or a series
	Lid           // a lid or a cover
	Fragment      // a fragment, a piece, a half
	Leaf          // a leaf, folio, page or plate
)

// kinds are words that say a Kind, folded. The first of a title counts.
var kinds = func() map[string]Kind {
	out := map[string]Kind{}
	for kind, words := range map[Kind]string{
		Pair:     "pair pairs companion mate counterpart",
		Member:   "set series suite",
		Lid:      "lid cover stopper",
		Fragment: "fragment fragments piece half section",
		Leaf:     "leaf leaves folio folios page plate",
	} {
		for _, w := range strings.Fields(words) {
			out[folded(w)] = kind
		}
	}
	return out
}()

// fillers are words that say nothing of what an artifact is, nor which of several, folded.
var fillers = strings.Fields(folded("a an the of from for and with one part no number volume vol fol left right upper lower recto verso"))

// folded writes u for v, as the words of package text have it, in which Roman numerals are words as others.
func folded(word string) string { return strings.ReplaceAll(word, "v", "u") }

// Set is what a title says of its artifact being one of several.
type Set struct {
	Kind Kind
	// Base is the title without the words that say so and without numbers: "vase" of "One of a Pair of Vases". Two artifacts of one
	// Base may belong together.
	Base string
	// Number says which of several the artifact is; 0: not said.
	Number int
}

// SetOf reads the words of a title as package text cuts them. It knows English words and Roman numerals up to 39: titles of other languages are Whole,
// with their numbers.
func SetOf(words []string) Set {
	var s Set
	var base []string
	for _, w := range words {
		w = folded(w)
		kind, ok := kinds[w]
		n := numberOf(w)
		switch {
		case ok:
			if s.Kind == Whole {
				s.Kind = kind
			}
		case n > 0:
			s.Number = n // the last: "one of 8 immortals, 3"
		case !slices.Contains(fillers, w):
			base = append(base, singular(w))
		}
	}
	s.Base = strings.Join(base, " ")
	return s
}

// singular makes one of the plural that most words have, and of a few words that are none.
func singular(w string) string {
	if len(w) > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") {
		return w[:len(w)-1]
	}
	return w
}

// mostNumber bounds the numbers that are read: years and the numbers of inventories say nothing of a set.
const mostNumber = 999

// numberOf is the number that a word says, in digits or as a Roman numeral of two letters or more; 0: none. A lone "i" or "v" is as
// often an initial.
func numberOf(w string) int {
	n := 0
	for _, r := range w {
		if r < '0' || r > '9' {
			return roman(w)
		}
		if n = 10*n + int(r-'0'); n > mostNumber {
			return 0
		}
	}
	return n
}

var (
	romanTens = []string{"", "x", "xx", "xxx"}
	romanOnes = strings.Split(folded(" i ii iii iv v vi vii viii ix"), " ")
)

func roman(w string) int {
	if len(w) < 2 {
		return 0
	}
	ones := strings.TrimLeft(w, "x")
	// "ix" begins with no x, so that what is trimmed are the tens.
	tens, unit := slices.Index(romanTens, w[:len(w)-len(ones)]), slices.Index(romanOnes, ones)
	if tens < 0 || unit < 0 {
		return 0
	}
	return 10*tens + unit
}

// with tells how two Sets belong together. same is 1 when both are of one Base and Kind, and this Kind is not Whole; 0.5 when one is
// a Kind of what the other is; near is 1 / the distance of their numbers in what has one Base.
func (s *Set) with(o *Set) (same, near float32) {
	if s.Base == "" || s.Base != o.Base {
		return 0, 0
	}
	switch {
	case s.Kind == o.Kind && s.Kind != Whole:
		same = 1
	case s.Kind != o.Kind:
		same = 0.5
	}
	if d := max(s.Number-o.Number, o.Number-s.Number); d > 0 && s.Number > 0 && o.Number > 0 {
		near = 1 / float32(d)
	}
	return same, near
}
