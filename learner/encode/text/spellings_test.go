package text

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func own(t testing.TB, file string) *Spellings {
	t.Helper()
	s, err := ReadSpellings(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func reader(t testing.TB, s *Spellings) *Encoder {
	t.Helper()
	e, err := NewEncoder(Config{Dim: 64, Seed: 1, Spellings: s})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const kilims = `kilim-spellings 1
# rugs as travellers wrote them

letters s ẜ ẝ
letters tz ꜩ
words kilim   jhelim gilim Guilim killeen
words Şirvan chirvan
`

// TestSpellings: what a file makes equal is equal, in words, sounds and grams, in all positions and capitals; all else is as it was.
func TestSpellings(t *testing.T) {
	t.Parallel()
	e, plain := reader(t, own(t, kilims)), reader(t, nil)
	for _, same := range [][2]string{
		{"a Jhelim, of wool", "a kilim, of wool"}, {"GUILIM", "kilim"}, {"gi\u0301lim", "kilim"}, {"Chirvan gilim", "Şirvan kilim"},
		{"roẜe", "rose"}, {"plaꜩ", "platz"}, {"l'gilim", "l'kilim"},
	} {
		if a, b := e.Analyze(same[0]), e.Analyze(same[1]); !sameDoc(a, b) {
			t.Errorf("%q and %q are not the same", same[0], same[1])
		}
		if a, b := plain.Analyze(same[0]), plain.Analyze(same[1]); sameDoc(a, b) {
			t.Errorf("%q and %q are the same without the file: the test shows nothing", same[0], same[1])
		}
	}
	if got := e.Words(Text{Body: "Two Jhelims and a jhelim"}); !slices.Equal(got, []string{"two", "jhelims", "and", "a", "kilim"}) {
		t.Errorf("the words are %q", got)
	}
	for _, s := range spellings(t) {
		for _, body := range []string{s.a, s.b} {
			if a, b := e.AnalyzeTexts([]Text{{Body: body, Language: s.language}}), plain.AnalyzeTexts([]Text{{Body: body, Language: s.language}}); !sameDoc(a, b) {
				t.Errorf("%q is read otherwise by a file that says nothing of it", body)
			}
		}
	}
}

// TestOwnLettersMeetBuiltInOnes: a letter that built-in rules give is read on by the file.
func TestOwnLettersMeetBuiltInOnes(t *testing.T) {
	t.Parallel()
	e := reader(t, own(t, "kilim-spellings 1\nletters k ك\nletters u ו"))
	for _, same := range [][2]string{{"گليم", "kليم"}, {"ك", "k"}, {"װ", "uu"}, {"ﻚ", "k"}} {
		if a, b := e.Analyze(same[0]), e.Analyze(same[1]); !sameDoc(a, b) {
			t.Errorf("%q and %q are not the same", same[0], same[1])
		}
	}
}

func sameDoc(a, b *Doc) bool {
	return slices.Equal(a.Words, b.Words) && slices.Equal(a.Sounds, b.Sounds) && slices.Equal(a.Grams, b.Grams)
}

// TestSpellingsAreNamed: the identity changes with what a file does, and with nothing else.
func TestSpellingsAreNamed(t *testing.T) {
	t.Parallel()
	s := own(t, kilims)
	again := own(t, "\ufeffkilim-spellings  1\r\n# other words\r\nwords sirvan chirvan\nwords KILIM gilim jhelim guilim\nwords kilim killeen kilim Kílim\nletters tz ꜩ\nletters s ẝ ẜ")
	if s.Hash() != again.Hash() || !bytes.Equal(s.Canonical(), again.Canonical()) {
		t.Errorf("%q and %q do the same", s.Canonical(), again.Canonical())
	}
	seen := map[string]bool{reader(t, nil).Identity().String(): true}
	for _, file := range []string{kilims, "kilim-spellings 1", kilims + "words a b", "kilim-spellings 1\nletters s ẜ", "kilim-spellings 1\nletters t ẜ"} {
		if id := reader(t, own(t, file)).Identity().String(); seen[id] {
			t.Errorf("%s: an identity of two files", id)
		} else {
			seen[id] = true
		}
	}
}

// TestBadSpellings: each fault is told by line, field and value.
func TestBadSpellings(t *testing.T) {
	t.Parallel()
	many := func(n int, line string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, line, i)
		}
		return b.String()
	}
	for file, want := range map[string]string{
		"":                  `line 1, field 1, "": want "kilim-spellings 1"`,
		"kilim-spellings 2": `line 1, field 1, "kilim-spellings 2": want "kilim-spellings 1"`,
		"words a b":         `line 1, field 1, "words a b": want "kilim-spellings 1"`,
		"+sounds a b":       `line 2, field 1, "sounds": want letters or words`,
		"+words kilim":      `line 2, field 2, "kilim": want words STANDARD OTHER...`,
		"+letters":          `line 2, field 1, "letters": want letters STANDARD OTHER...`,
		"+\nwords kilim jhelim\nwords kelim jhelim": `line 4, field 3, "jhelim": is read as "kilim" by line 3`,
		"+words kilim jhelim\nwords jhelim jelim":   `line 3, field 2, "jhelim": is read as "kilim" by line 2, and nothing is rewritten twice`,
		"+words kilim prayer-rug":                   `line 2, field 3, "prayer-rug": is 2 words here, want one`,
		"+words ... a":                              `line 2, field 2, "...": is 0 words here, want one`,
		"+words a " + strings.Repeat("b", 65):       `has more than 64 letters`,
		"+letters s c":                              `line 2, field 3, "c": a letter of ASCII stays`,
		"+letters s ẜẜ":                             `line 2, field 3, "ẜẜ": want one letter`,
		"+letters s ſ":                              `line 2, field 3, "ſ": is read as "s" before`,
		"+letters s Ж":                              `line 2, field 3, "Ж": is read as "ж" before`,
		"+letters s é":                              `"é": is read as`,
		"+letters s 𐍈":                              `is no letter of the Basic Multilingual Plane`,
		"+letters s ٣":                              `is no letter of the Basic Multilingual Plane`,
		"+letters s ـ":                              `"ـ": leaves no trace`,
		"+letters abc ẜ":                            `line 2, field 2, "abc": is read as 3 letters, want one or two`,
		"+letters , ẜ":                              `line 2, field 2, ",": ',' is no letter`,
		"+letters ẝ ẜ\nletters s ẝ":                 `line 2, field 2, "ẝ": has a letter that line 3 reads as another one`,
		"+letters ẜ ẜ":                              `nothing is rewritten twice`,
		"+letters s ẜ\nletters t ẜ":                 `line 3, field 3, "ẜ": is read as "s" by line 2`,
		"+letters uu ו":                             `װ is read as both of these letters`,
		"+words a \xff":                             `is not UTF-8`,
		"+" + many(50_001, "words a b%d\n"):         `the file has more than 50000 words`,
		"+" + strings.Repeat("#", MaxSpellingBytes): `more than 1048576 bytes`,
	} {
		file = strings.Replace(file, "+", "kilim-spellings 1\n", 1)
		if _, err := ReadSpellings(strings.NewReader(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: error %v, want one with %q", file, err, want)
		}
	}
	_, err := ReadSpellings(strings.NewReader("kilim-spellings 1\n" + many(99, "word a b%d\n")))
	if err == nil || strings.Count(err.Error(), "\n")+1 != maxFaults {
		t.Errorf("of 99 faults are told: %v", err)
	}
}

// FuzzSpellings: any file is refused, or does the same when it is written and read again; what it reads as something stays when it is
// read again, and a text without any of its words and letters is as it was.
func FuzzSpellings(f *testing.F) {
	f.Add([]byte(kilims), "a jhelim of roẜes")
	f.Add([]byte("kilim-spellings 1\nletters k ك\nletters u ו\nwords a'b c'd\nwords ﬁn Ǆ"), "װ گليم")
	for _, s := range spellings(f)[:20] {
		f.Add(fmt.Appendf(nil, "kilim-spellings 1\nwords %s %s", s.a, s.b), s.a+" "+s.b)
	}
	f.Fuzz(func(t *testing.T, file []byte, body string) {
		s, err := ReadSpellings(bytes.NewReader(file))
		if err != nil {
			return
		}
		again, err := ReadSpellings(bytes.NewReader(s.Canonical()))
		if err != nil || again.Hash() != s.Hash() || !bytes.Equal(again.Canonical(), s.Canonical()) {
			t.Fatalf("%q is written as %q and read as %v (%v)", file, s.Canonical(), again, err)
		}
		e := reader(t, s)
		words := e.Words(Text{Body: body})
		if !slices.Equal(words, reader(t, again).Words(Text{Body: body})) {
			t.Errorf("%q is read otherwise by what was read again", body)
		}
		for _, w := range words {
			if to := e.Words(Text{Body: w}); len(to) == 1 && to[0] != w && s.words[w] == "" {
				t.Errorf("%q is read as %q, that as %q", body, w, to)
			}
		}
	})
}

// TestRandomSpellings: of random files of words each word is read as its line says, whatever its capitals, and others as themselves.
func TestRandomSpellings(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 5))
	word := func() string {
		w := make([]rune, 2+rng.IntN(8))
		for i := range w {
			w[i] = []rune("abcdefgilmnorstkбгд")[rng.IntN(19)]
		}
		return string(w)
	}
	for range 5 {
		to := map[string]string{}
		var b strings.Builder
		fmt.Fprintln(&b, spellingsHeader)
		for range 200 {
			standard, other := "x"+word(), "y"+word() // nothing is both
			if to[other] == "" {
				to[other] = standard
				fmt.Fprintln(&b, "words", standard, other)
			}
		}
		e := reader(t, own(t, b.String()))
		for other, standard := range to {
			if got := e.Words(Text{Body: strings.ToUpper(other) + " " + standard + " z" + other}); !slices.Equal(got, []string{standard, standard, "z" + other}) {
				t.Fatalf("%q is read as %q, want %q", other, got, standard)
			}
		}
	}
}
