package text

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
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

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, dim := range []int{-8, 2, 3, 1 << 17} {
		if _, err := NewEncoder(Config{Dim: dim}); err == nil || !strings.Contains(err.Error(), fmt.Sprint(dim)) {
			t.Errorf("dim %d: %v", dim, err)
		}
	}
}

// BenchmarkKilobyte measures analysis, and projection with idf, of texts of 1 KB:
// real records in English, and words of the historical table in three alphabets.
func BenchmarkKilobyte(b *testing.B) {
	b.Run("records", func(b *testing.B) { benchmark(b, records(b)) })
	for name, kinds := range map[string]string{
		"latin": "turkish turkish-i transliteration", "arabic": "ottoman persian arabic", "greek": "greek",
	} {
		b.Run(name, func(b *testing.B) {
			var words []string
			for _, r := range spellings(b) {
				if slices.Contains(strings.Fields(kinds), r.kind) {
					words = append(words, r.a, r.b)
				}
			}
			rng := rand.New(rand.NewPCG(8, 8))
			texts := make([]string, 500)
			for i := range texts {
				for len(texts[i]) < kilobyte {
					texts[i] += words[rng.IntN(len(words))] + " "
				}
			}
			benchmark(b, texts)
		})
	}
}

const kilobyte = 1000

// records are texts of at least a kilobyte made of records, one after the other.
func records(b *testing.B) []string {
	f, err := os.Open("../../../../shared/data/walters.jsonl.gz")
	if err != nil {
		b.Skip("needs ../shared/data: ", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	texts := []string{""}
	for lines := bufio.NewScanner(z); lines.Scan() && len(texts) < 1000; {
		var r struct{ Title, Description string }
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			b.Fatal(err)
		}
		last := &texts[len(texts)-1]
		if *last += r.Title + " " + r.Description + " "; len(*last) >= kilobyte {
			*last = strings.ToValidUTF8((*last)[:kilobyte], "")
			texts = append(texts, "")
		}
	}
	return texts[:len(texts)-1]
}

func benchmark(b *testing.B, texts []string) {
	e, table := encoder(b, Config{}), NewTable()
	for _, t := range texts {
		table.Add(e.Analyze(t), 1)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var next atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		out := make([]float32, e.Dim())
		for pb.Next() {
			d := e.Analyze(texts[int(next.Add(1))%len(texts)])
			e.Project(d, table.IDF, out)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
