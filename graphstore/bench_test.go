package graphstore

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkBatch is the hot path: batches of 256 artifacts with a dozen edges,
// with vectors as the learner writes them.
func BenchmarkBatch(b *testing.B) {
	s, err := Open(b.TempDir(), Options{SyncWrites: NoSync})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	rng := rand.New(rand.NewPCG(1, 1))
	var types []Type
	for typ := Culture; typ < numTypes; typ++ {
		types = append(types, typ)
	}
	raw := make([]byte, 3000)
	put, commits := 0, 0
	b.ResetTimer()
	for b.Loop() {
		b.StopTimer()
		var docs []Doc
		var specs [][]EdgeSpec
		for range 256 {
			id := fmt.Sprintf("artifact-%d", put)
			put++
			docs = append(docs, Doc{ID: id, Raw: raw, Evidence: raw[:600]})
			var edges []EdgeSpec
			for range 11 {
				t := types[rng.IntN(len(types))]
				label := fmt.Sprintf("Label %d", int(float64(5000)*rng.Float64()*rng.Float64()))
				edges = append(edges, EdgeSpec{Type: t, Rel: Relation(t), Key: NormalizeLabel(label), Label: label})
			}
			edges = append(edges, EdgeSpec{Type: Image, Rel: RelMedia, Key: id + "\x000", Label: "http://example.org/x.jpg"})
			specs = append(specs, edges)
		}
		tx := s.Begin()
		b.StartTimer()
		for i, doc := range docs {
			if _, err := tx.PutArtifact(doc, specs[i]); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		for id, n := range tx.ov.nodes {
			e, err := tx.Edit(id)
			if err != nil {
				b.Fatal(err)
			}
			if n.Type.IsMedia() {
				continue
			}
			e.Features, e.Hidden, e.Sum1 = make([]float32, 128), make([]float32, 128), make([]int64, 128)
			if n.Type == Artifact {
				e.Embedding = make([]float32, 128)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
		commits++
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(put), "µs/artifact")
}

// BenchmarkReads reads nodes and documents from tables, by id and by scan, without the caches.
func BenchmarkReads(b *testing.B) {
	dir := b.TempDir()
	opts := Options{SyncWrites: NoSync, CacheMB: 1}
	s, err := Open(dir, opts)
	if err != nil {
		b.Fatal(err)
	}
	const artifacts = 20_000
	vec := make([]float32, 256)
	for from := 0; from < artifacts; from += 500 {
		commitAll(b, s, func(tx *Tx) error {
			for i := from; i < from+500; i++ {
				id := fmt.Sprint(i)
				if _, err := tx.PutArtifact(Doc{ID: id, Raw: make([]byte, 3000), Evidence: make([]byte, 600)}, nil); err != nil {
					return err
				}
				n, err := tx.Edit(ID(Artifact, id))
				if err != nil {
					return err
				}
				n.Features, n.Embedding = vec, vec
			}
			return nil
		})
	}
	if err := s.Close(); err != nil { // which makes a table of the log
		b.Fatal(err)
	}
	if s, err = Open(dir, opts); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	read := func(name string, fn func(r *Reader, i int) error) {
		b.Run(name, func(b *testing.B) {
			i := 0
			for b.Loop() {
				if err := s.View(func(r *Reader) error { i++; return fn(r, i*7919%artifacts) }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	read("node", func(r *Reader, i int) error { _, err := r.Node(ID(Artifact, fmt.Sprint(i))); return err })
	read("document", func(r *Reader, i int) error { _, err := r.Artifact(fmt.Sprint(i)); return err })
	read("scan", func(r *Reader, _ int) error { return r.EachNode(func(*Node) bool { return true }) })
	b.Run("open", func(b *testing.B) {
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if s, err = Open(dir, opts); err != nil {
				b.Fatal(err)
			}
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
		if s, err = Open(dir, opts); err != nil {
			b.Fatal(err)
		}
	})
}
