package text

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
)

// What a file of spellings may have: far more than a lexicon of a language's old orthography needs, and little beside an archive.
const (
	MaxSpellingBytes = 1 << 20
	maxSpellings     = 50_000
	maxLetterRules   = 1_000
	maxSpelledRunes  = 64
	maxFaults        = 10 // that are told of one file

	spellingsHeader = "kilim-spellings 1"

	// SpellingsVersion is that of what is done with Spellings: raised when the same file does something else.
	SpellingsVersion = 1
)

// Spellings are a user's own letters and words that are read as others, beside the built-in ones of sameLetters. A file of them is
//
//	kilim-spellings 1
//	# a comment
//	letters s ẜ ẝ
//	words kilim gelim gilim guilim
//
// where the first of a line is what the others are read as. A letter becomes one letter or two, wherever it stands. A word becomes
// another one, when it stands so in a text after all that is done to its letters: its sounds and grams are those of the other. Neither
// is a rewriting of phrases or of parts of words, and nothing is rewritten twice: so what one line does can be told from it alone.
type Spellings struct {
	letters map[rune]form
	words   map[string]string
	hash    string
}

// ReadSpellings reads a file of Spellings. Its error names line, field and value of each fault, of the first maxFaults.
func ReadSpellings(r io.Reader) (*Spellings, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxSpellingBytes+1))
	if err != nil {
		return nil, fmt.Errorf("text: read spellings: %w", err)
	}
	if len(raw) > MaxSpellingBytes {
		return nil, fmt.Errorf("text: spellings: more than %d bytes", MaxSpellingBytes)
	}
	p := &spellingsParser{
		out: &Spellings{letters: map[rune]form{}, words: map[string]string{}}, letterLine: map[rune]int{}, wordLine: map[string]int{},
	}
	lines := p.split(raw)
	if len(p.faults) == 0 {
		p.letters(lines)
	}
	if len(p.faults) == 0 {
		p.words(lines)
	}
	if len(p.faults) > 0 {
		return nil, fmt.Errorf("text: spellings: %w", errors.Join(p.faults...))
	}
	p.out.hash = fmt.Sprintf("%x", sha256.Sum256(p.out.Canonical()))[:16]
	return p.out, nil
}

// Hash names what the Spellings do: two files that do the same have the same.
func (s *Spellings) Hash() string { return s.hash }

// Canonical is a file that does the same, in one order and without comments.
func (s *Spellings) Canonical() []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, spellingsHeader)
	for _, r := range slices.Sorted(maps.Keys(s.letters)) {
		f := s.letters[r]
		fmt.Fprintf(&b, "letters %s %c\n", f.String(), r)
	}
	for _, w := range slices.Sorted(maps.Keys(s.words)) {
		fmt.Fprintf(&b, "words %s %s\n", s.words[w], w)
	}
	return b.Bytes()
}

// String is the letters of a form.
func (f form) String() string {
	if f.b == 0 {
		return string(rune(f.a))
	}
	return string([]rune{rune(f.a), rune(f.b)})
}

// spellingsParser reads one file. Each of its steps wants the ones before to have found no fault.
type spellingsParser struct {
	out        *Spellings
	letterLine map[rune]int
	wordLine   map[string]int
	faults     []error
}

// spellingsLine is a line with something in it.
type spellingsLine struct {
	n      int
	kind   string
	fields []string
}

func (p *spellingsParser) fault(line, field int, value, format string, args ...any) {
	if len(p.faults) < maxFaults {
		p.faults = append(p.faults, fmt.Errorf("line %d, field %d, %.80q: %s", line, field, value, fmt.Sprintf(format, args...)))
	}
}

