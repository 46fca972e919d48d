package theme

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"kilim/graphstore/weave"
)

// world makes works of an invented archive and their labels: each work is of some topics, which give it words in its text, names that it
// shares, and, by theme, terms.
func world(seed uint64, n int) ([]Work, map[string]Labels) {
	rng := rand.New(rand.NewPCG(seed, 11))
	works, labels := make([]Work, n), map[string]Labels{}
	for i := range works {
		w, own := Work{ID: fmt.Sprintf("w:%d", i)}, Labels{}
		var said []string
		for range 1 + rng.IntN(3) {
			topic := rng.IntN(12)
			for range 4 {
				said = append(said, fmt.Sprintf("word%cq%d", 'a'+topic, rng.IntN(6)))
			}
			w.Shared = append(w.Shared, fmt.Sprintf("place %d", topic/2))
			name := []string{"motif", "craft"}[topic%2]
			own[name] = append(own[name], fmt.Sprintf("term %d", topic))
		}
		for range 2 { // so many terms that they are solved in several parts
			own["number"] = append(own["number"], fmt.Sprint(rng.IntN(150)))
		}
		for range 6 {
			said = append(said, fmt.Sprintf("noise%d", rng.IntN(200)))
		}
		w.Title = weave.Text{Body: strings.Join(said[:2], " ")}
		w.Texts = []weave.Text{w.Title, {Body: strings.Join(said, " ")}}
		works[i], labels[w.ID] = w, own
	}
	return works, labels
}

func basisOf(t testing.TB, cfg Config, works []Work) *Basis {
	t.Helper()
	b, err := NewBasis(cfg, works)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fit(t testing.TB, b *Basis, labels map[string]Labels, from *Model) *Model {
	t.Helper()
	m, err := b.Fit(t.Context(), labels, from)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func marshal(t testing.TB, m *Model) string {
	t.Helper()
	data, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
