package text

import (
	"slices"
	"strings"
	"unicode"
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

// usages by language; those of all languages are under "". The words are
// folded, as in a.word.
func usages() map[string]*usage {
	turkish := &usage{nameLen: 4, after: strings.Fields(
		"a e i u ya ye yi yu na ne ni nu in un nin nun da de ta te nda nde dan den tan ten ndan nden " +
			"la le yla yle li lu daki deki taki teki ndaki ndeki ca ce ler lar lerin larin dir dur tir tur")}
	french := &usage{before: strings.Fields("c j m n s t qu jusqu lorsqu puisqu quoiqu quelqu presqu")}
	italian := &usage{before: strings.Fields("un all dall dell nell sull coll quell bell sant c m n s t u")}
	catalan := &usage{before: strings.Fields("m n s t")}
	return map[string]*usage{
		"":   {before: []string{"d", "l"}, after: []string{"s"}, nameLen: 1},
		"tr": turkish, "tur": turkish, "ota": turkish, "az": turkish, "aze": turkish,
		"fr": french, "fra": french, "fre": french, "frm": french, "oc": french, "oci": french,
		"it": italian, "ita": italian, "ca": catalan, "cat": catalan,
	}
}

// divide ends the word at those of its apostrophes that part words. The others
// stand for a letter that spellings may lack, and leave no trace.
func (a *analyzer) divide() {
	first, last := a.cuts[0], a.cuts[len(a.cuts)-1]
	a.cuts = a.cuts[:0]
	all := a.e.usages[""]
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
	tag := a.source.Language
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		tag = tag[:i]
	}
	tag = strings.ToLower(tag)
	if tag == "" || tag == "und" {
		tag = detect(a.source.Body)
	}
	if tag != "" {
		a.usage = a.e.usages[tag]
	}
	if a.usage == nil {
		a.usage = &usage{}
	}
	return a.usage
}

// detect tells Turkish, French and Italian by their commonest words, of
// which it wants two, and Turkish also by letters. Only these three have usages
// that matter. A wrong guess parts some words at their apostrophes.
func detect(s string) string {
	common := map[string]string{
		"ve": "tr", "bir": "tr", "bu": "tr", "ile": "tr", "için": "tr", "olan": "tr", "olarak": "tr", "da": "tr",
		"le": "fr", "les": "fr", "des": "fr", "du": "fr", "et": "fr", "est": "fr", "une": "fr", "dans": "fr", "au": "fr",
		"il": "it", "di": "it", "della": "it", "del": "it", "che": "it", "e": "it", "con": "it", "per": "it", "una": "it",
	}
	seen := map[string]int{}
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if l := common[strings.ToLower(w)]; l != "" {
			seen[l]++
		}
		if strings.ContainsAny(w, "ığİĞ") {
			seen["tr"] += 2
		}
	}
	best := ""
	for _, l := range []string{"tr", "fr", "it"} {
		if seen[l] >= 2 && seen[l] > seen[best] {
			best = l
		}
	}
	return best
}
