package rerank

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMostFrequent: of any number of words no more than mostWords are evidence, and none that is left out is more frequent than
// one that is kept. All of them were, so that what a search holds of its candidates had no bound.
func TestMostFrequent(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 300, mostWords - 1, mostWords, mostWords + 1, 100_000} {
		var words []Word
		for i := range n {
			words = append(words, Word{Bucket: uint32(2 * i), Count: uint16(1 + rng.IntN(1+rng.IntN(50)))})
		}
		all := slices.Clone(words)
		kept := MostFrequent(words)
		if len(kept) != min(n, mostWords) || !slices.Equal(words, all) {
			t.Fatalf("of %d words %d are kept", n, len(kept))
		}
		least := uint16(1 << 15)
		there := map[uint32]bool{}
		for i, w := range kept {
			least, there[w.Bucket] = min(least, w.Count), true
			if i > 0 && w.Bucket <= kept[i-1].Bucket || w != all[w.Bucket/2] {
				t.Fatalf("%v stands behind %v", w, kept[max(i-1, 0)])
			}
		}
		for _, w := range all {
			if !there[w.Bucket] && w.Count > least {
				t.Fatalf("%v is left out, and one that comes %d times is kept", w, least)
			}
		}
	}
}