func (p *spellingsParser) split(raw []byte) (lines []spellingsLine) {
	scan := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	scan.Buffer(nil, MaxSpellingBytes+1)
	begun, spelled := false, 0
	for n := 1; scan.Scan(); n++ {
		text := strings.TrimSpace(scan.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		fields := strings.Fields(text)
		switch {
		case !utf8.ValidString(text):
			p.fault(n, 1, text, "is not UTF-8")
		case !begun && strings.Join(fields, " ") != spellingsHeader:
			p.fault(n, 1, text, "want %q, which says what the file is", spellingsHeader)
			return nil
		case !begun:
			begun = true
		case fields[0] != "letters" && fields[0] != "words":
			p.fault(n, 1, fields[0], "want letters or words")
		case len(fields) < 3:
			p.fault(n, len(fields), fields[len(fields)-1], "want %s STANDARD OTHER..., at least one other", fields[0])
		default:
			lines = append(lines, spellingsLine{n, fields[0], fields[1:]})
			if spelled += len(fields) - 2; spelled > maxSpellings+maxLetterRules {
				p.fault(n, len(fields), fields[len(fields)-1], "the file has more than %d entries", maxSpellings+maxLetterRules)
				return nil
			}
		}
	}
	if err := scan.Err(); err != nil {
		p.faults = append(p.faults, err)
	} else if !begun && len(p.faults) == 0 {
		p.fault(1, 1, "", "want %q, which says what the file is", spellingsHeader)
	}
	return lines
}

// letters takes in the lines of letters.
func (p *spellingsParser) letters(lines []spellingsLine) {
	builtin, fold := builtinLetters(), cases.Fold()
	for _, l := range lines {
		if l.kind != "letters" {
			continue
		}
		to, what := builtin.standard(l.fields[0], fold)
		if what != "" {
			p.fault(l.n, 2, l.fields[0], "%s", what)
			continue
		}
		for i, other := range l.fields[1:] {
			r, size := utf8.DecodeRuneInString(other)
			switch earlier := p.letterLine[r]; {
			case size != len(other):
				p.fault(l.n, i+3, other, "want one letter")
			case r < utf8.RuneSelf:
				p.fault(l.n, i+3, other, "a letter of ASCII stays as it is, for others are read as it: spell words instead")
			case r > 0xffff || !unicode.IsLetter(r):
				p.fault(l.n, i+3, other, "is no letter of the Basic Multilingual Plane")
			case builtin.isNothing(r):
				p.fault(l.n, i+3, other, "leaves no trace in a word")
			case normalize(other, fold) != other:
				p.fault(l.n, i+3, other, "is read as %q before: want that, if it is one letter", normalize(other, fold))
			case earlier != 0 && p.out.letters[r] != to:
				p.fault(l.n, i+3, other, "is read as %q by line %d", p.out.letters[r].String(), earlier)
			case len(p.out.letters) >= maxLetterRules:
				p.fault(l.n, i+3, other, "the file has more than %d letters", maxLetterRules)
			default:
				p.out.letters[r], p.letterLine[r] = to, l.n
			}
		}
	}
	for _, s := range sameLetters() {
		two := []rune(s.to)
		if len(two) < 2 {
			continue
		}
		if _, ok := p.out.reread(form{letter, uint16(two[0]), uint16(two[1])}); !ok {
			n := max(p.letterLine[two[0]], p.letterLine[two[1]])
			p.fault(n, 2, s.to, "%s is read as both of these letters, of which one would be two: want one", s.from)
		}
	}
	for _, r := range slices.Sorted(maps.Keys(p.out.letters)) {
		to := p.out.letters[r]
		for _, t := range to.String() {
			if n := p.letterLine[t]; n != 0 {
				p.fault(p.letterLine[r], 2, to.String(), "has a letter that line %d reads as another one, and nothing is rewritten twice", n)
			}
		}
	}
}

// isNothing tells letters that are dropped.
func (l *letters) isNothing(r rune) bool {
	k := l.normal(r).kind
	return k == nothing || k == apostrophe
}

// standard is the form of one or two letters as they are read; what says why they can't be one.
func (l *letters) standard(s string, fold cases.Caser) (f form, what string) {
	var out []uint16
	for _, r := range normalize(s, fold) {
		switch f := l.normal(r); {
		case f.kind == letter:
			if out = append(out, f.a); f.b != 0 {
				out = append(out, f.b)
			}
		case f.kind == context && unicode.IsLetter(r) && r <= 0xffff:
			out = append(out, uint16(r))
		case f.kind == nothing:
		default:
			return f, fmt.Sprintf("%q is no letter of the Basic Multilingual Plane", r)
		}
	}
	switch len(out) {
	case 1:
		return form{kind: letter, a: out[0]}, ""
	case 2:
		return form{letter, out[0], out[1]}, ""
	}
	return f, fmt.Sprintf("is read as %d letters, want one or two", len(out))
}

// words takes in the lines of words, read by the letters of the same file.
func (p *spellingsParser) words(lines []spellingsLine) {
	reader, err := NewEncoder(Config{Dim: nonZeros, Spellings: &Spellings{letters: p.out.letters}})
	if err != nil {
		p.faults = append(p.faults, err)
		return
	}
	one := func(line, field int, value string) (string, bool) {
		words := reader.Words(Text{Body: value})
		switch {
		case len(words) != 1:
			p.fault(line, field, value, "is %d words here, want one", len(words))
		case utf8.RuneCountInString(words[0]) > maxSpelledRunes:
			p.fault(line, field, value, "has more than %d letters", maxSpelledRunes)
		default:
			return words[0], true
		}
		return "", false
	}
	for _, l := range lines {
		if l.kind != "words" {
			continue
		}
		standard, ok := one(l.n, 2, l.fields[0])
		if !ok {
			continue
		}
		for i, other := range l.fields[1:] {
			spelled, ok := one(l.n, i+3, other)
			if !ok || spelled == standard { // the letters alone make them equal
				continue
			}
			if earlier := p.wordLine[spelled]; earlier != 0 && p.out.words[spelled] != standard {
				p.fault(l.n, i+3, other, "is read as %q by line %d", p.out.words[spelled], earlier)
			} else if len(p.out.words) >= maxSpellings {
				p.fault(l.n, i+3, other, "the file has more than %d words", maxSpellings)
			} else {
				p.out.words[spelled], p.wordLine[spelled] = standard, l.n
			}
		}
	}
	for _, spelled := range slices.Sorted(maps.Keys(p.out.words)) {
		standard := p.out.words[spelled]
		if n := p.wordLine[standard]; n != 0 {
			p.fault(p.wordLine[spelled], 2, standard, "is read as %q by line %d, and nothing is rewritten twice", p.out.words[standard], n)
		}
	}
}

// lexicon finds the words that are read as others: by their hash, as Encoder.polynomial has it, so that a word that is none of
// them costs one look.
type lexicon map[uint64]lexeme

// lexeme is a word, and between its marks the one that it is read as.
type lexeme struct{ from, to []rune }

func (e *Encoder) newLexicon(s *Spellings) lexicon {
	l := lexicon{}
	for _, spelled := range slices.Sorted(maps.Keys(s.words)) {
		to := append(append([]rune{wordBegin}, []rune(s.words[spelled])...), wordEnd)
		from := []rune(spelled)
		l[e.polynomial(from)] = lexeme{from, to}
	}
	return l
}

// read is what a word between its marks is read as; h is its hash.
func (l lexicon) read(w []rune, h uint64) ([]rune, bool) {
	x, ok := l[h]
	if !ok || !slices.Equal(x.from, w[1:len(w)-1]) {
		return w, false
	}
	return x.to, true
}
