package graphstore

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// merged is an entry of a merge; from tells where it came from.
type merged struct {
	key     int
	from    string
	removed bool
}

func (m merged) compare(o merged) int { return cmp.Compare(m.key, o.key) }

// TestMergeAgainstSorting merges made-up entries and compares what is shown with a dull merge: collect both sides, let
// what the Tx wrote win, sort. Each merge is also ended after each number of entries shown: by errStop, by another error of show,
// and by an error of the committed side.
func TestMergeAgainstSorting(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 17))
		own, committed := makeEntries(rng, "own"), makeEntries(rng, "committed")
		want := dullMerge(own, committed)
		shown, err := runMerge(own, committed, -1, nil, -1)
		if err != nil || !slices.Equal(shown, want) {
			t.Fatalf("seed %d: %v over %v: %v\n got %v\nwant %v", seed, own, committed, err, shown, want)
		}
		planned := errors.New("planned")
		for n := range want {
			for _, end := range []error{errStop, fmt.Errorf("wrapped: %w", errStop), planned} {
				shown, err := runMerge(own, committed, n+1, end, -1)
				if errors.Is(end, errStop) != (err == nil) || err != nil && !errors.Is(err, planned) || !slices.Equal(shown, want[:n+1]) {
					t.Fatalf("seed %d: ended after %d with %v: %v\n got %v\nwant %v", seed, n+1, end, err, shown, want[:n+1])
				}
			}
		}
		for n := range committed {
			// What sorts before the entry that could not be read was shown, and nothing after it.
			before := dullMerge(own, committed[:n])
			shown, err := runMerge(own, committed, -1, nil, n)
			if !errors.Is(err, errUnreadable) || len(shown) > len(before) || !slices.Equal(shown, before[:len(shown)]) {
				t.Fatalf("seed %d: entry %d can't be read: %v\n got %v\nwant the beginning of %v", seed, n, err, shown, before)
			}
			if n > 0 && !slices.ContainsFunc(shown, func(m merged) bool { return m.key == committed[n-1].key }) && contains(want, committed[n-1].key) {
				t.Fatalf("seed %d: entry %d was read and not shown: %v", seed, n-1, shown)
			}
		}
	}
}

var errUnreadable = errors.New("unreadable")

func contains(all []merged, key int) bool {
	return slices.ContainsFunc(all, func(m merged) bool { return m.key == key })
}

// makeEntries makes ascending entries without repeats, of few enough keys that the two sides meet; own ones may be removals.
func makeEntries(rng *rand.Rand, from string) []merged {
	var out []merged
	for range rng.IntN(12) {
		key := rng.IntN(16)
		if !contains(out, key) {
			out = append(out, merged{key, from, from == "own" && rng.IntN(3) == 0})
		}
	}
	slices.SortFunc(out, merged.compare)
	return out
}

func dullMerge(own, committed []merged) []merged {
	all := slices.Clone(own)
	for _, c := range committed {
		if !contains(own, c.key) {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, merged.compare)
	return slices.DeleteFunc(all, func(m merged) bool { return m.removed })
}

// runMerge returns what merge shows. It ends with the error end once stopAt entries are shown, or at the committed entry unreadable.
func runMerge(own, committed []merged, stopAt int, end error, unreadable int) (shown []merged, err error) {
	err = merge(own, merged.compare, func(emit func(merged) error) error {
		for i, c := range committed {
			if i == unreadable {
				return errUnreadable
			}
			if err := emit(c); err != nil {
				return err
			}
		}
		return nil
	}, func(m merged) error {
		if m.removed {
			return nil
		}
		shown = append(shown, m)
		if len(shown) == stopAt {
			return end
		}
		return nil
	})
	return shown, err
}
