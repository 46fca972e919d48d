package annindex_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"kilim/annindex"
	"kilim/learner/encode/text"
)

// catalogue returns text embeddings of a real catalogue's artifacts, one each.
func catalogue(b *testing.B, limit int) [][]float32 {
	b.Helper()
	f, err := os.Open("../../shared/data/walters.jsonl.gz")
	if err != nil {
		b.Skip(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	enc, err := text.NewEncoder(text.Config{})
	if err != nil {
		b.Fatal(err)
	}
	table := text.NewTable()
	var docs []*text.Doc
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() && len(docs) < limit {
		var a struct{ Title, Description string }
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			b.Fatal(err)
		}
		d := enc.Analyze(a.Title, a.Description)
		table.Add(d, 1)
		docs = append(docs, d)
	}
	if err := lines.Err(); err != nil {
		b.Fatal(err)
	}
	var out [][]float32
	for _, d := range docs {
		v := make([]float32, enc.Dim())
		enc.Project(d, table.IDF, v)
		if annindex.Dot(v, v) > 0 {
			out = append(out, v)
		}
	}
	return out
}

// BenchmarkCoderRecall reports the share of the ten nearest that the engine finds,
// and its time a query beside the exact engine's.
func BenchmarkCoderRecall(b *testing.B) {
	vecs := catalogue(b, 4000)
	dim := len(vecs[0])
	exact, _ := annindex.New(annindex.Config{Engine: "flat", Dim: dim})
	coder, _ := annindex.New(annindex.Config{Engine: "coder", Dim: dim})
	for id, v := range vecs {
		for _, ix := range []annindex.Index{exact, coder} {
			if err := ix.Put(uint64(id), v); err != nil {
				b.Fatal(err)
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	found, asked := 0, 0
	for b.Loop() {
		q := vecs[rng.IntN(len(vecs))]
		want, err := exact.Search(q, 10, nil)
		if err != nil {
			b.Fatal(err)
		}
		got, err := coder.Search(q, 10, nil)
		if err != nil {
			b.Fatal(err)
		}
		there := map[uint64]bool{}
		for _, h := range got {
			there[h.ID] = true
		}
		for _, h := range want {
			if asked++; there[h.ID] {
				found++
			}
		}
	}
	b.ReportMetric(float64(found)/float64(asked), "recall@10")
}

func BenchmarkFlatSearchMany(b *testing.B) {
	const dim, n = 128, 15_000
	rng := rand.New(rand.NewPCG(1, 1))
	random := func() []float32 {
		v := make([]float32, dim)
		for i := range v {
			v[i] = float32(rng.NormFloat64() / math.Sqrt(dim))
		}
		return v
	}
	ix, _ := annindex.New(annindex.Config{Engine: "flat", Dim: dim})
	for id := range uint64(n) {
		if err := ix.Put(id, random()); err != nil {
			b.Fatal(err)
		}
	}
	queries := make([][]float32, 256)
	for i := range queries {
		queries[i] = random()
	}
	for b.Loop() {
		if _, err := ix.SearchMany(queries, 201); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(queries)), "us/query")
}
