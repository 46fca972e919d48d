package text

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// usage is what a language does with apostrophes.
type usage struct {
	// before are words that lose their vowel before another: l'art, dell'arte.
	before []string
	// after are endings set off from a name of nameLen letters or more:
	// Konya'da, but not kal'a.
	after   []string
	nameLen int
}

// languages has the usage of each language that has one, by its ISO 639 codes,
// and the commonest words of some.
type languages struct {
	usages map[string]*usage
	any    *usage // of all languages
	common map[string]detectable
}

// detectable is a language that detect knows.
type detectable int

const (
	turkish detectable = iota
	french
	italian
	undetected
)

func (d detectable) code() string { return [...]string{"tr", "fr", "it", ""}[d] }

// newLanguages: the words of usages are folded, as in analyzer.word.
func newLanguages() *languages {
	l := &languages{
		usages: map[string]*usage{},
		any:    &usage{before: []string{"d", "l"}, after: []string{"s"}, nameLen: 1},
		common: map[string]detectable{},
	}
	for _, u := range []struct {
		codes, before, after string
		nameLen              int
	}{
		{codes: "tr tur ota az aze", nameLen: 4, after: "a e i u ya ye yi yu na ne ni nu in un nin nun da de ta te nda nde " +
			"dan den tan ten ndan nden la le yla yle li lu daki deki taki teki ndaki ndeki ca ce ler lar lerin larin dir dur tir tur"},
		{codes: "fr fra fre frm oc oci", before: "c j m n s t qu jusqu lorsqu puisqu quoiqu quelqu presqu"},
		{codes: "it ita", before: "c m n s t u un all dall dell nell sull coll quell bell sant"},
		{codes: "ca cat", before: "m n s t"},
	} {
		for _, code := range strings.Fields(u.codes) {
			l.usages[code] = &usage{strings.Fields(u.before), strings.Fields(u.after), u.nameLen}
		}
	}
	for d, words := range []string{
		turkish: "ve bir bu ile olan olarak da",
		french:  "le les des du et est une dans au",
		italian: "il di della del che e con per una",
	} {
		for _, w := range strings.Fields(words) {
			l.common[w] = detectable(d)
		}
	}
	return l
}

// divide ends the word at those of its apostrophes that part words. The others
// stand for a letter that spellings may lack, and leave no trace.
func (a *analyzer) divide() {
	first, last := a.cuts[0], a.cuts[len(a.cuts)-1]
	a.cuts = a.cuts[:0]
	all := a.e.languages.any
	begin, end := 1, len(a.word)
	switch {
	case last == end: // a quotation mark
	case all.ends(a.word[last:], last-1):
		end = last
	case a.language().ends(a.word[last:], last-1):
		end = last
	}
	if first < end && (all.begins(a.word[1:first]) || a.language().begins(a.word[1:first])) {
		begin = first
	}
	if end < len(a.word) {
		a.part(end, len(a.word))
	}
	if begin > 1 {
		a.part(1, begin)
	}
	a.part(begin, end)
	a.word = a.word[:1]
}

func (u *usage) begins(head []rune) bool {
	return len(head) <= 7 && slices.Contains(u.before, string(head))
}

func (u *usage) ends(tail []rune, before int) bool {
	return len(tail) <= 5 && before >= u.nameLen && slices.Contains(u.after, string(tail))
}

// part hashes a stretch of the word by itself.
func (a *analyzer) part(begin, end int) {
	if begin == end {
		return
	}
	a.word = append(a.word, wordEnd)
	before, after := a.word[begin-1], a.word[end]
	a.word[begin-1], a.word[end] = wordBegin, wordEnd
	a.hash(a.word[begin-1 : end+1])
	a.word[begin-1], a.word[end] = before, after
	a.word = a.word[:len(a.word)-1]
}

// language is the usage of the text's language: as it says, or else detected.
func (a *analyzer) language() *usage {
	if a.usage != nil {
		return a.usage
	}
	code, _, _ := strings.Cut(strings.ReplaceAll(a.source.Language, "_", "-"), "-")
	code = strings.ToLower(code)
	if code == "" || code == "und" {
		code = a.e.languages.detect(a.source.Body).code()
	}
	a.usage = a.e.languages.usages[code]
	if a.usage == nil {
		a.usage = &usage{}
	}
	return a.usage
}

// detect tells languages by their commonest words, of which it wants two, and
// Turkish also by its letters. It knows those only whose usages matter; a wrong
// guess parts some words at their apostrophes, or fails to.
func (l *languages) detect(s string) detectable {
	var seen [undetected + 1]int
	s = norm.NFD.String(s)
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		if d, ok := l.common[strings.ToLower(w)]; ok {
			seen[d]++
		}
	}
	for _, l := range []string{"ı", "I\u0307", "g\u0306", "G\u0306"} { // ı İ ğ Ğ
		if strings.Contains(s, l) {
			seen[turkish] += 2
		}
	}
	best := undetected
	for d := range undetected {
		if seen[d] >= 2 && seen[d] > seen[best] {
			best = d
		}
	}
	return best
}
