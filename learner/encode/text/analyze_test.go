package text

import (
	"cmp"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// TestSameWords are spellings that must be one.
func TestSameWords(t *testing.T) {
	t.Parallel()
	e := encoder(t, Config{})
	for _, pair := range [][2]string{
		{"Kilim", "kilim"},
		{"STRASSE", "straße"},
		{"ΣΊΣΥΦΟΣ", "σίσυφοσ"},
		{"e\u0301te\u0301", "été"},
		{"ﬁligree", "filigree"},
		{"Ａｒｃｈｉｖｅ １２", "archive 12"},
		{"a-b, c!", "a b c"},
		{"  spaced\tout\n", "spaced out"},
		{"Kâbe", "Kabe"}, {"kâ'be", "Kabe"}, {"Kâ’be", "KABE"},
		{"TOPKAPI İznik", "topkapı IZNIK"}, {"Ḥāfiẓ ʿUthmān Nuʾmān", "hafiz 'uthman Nu`man"},
		{"Ἀθῆναι ᾠδή Διόνυϲοϲ", "ΑΘΗΝΑΙ ωδη διονυσος"},
		{"القُرْآن الكريـم مصطفى مدرسة", "القران الکریم مصطفي مدرسه"}, {"أإآٱ كىی", "اااا ڪيي"},
		{"می\u200cنویسد", "مینویسد"}, {"۱۲۳ ٤٥٦ ７", "123 456 7"}, {"𑁧꘩", "19"},
		{"שָׁלוֹם רמב״ם", "שלומ רמבמ"}, {"\u10a0\u10a1 \u2d00", "აბ ა"}, {"ᲗᲑ", "თბ"},
		{"Evangelium Łódź Ælf", "Euangelium lodz Aelf"}, {"хлѣбъ міръ", "хлебъ миръ"}, {"a\u00adb\ufeffc", "abc"},
	} {
		if a, b := e.Analyze(pair[0]), e.Analyze(pair[1]); !reflect.DeepEqual(a, b) {
			t.Errorf("%q and %q: terms %v and %v", pair[0], pair[1], a.Words, b.Words)
		}
	}
	if a, b := e.Analyze("weft"), e.Analyze("warp"); reflect.DeepEqual(a.Words, b.Words) {
		t.Error("weft and warp are one word")
	}
}

// TestAnalyzeAgainstDullCount counts by a map of strings.
func TestAnalyzeAgainstDullCount(t *testing.T) {
	t.Parallel()
	e := encoder(t, Config{Seed: 3})
	rng := rand.New(rand.NewPCG(1, 1))
	letters := []rune("abcdefghio قفكλдש")
	for range 300 {
		var words []string
		for range rng.IntN(12) {
			var w []rune
			for range 1 + rng.IntN(7) {
				if r := letters[rng.IntN(len(letters))]; r != ' ' {
					w = append(w, r)
				}
			}
			if len(w) > 0 {
				words = append(words, string(w))
			}
		}
		d := e.Analyze(words...)
		if joined := e.Analyze(strings.Join(words, " ")); !reflect.DeepEqual(d, joined) {
			t.Fatalf("%q: fields and one text differ", words)
		}
		byWord, bySound, byGram := map[string]int{}, map[string]int{}, map[string]int{}
		for _, w := range words {
			byWord[w]++
			if sound := e.sounds.of([]rune(w), nil); len(sound) > 0 {
				bySound[string(sound)]++
			}
			r := []rune("\x00" + w + "\x00")
			for n := minGram; n <= maxGram; n++ {
				for i := 0; i+n <= len(r); i++ {
					byGram[string(r[i:i+n])]++
				}
			}
		}
		check := func(what string, terms []Term, dull map[string]int, low, high uint32) {
			total, want := 0, 0
			for i, term := range terms {
				if i > 0 && terms[i-1].Bucket >= term.Bucket || term.Bucket < low || term.Bucket >= high {
					t.Fatalf("%s of %q: bucket %d out of order or range", what, words, term.Bucket)
				}
				total += int(term.Count)
			}
			for _, n := range dull {
				want += n
			}
			if total != want || len(terms) > len(dull) || len(terms) < len(dull)-1 { // two may share a bucket
				t.Fatalf("%s of %q: %d in %d buckets, want %d in %d", what, words, total, len(terms), want, len(dull))
			}
		}
		check("words", d.Words, byWord, firstWord, firstGram)
		check("sounds", d.Sounds, bySound, firstSound, Buckets)
		check("grams", d.Grams, byGram, firstGram, firstSound)
	}
}

// White space inside a text cuts it before normalization; that must be
// invisible, whatever stands on both sides.
func TestNormalizationDoesNotReachOverSpace(t *testing.T) {
	t.Parallel()
	e := encoder(t, Config{})
	for _, pair := range [][2]string{
		{"a \u0301b", "a\u3000\u0301b"},
		{"가\t\u11a8", "가\u2003\u11a8"},
		{"ά\nΣ", "ά\u2028Σ"},
	} {
		if a, b := e.Analyze(pair[0]), e.Analyze(pair[1]); !reflect.DeepEqual(a, b) {
			t.Errorf("%+q and %+q differ", pair[0], pair[1])
		}
	}
}

// The pool hands scratch from one analysis to the next; none may leave a trace.
func TestAnalyzeForgetsWhatItAnalyzed(t *testing.T) {
	t.Parallel()
	e, fresh := encoder(t, Config{}), encoder(t, Config{})
	inputs := []string{"", "Ἀθῆναι amphora", strings.Repeat("long \xff words ", 3000), "rug", strings.Repeat("x", 1<<17), "Ilkhanid star tile"}
	want := make([]*Doc, len(inputs))
	vectors := make([][]float32, len(inputs))
	for i, s := range inputs {
		want[i], vectors[i] = fresh.Analyze(s), plainVector(fresh, s)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(7, uint64(g)))
			for range 40 {
				i := rng.IntN(len(inputs))
				if !reflect.DeepEqual(e.Analyze(inputs[i]), want[i]) {
					t.Errorf("input %d analyzed anew differs", i)
				}
				if !slices.Equal(plainVector(e, inputs[i]), vectors[i]) {
					t.Errorf("input %d projected anew differs", i)
				}
			}
		})
	}
	wg.Wait()
}

