package text

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

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

func TestIDFAgainstLogarithms(t *testing.T) {
	t.Parallel()
	table, rng := NewTable(), rand.New(rand.NewPCG(6, 6))
	for range 2000 {
		docs := rng.IntN(1 << rng.IntN(31))
		df := int32(rng.IntN(docs + 1))
		table.SetDocs(docs)
		if err := table.Load(9, df); err != nil {
			t.Fatal(err)
		}
		want := math.Log((1+float64(docs))/(1+float64(df))) + 1
		if got := float64(table.IDF(9)); math.Abs(got-want) > 1e-5 {
			t.Fatalf("idf of %d in %d documents is %v, want %v", df, docs, got, want)
		}
	}
}
