package pair

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"kilim/consumer/profile"
	"kilim/learner/encode/text"
	"kilim/rerank"
)

// someFacts are those of invented artifacts, many of which share facts.
func someFacts(t testing.TB, seed uint64, n int) (out []*Facts) {
	r, rng := newReader(t), rand.New(rand.NewPCG(seed, 3))
	for i := range n {
		a := &profile.Artifact{Culture: []profile.Term{{Label: fmt.Sprintf("culture %d", rng.IntN(5))}}, Subject: []profile.Term{{Label: fmt.Sprintf("subject %d", i)}}}
		out = append(out, r.Read(a, text.Text{Body: fmt.Sprintf("title %d", rng.IntN(n/2+1))}, text.Text{Body: fmt.Sprintf("said %d", i)}))
	}
	return out
}

func countOf(facts []*Facts) *Frequencies {
	q := NewFrequencies()
	for _, f := range facts {
		q.Add(f)
	}
	return q
}

// TestSharedChangesNoFeature: to forget what one artifact alone has changes no row, of stored artifacts and of others.
func TestSharedChangesNoFeature(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		facts := someFacts(t, seed, 40)
		all, shared := countOf(facts), countOf(facts)
		shared.Shared()
		if len(shared.of) >= len(all.of) {
			t.Fatalf("%d of %d facts are left", len(shared.of), len(all.of))
		}
		facts = append(facts, someFacts(t, seed+100, 5)...)
		row := func(q *Frequencies) []float32 {
			var candidates []Candidate
			for i, f := range facts[1:] {
				candidates = append(candidates, Candidate{Weighed: q.Weigh(f), Score: float32(i), Parts: rerank.Parts{Cosine: float32(i)}})
			}
			return new(Rows).Of(q.Weigh(facts[0]), candidates)
		}
		if !slices.Equal(row(all), row(shared)) {
			t.Errorf("seed %d: other features", seed)
		}
	}
}

// TestBound: never more than asked for, the frequent ones stay, and no count is too high.
func TestBound(t *testing.T) {
	t.Parallel()
	facts := someFacts(t, 1, 200)
	want, got := countOf(facts), NewFrequencies()
	for _, f := range facts {
		got.Add(f)
		got.Bound(60)
		if len(got.of) > 60 {
			t.Fatalf("%d facts", len(got.of))
		}
	}
	if len(got.of) == 0 || got.artifacts != want.artifacts {
		t.Errorf("%d facts of %d artifacts", len(got.of), got.artifacts)
	}
	for fact, n := range got.of {
		if n > want.of[fact] {
			t.Errorf("fact %x: %d of %d", fact, n, want.of[fact])
		}
	}
}

func TestFrequenciesRoundTrip(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 30} {
		q := countOf(someFacts(t, 2, n))
		b, err := q.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		got, err := UnmarshalFrequencies(b)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, q) {
			t.Errorf("of %d: others are read than were written", n)
		}
		for cut := range b {
			if _, err := UnmarshalFrequencies(b[:cut]); err == nil {
				t.Errorf("of %d: %d of %d bytes are read", n, cut, len(b))
			}
		}
		if _, err := UnmarshalFrequencies(append(b, 0)); err == nil {
			t.Errorf("of %d: a byte too many is read", n)
		}
	}
}

// FuzzFrequencies: nothing panics, and what is read is what is written again.
func FuzzFrequencies(f *testing.F) {
	b, err := countOf(someFacts(f, 3, 5)).MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := UnmarshalFrequencies(b)
		if err != nil {
			return
		}
		again, err := q.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		other, err := UnmarshalFrequencies(again)
		if err != nil || !reflect.DeepEqual(q, other) {
			t.Errorf("%v: not the same again", err)
		}
	})
}