func TestCountsSaturate(t *testing.T) {
	t.Parallel()
	d := encoder(t, Config{}).Analyze(strings.Repeat("a ", 70000))
	if len(d.Words) != 1 || d.Words[0].Count != 1<<16-1 {
		t.Errorf("70,000 times one word: %v", d.Words)
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	e := encoder(t, Config{})
	df := map[uint32]int{}
	a, b := e.Analyze("wool wool"), e.Analyze("wool silk")
	for _, d := range []*Doc{a, b} {
		for bucket := range d.Buckets {
			df[bucket]++
		}
	}
	if n := df[a.Words[0].Bucket]; n != 2 {
		t.Errorf("a word of two documents is counted %d times", n)
	}
	table := NewTable()
	table.Add(a, 1)
	table.Add(b, 1)
	for bucket, n := range df {
		if have := table.DF(bucket); int(have) != n {
			t.Errorf("bucket %d: %d documents in the table, %d told", bucket, have, n)
		}
	}
}

func TestRadixSort(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 4))
	for _, n := range []int{0, 1, smallSort, smallSort + 1, 5000} {
		for _, width := range []int{1, 9, 18, 19, 31} {
			keys := make([]uint32, n)
			for i := range keys {
				keys[i] = rng.Uint32() >> (32 - width)
			}
			want := slices.Sorted(slices.Values(keys))
			if got := radixSort(keys, make([]uint32, n), width); !slices.Equal(got, want) {
				t.Errorf("%d keys of %d bits are out of order", n, width)
			}
		}
	}
}

func TestApostrophes(t *testing.T) {
	t.Parallel()
	e := encoder(t, Config{})
	for _, c := range []struct{ language, text, same string }{
		{"", "Sinan's l'art D'Este", "Sinan s l art D Este"},
		{"", "Qur'an kal'a Xi'an O'Keeffe T'ang", "Quran kala Xian OKeeffe Tang"},
		{"", "'Ali 'quoted' dogs' 'a' ' ''", "Ali quoted dogs a"},
		{"", "ka''ba 'b'c'", "kaba bc"},
		{"en", "Konya'da dell'arte", "Konyada dellarte"},
		{"tr", "Konya'da Kur'ân'ın kal'a Süleyman’ın", "Konya da Kuran ın kala Süleyman ın"},
		{"tr-TR", "Konya'da", "Konya da"},
		{"AZ", "Bakı'nın Qur'an", "Bakı nın Quran"},
		{"fr", "qu'une jusqu'à aujourd'hui s'appelle", "qu une jusqu a aujourdhui s appelle"},
		{"it", "dell'arte Sant’Anna un'altra", "dell arte Sant Anna un altra"},
		// Detected.
		{"", "Konya'da bir cami ve bir türbe", "Konya da bir cami ve bir türbe"},
		{"", "Beyazıt'ta", "Beyazıt ta"},
		{"und", "les toiles et qu'une laine", "les toiles et qu une laine"},
		{"", "il vaso della collezione dell'arte", "il vaso della collezione dell arte"},
	} {
		got, want := e.AnalyzeTexts([]Text{{c.text, c.language}}), e.AnalyzeTexts([]Text{{c.same, c.language}})
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q, language %q: words %v, want those of %q: %v", c.text, c.language, got.Words, c.same, want.Words)
		}
	}
	// Each text has its own language, and none leaks into the next.
	texts := []Text{{"Konya'da", "tr"}, {"Konya'da", "en"}}
	if got, want := e.AnalyzeTexts(texts), e.Analyze("Konya da Konyada"); !reflect.DeepEqual(got, want) {
		t.Errorf("two languages: words %v, want %v", got.Words, want.Words)
	}
}

