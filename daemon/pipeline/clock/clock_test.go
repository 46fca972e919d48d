package clock

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestBehind: lists are as many changes behind as records have come since, whatever the archive has grown to little by little; a
// move counts by its length.
func TestBehind(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 6))
		artifacts := 1 + rng.IntN(100_000)
		var c Clock
		for range rng.IntN(1000) {
			c.Changed(artifacts)
		}
		ranked, n := c.Rank, rng.IntN(2000)
		for range n {
			c.Changed(artifacts)
		}
		if got := c.Behind(ranked, artifacts); got != int64(n) {
			t.Errorf("seed %d: %d changes behind, want %d", seed, got, n)
		}
		c.Moved(0.5, artifacts)
		if got := c.Behind(ranked, artifacts); got != int64(n)+1 {
			t.Errorf("seed %d: %d changes behind after a move, want %d", seed, got, n+1)
		}
	}
}

func TestRow(t *testing.T) {
	t.Parallel()
	c, again := Clock{Arrivals: 1.5, Rank: 2.5, Revision: 7, Lost: 3}, Clock{}
	if err := again.unmarshal(c.marshal()); err != nil || again != c {
		t.Errorf("%+v, %v: want %+v", again, err, c)
	}
	row := c.marshal()
	row[0]++
	for _, bad := range [][]byte{row, c.marshal()[1:]} {
		if err := again.unmarshal(bad); err == nil || !strings.Contains(err.Error(), "clock") {
			t.Errorf("a foreign row: %v", err)
		}
	}
}
