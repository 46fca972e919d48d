package text

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func encoder(t testing.TB, cfg Config) *Encoder {
	t.Helper()
	e, err := NewEncoder(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func cosine(a, b []float32) float64 {
	var s float64
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}

func plainVector(e *Encoder, s string) []float32 {
	out := make([]float32, e.Dim())
	e.ProjectPlain(e.Analyze(s), out)
	return out
}

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
	letters := []rune("abcçdeışü قفك")
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
		byWord, byGram := map[string]int{}, map[string]int{}
		for _, w := range words {
			byWord[w]++
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
		check("words", d.Words, byWord, 0, wordBuckets)
		check("grams", d.Grams, byGram, wordBuckets, Buckets)
	}
}

// TestProjectionKeepsCosines compares with the sparse vectors themselves.
func TestProjectionKeepsCosines(t *testing.T) {
	t.Parallel()
	e := encoder(t, Config{Dim: 256, Seed: 9})
	rng := rand.New(rand.NewPCG(2, 2))
	vocabulary := make([]string, 400)
	for i := range vocabulary {
		vocabulary[i] = fmt.Sprintf("%c%c%d", 'a'+rng.IntN(26), 'a'+rng.IntN(26), rng.IntN(1e6))
	}
	sparse := func(d *Doc) map[uint32]float64 {
		out, n := map[uint32]float64{}, 0.0
		for _, terms := range [][]Term{d.Words, d.Grams} {
			for _, t := range terms {
				out[t.Bucket] = 1 + math.Log(float64(t.Count))
				n += out[t.Bucket] * out[t.Bucket]
			}
		}
		for b := range out {
			out[b] /= math.Sqrt(n)
		}
		return out
	}
	var sum, worst float64
	const pairs = 300
	for range pairs {
		var a, b []string
		for range 30 {
			w := vocabulary[rng.IntN(len(vocabulary))]
			a = append(a, w)
			if rng.IntN(3) > 0 {
				w = vocabulary[rng.IntN(len(vocabulary))]
			}
			b = append(b, w)
		}
		da, db := e.Analyze(a...), e.Analyze(b...)
		sa, sb := sparse(da), sparse(db)
		want := 0.0
		for bucket, x := range sa {
			want += x * sb[bucket]
		}
		va, vb := make([]float32, 256), make([]float32, 256)
		e.ProjectPlain(da, va)
		e.ProjectPlain(db, vb)
		err := math.Abs(cosine(va, vb) - want)
		sum += err * err
		worst = max(worst, err)
	}
	if rms := math.Sqrt(sum / pairs); rms > 1.5/16 || worst > 6.0/16 {
		t.Errorf("cosines are off by %.3f (RMS), %.3f at worst; 1/sqrt(256) is %.3f", rms, worst, 1.0/16)
	}
}

func TestSpellingVariantsAreNearer(t *testing.T) {
	t.Parallel()
	e := encoder(t, Config{})
	same := cosine(plainVector(e, "Shahnameh"), plainVector(e, "Shahnama"))
	other := cosine(plainVector(e, "Shahnameh"), plainVector(e, "Bodhisattva"))
	if same < other+0.2 {
		t.Errorf("cosine of two spellings %.3f, of two words %.3f", same, other)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	e, table := encoder(t, Config{}), NewTable()
	a, b := e.Analyze("indigo wool"), e.Analyze("indigo silk")
	table.Add(a, 1)
	before := slices.Clone(table.df)
	table.Add(b, 1)
	indigo := e.Analyze("indigo").Words[0].Bucket
	silk := e.Analyze("silk").Words[0].Bucket
	if table.DF(indigo) != 2 || table.DF(silk) != 1 || table.Docs() != 2 {
		t.Errorf("frequencies %d and %d of %d documents, want 2, 1, 2", table.DF(indigo), table.DF(silk), table.Docs())
	}
	if got, want := float64(table.IDF(silk)), math.Log(3.0/2)+1; math.Abs(got-want) > 1e-6 {
		t.Errorf("idf %v, want %v", got, want)
	}
	table.Add(b, -1)
	if !slices.Equal(table.df, before) || table.Docs() != 1 {
		t.Error("a document that came and went left a trace")
	}
	if table.Load(Buckets, 1) == nil || table.Load(1, -1) == nil {
		t.Error("a bucket or frequency out of range: no error")
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, dim := range []int{-8, 4, 100} {
		if _, err := NewEncoder(Config{Dim: dim}); err == nil || !strings.Contains(err.Error(), fmt.Sprint(dim)) {
			t.Errorf("dim %d: %v", dim, err)
		}
	}
}

func FuzzAnalyze(f *testing.F) {
	for _, s := range []string{"", "a", "e\u0301", "\xff\xfe", "İstanbul ILGIN", "نَسْتَعْلِیق", strings.Repeat("ﷺ", 9), "\u202eabc", "👩‍👩‍👧"} {
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
		n := cosine(plainVector(e, s), plainVector(e, s))
		if len(d.Words) > 0 && utf8.ValidString(s) && math.Abs(n-1) > 1e-5 && n != 0 {
			t.Fatalf("%q: a vector of squared length %v", s, n)
		}
	})
}

// BenchmarkRecord measures a real record: analysis, and projection with idf.
func BenchmarkRecord(b *testing.B) {
	f, err := os.Open("../../../shared/data/walters.jsonl.gz")
	if err != nil {
		b.Skip("needs ../shared/data: ", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	var texts []string
	size := 0
	for lines := bufio.NewScanner(z); lines.Scan() && len(texts) < 2000; {
		var r struct{ Title, Description string }
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			b.Fatal(err)
		}
		texts = append(texts, r.Title+" "+r.Description)
		size += len(texts[len(texts)-1])
	}
	e, table := encoder(b, Config{}), NewTable()
	out := make([]float32, e.Dim())
	b.SetBytes(int64(size / len(texts)))
	i := 0
	for b.Loop() {
		d := e.Analyze(texts[i%len(texts)])
		e.Project(d, table.IDF, out)
		i++
	}
}
