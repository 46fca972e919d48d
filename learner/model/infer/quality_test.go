package infer

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"kilim/learner/encode/text"
)

// TestRealArchive holds what the untrained network is for, on records of the Walters Art Museum:
//   - the halves of a record (its sentences and entities dealt out to either)
//     find each other among all records;
//   - records that share a rare entity are nearer than random ones;
//   - records of one dynasty are nearer than random ones although neither text
//     nor graph shows the dynasty: this is what the neighbourhood adds to the text.
func TestRealArchive(t *testing.T) {
	if testing.Short() {
		t.Skip("it holds figures, of 900 records on one goroutine, where the race detector finds nothing")
	}
	t.Parallel()
	records := readArchive(t, 900)
	enc, err := text.NewEncoder(text.Config{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Seeded(Config{Text: enc.Dim(), Facts: 8, Width: 128, Bases: 4, Heads: 4, Relations: 64, Types: 32, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	var first, second, all, hidden []part
	for _, r := range records {
		a, b := halves(r)
		first, second = append(first, a), append(second, b)
		all = append(all, whole(r))
		hidden = append(hidden, withoutDynasty(r))
	}

	g := build(enc, m, first)
	texts, es := g.embedAll(first)
	queryTexts, queries := g.embedAll(second)
	textRecall, recall := recallAt10(queryTexts, texts), recallAt10(queries, es)
	t.Logf("half a record finds the other in the first ten: E %.3f, text alone %.3f, chance %.3f", recall, textRecall, 10/float64(len(records)))
	if recall < 0.15 {
		t.Errorf("half-record recall@10 of E is %.3f", recall)
	}

	texts, es = build(enc, m, all).embedAll(all)
	pairs := sharing(records, 6, func(entity) bool { return true })
	textAUC, rare := auc(texts, pairs, rng), auc(es, pairs, rng)
	t.Logf("sharing a rare entity, AUC: E %.3f, text alone %.3f (%d pairs)", rare, textAUC, len(pairs))
	if rare < 0.8 {
		t.Errorf("AUC of pairs that share a rare entity is %.3f", rare)
	}

	texts, es = build(enc, m, hidden).embedAll(hidden)
	pairs = sharing(records, len(records), func(e entity) bool { return e.typ == dynasty })
	textAUC, same := auc(texts, pairs, rng), auc(es, pairs, rng)
	t.Logf("one dynasty, which is hidden, AUC: E %.3f, text alone %.3f (%d pairs)", same, textAUC, len(pairs))
	if same < textAUC+0.08 {
		t.Errorf("AUC of pairs of one hidden dynasty is %.3f, of the text alone %.3f", same, textAUC)
	}
}

func (a *archive) embedAll(parts []part) (features, embeddings [][]float32) {
	for _, p := range parts {
		f, e := a.embed(p)
		features, embeddings = append(features, f), append(embeddings, e)
	}
	return features, embeddings
}

func dot32(a, b []float32) (s float32) {
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

// recallAt10 is the part of the queries whose own row is among the first ten.
func recallAt10(queries, rows [][]float32) float64 {
	n, dim := len(rows), len(rows[0])
	columns := make([]float32, dim*n)
	for i, r := range rows {
		for j, x := range r {
			columns[j*n+i] = x
		}
	}
	scores := make([]float32, len(queries)*n)
	gonum.Implementation{}.Sgemm(blas.NoTrans, blas.NoTrans, len(queries), n, dim, 1, slices.Concat(queries...), dim, columns, n, 0, scores, n)
	hits := 0
	for i := range queries {
		better := 0
		for _, s := range scores[i*n : (i+1)*n] {
			if s > scores[i*n+i] {
				better++
			}
		}
		if better < 10 {
			hits++
		}
	}
	return float64(hits) / float64(len(queries))
}

// auc is the probability that a pair has a greater cosine than a random pair.
func auc(rows [][]float32, pairs [][2]int, rng *rand.Rand) float64 {
	var random []float32
	for range 20000 {
		i, j := rng.IntN(len(rows)), rng.IntN(len(rows))
		if i != j {
			random = append(random, dot32(rows[i], rows[j]))
		}
	}
	slices.Sort(random)
	s := 0.0
	for _, p := range pairs {
		at, _ := slices.BinarySearch(random, dot32(rows[p[0]], rows[p[1]]))
		s += float64(at) / float64(len(random))
	}
	return s / float64(len(pairs))
}
