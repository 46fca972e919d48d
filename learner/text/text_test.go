package text

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"strings"
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
	for _, dim := range []int{-8, 2, 101, 1 << 17} {
		if _, err := NewEncoder(Config{Dim: dim}); err == nil || !strings.Contains(err.Error(), fmt.Sprint(dim)) {
			t.Errorf("dim %d: %v", dim, err)
		}
	}
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