// TestAloneAgainstNormalized takes characters one by one and by way of Unicode's
// normalization of the whole.
func TestAloneAgainstNormalized(t *testing.T) {
	t.Parallel()
	e := encoder(t, Config{})
	rng := rand.New(rand.NewPCG(5, 5))
	var alphabet []rune
	for r := range rune(tableEnd) {
		if e.letters.of(r).kind != context && !isSpace(byte(min(r, 0x7f))) {
			alphabet = append(alphabet, r)
		}
	}
	alone, normalized := newAnalyzer(e), newAnalyzer(e)
	for range 5000 {
		// Characters of one script are near one another.
		near := rng.IntN(len(alphabet))
		var b strings.Builder
		for range 1 + rng.IntN(12) {
			b.WriteRune(alphabet[max(0, min(len(alphabet)-1, near+rng.IntN(200)-100))])
		}
		s := b.String()
		if !alone.alone(s) {
			t.Fatalf("%+q is not taken", s)
		}
		normalized.normalized(s)
		alone.endWord()
		normalized.endWord()
		if a, b := alone.doc(), normalized.doc(); !reflect.DeepEqual(a, b) {
			t.Fatalf("%+q: one by one %v, normalized %v", s, a.Words, b.Words)
		}
	}
}

func FuzzAnalyze(f *testing.F) {
	for _, s := range []string{"", "a", "e\u0301", "\xff\xfe", "İstanbul ILGIN", "نَسْتَعْلِیق", strings.Repeat("ﷺ", 9), "\u202eabc", "👩‍👩‍👧",
		"Kur'ân'ın d'Este", "İ0000000'I", "كَعْبَة ۱۲", "क्षत्रिय が 각", "x´y ῾z ￼", "\u1e9b\u0323ﬄ½"} {
		f.Add(s)
	}
	e, err := NewEncoder(Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := e.Analyze(s)
		if again := e.Analyze(s); !reflect.DeepEqual(d, again) {
			t.Fatalf("%q: two analyses differ", s)
		}
		if (len(d.Words) == 0) != (len(d.Grams) == 0) {
			t.Fatalf("%q: %d words, %d n-grams", s, len(d.Words), len(d.Grams))
		}
		for _, terms := range d.lists() {
			if !slices.IsSortedFunc(terms, func(a, b Term) int { return cmp.Compare(a.Bucket, b.Bucket) }) {
				t.Fatalf("%q: buckets out of order", s)
			}
		}
		if utf8.ValidString(s) && !longCluster(s) {
			for _, form := range []norm.Form{norm.NFC, norm.NFD, norm.NFKC, norm.NFKD} {
				// The compatibility forms of some apostrophes are a space and an accent.
				if form >= norm.NFKC && strings.ContainsAny(s, apostrophes) {
					continue
				}
				if other := e.Analyze(form.String(s)); !reflect.DeepEqual(d, other) {
					t.Fatalf("%q: normalization form %d has other terms", s, form)
				}
			}
		}
		words := strings.Fields(s)
		slices.Reverse(words)
		if turned := e.Analyze(strings.Join(words, " ")); !reflect.DeepEqual(d, turned) {
			t.Fatalf("%q: the order of words matters", s)
		}
		if apart := e.Analyze(words...); !strings.ContainsAny(s, apostrophes) && !reflect.DeepEqual(d, apart) {
			t.Fatalf("%q: words apart differ from words in one text", s)
		}
		for _, language := range []string{"tr", "fr", "it", "xx-?"} {
			got := e.AnalyzeTexts([]Text{{s, language}})
			if !strings.ContainsAny(s, apostrophes) && !reflect.DeepEqual(d, got) {
				t.Fatalf("%q: language %s matters", s, language)
			}
		}
		n := cosine(plainVector(e, s), plainVector(e, s))
		if n != 0 && math.Abs(n-1) > 1e-5 {
			t.Fatalf("%q: a vector of squared length %v", s, n)
		}
	})
}

// longCluster finds runs of combining characters so long that the stream-safe
// text process (UAX 15, section 13) cuts them, at places which differ between
// composed and decomposed text.
func longCluster(s string) bool {
	run := 0
	for _, r := range norm.NFKD.String(s) {
		if !unicode.IsMark(r) {
			run = 0
		} else if run++; run > 15 {
			return true
		}
	}
	return false
}
