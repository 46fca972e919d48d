package text

import (
	"maps"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// kind is what a character is to a word.
type kind uint8

const (
	separator  kind = iota // it ends a word
	letter                 // it is part of a word, as one or two letters
	nothing                // it stands inside of a word and leaves no trace
	apostrophe             // see analyzer.apostrophe
	context                // its form depends on its neighbours
)

// form is the kind of a character and the letters it becomes.
type form struct {
	kind kind
	a, b uint16 // b is 0 when there is one only
}

// letters has the forms of the characters below tableEnd: the alphabets of
// Europe and the Near East with their marks, and punctuation. They are nearly
// all that archives have beyond ASCII, and need no look at their neighbours.
type letters struct {
	table []form
	// others are those from tableEnd on that the table's rules change.
	others map[rune]form
}

const tableEnd = 0x3000

// of is the form of a character as it stands in a text.
func (l *letters) of(r rune) form {
	if r < tableEnd {
		return l.table[r]
	}
	return form{kind: context}
}

// normal is the form of a character of a normalized, folded text; context
// stands for a letter that stays as it is.
func (l *letters) normal(r rune) form {
	if r < tableEnd {
		return l.table[r]
	}
	if f, ok := l.others[r]; ok {
		return f
	}
	switch {
	case isNothing(r):
		return form{kind: nothing}
	case unicode.IsDigit(r):
		return form{kind: letter, a: uint16(digit(r))}
	case isWord(r):
		return form{kind: context}
	default:
		return form{kind: separator}
	}
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) }

// lettersFor has the built-in forms and a user's, whose Spellings may be nil: where both change a letter, the user's, also where the
// built-in ones give it.
func lettersFor(own *Spellings) *letters {
	if own == nil || len(own.letters) == 0 {
		return builtinLetters()
	}
	return newLetters(own)
}

// builtinLetters are made once, for they take longer than most files of Spellings; nobody changes them.
var builtinLetters = sync.OnceValue(func() *letters { return newLetters(&Spellings{}) })

func newLetters(own *Spellings) *letters {
	l := &letters{table: make([]form, tableEnd), others: map[rune]form{}}
	special := map[rune]form{}
	for _, s := range sameLetters() {
		to := []rune(s.to)
		f := form{kind: letter, a: uint16(to[0])}
		if len(to) > 1 {
			f.b = uint16(to[1])
		}
		for _, r := range s.from {
			special[r] = f
		}
	}
	for _, r := range parallels() {
		for i := range r.letters {
			special[r.from+i] = form{kind: letter, a: uint16(r.to + i)}
		}
	}
	for _, r := range dropped {
		special[r] = form{kind: nothing}
	}
	for _, r := range apostrophes {
		special[r] = form{kind: apostrophe}
	}
	for r, f := range special {
		special[r], _ = own.reread(f)
	}
	maps.Copy(special, own.letters)
	fold := cases.Fold()
	for r := range rune(tableEnd) {
		l.table[r] = formOf(r, fold, special)
	}
	for r, f := range special {
		if r >= tableEnd {
			l.others[r] = f
		}
	}
	return l
}

// reread is a built-in form as a user's letters read it on; ok is false when that would be more than two letters.
func (s *Spellings) reread(f form) (out form, ok bool) {
	if f.kind != letter {
		return f, true
	}
	var all []uint16
	for _, x := range []uint16{f.a, f.b} {
		to, own := s.letters[rune(x)]
		switch {
		case x == 0:
		case !own:
			all = append(all, x)
		case to.b == 0:
			all = append(all, to.a)
		default:
			all = append(all, to.a, to.b)
		}
	}
	if len(all) > 2 {
		return f, false
	}
	out = form{kind: letter, a: all[0]}
	if len(all) == 2 {
		out.b = all[1]
	}
	return out, true
}

// formOf derives the form of a character from its normalized, folded letters.
func formOf(r rune, fold cases.Caser, special map[rune]form) form {
	if f, ok := special[r]; ok {
		return f
	}
	var out []uint16
	var kinds [context + 1]bool
	for _, r := range normalize(string(r), fold) {
		f := simple(r, special)
		kinds[f.kind] = true
		if f.kind == letter {
			out = append(out, f.a)
			if f.b != 0 {
				out = append(out, f.b)
			}
		}
	}
	switch {
	case kinds[context], len(out) > 2, kinds[apostrophe], kinds[separator] && (kinds[letter] || kinds[nothing]):
		return form{kind: context} // rare, and seldom alone
	case len(out) == 2:
		return form{letter, out[0], out[1]}
	case len(out) == 1:
		return form{kind: letter, a: out[0]}
	case kinds[nothing]:
		return form{kind: nothing}
	default:
		return form{kind: separator}
	}
}

// simple is the form of one letter of a normalized, folded text.
func simple(r rune, special map[rune]form) form {
	if f, ok := special[r]; ok {
		return f
	}
	switch {
	case isNothing(r):
		return form{kind: nothing}
	case !isWord(r):
		return form{kind: separator}
	case r > 0xffff || !norm.NFC.PropertiesString(string(r)).BoundaryBefore():
		return form{kind: context}
	}
	if unicode.IsDigit(r) {
		r = digit(r)
	}
	return form{kind: letter, a: uint16(r)}
}

// digit is the ASCII digit of a decimal digit of any script. Unicode has the
// ten of each script in a row, from 0 on.
func digit(r rune) rune {
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	return r
}

// isNothing finds the marks that a spelling may have or lack: accents, points,
// vowel signs of Hebrew and Arabic, tatweel, joiners and other characters that
// are not seen, and the spacing marks of transliterations. The vowel signs of
// India and the voicing marks of Japan are not among them.
func isNothing(r rune) bool {
	switch {
	case 0x2b9 <= r && r <= 0x2ff: // ʹ ʻ ʼ ʽ ʾ ʿ ˁ ˊ ...
		return true
	case r < 0x900, 0x1ab0 <= r && r < 0x1b00, 0x1dc0 <= r && r < 0x1e00, 0x20d0 <= r && r < 0x2100, 0xfe20 <= r && r < 0xfe30:
		return unicode.Is(unicode.Mn, r) && norm.NFC.PropertiesString(string(r)).CCC() != 0 || r == 0x34f || r == 0xad || r == 0x61c
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r)
}

// normalize is compatibility decomposition and full case folding, without the
// iota subscript, which folding would write beside its letter.
func normalize(s string, fold cases.Caser) string {
	s = strings.ReplaceAll(norm.NFKD.String(s), "\u0345", "")
	return norm.NFKD.String(fold.String(s))
}
