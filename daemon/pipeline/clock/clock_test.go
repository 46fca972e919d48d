package clock

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
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
			c.Changed(artifacts, time.Time{}, time.Time{})
		}
		ranked, n := c.Rank, rng.IntN(2000)
		for range n {
			c.Changed(artifacts, time.Time{}, time.Time{})
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
	c, again := Clock{Arrivals: 1.5, Rank: 2.5, Revision: 7, Lost: 3, Recorded: time.UnixMilli(1_700_000_000_123).UTC()}, Clock{}
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

// TestRecorded: the date is that of the newest record, whatever order they come in, but not one that lies in the future.
func TestRecorded(t *testing.T) {
	t.Parallel()
	at := func(s int64) time.Time { return time.Unix(s, 0).UTC() }
	var c Clock
	for _, step := range []struct{ recorded, now, want int64 }{{10, 50, 10}, {7, 50, 10}, {12, 50, 12}, {1000, 50, 50}, {40, 60, 50}, {60, 60, 60}} {
		c.Changed(1, at(step.recorded), at(step.now))
		if !c.Recorded.Equal(at(step.want)) {
			t.Errorf("after a record of %d at %d: %v, want %v", step.recorded, step.now, c.Recorded, at(step.want))
		}
	}
	next := Clock{Revision: 9, Recorded: at(5)}
	next.Succeed(&c)
	if want := (Clock{Revision: 9, Recorded: at(60)}); next != want {
		t.Errorf("it goes on with %+v, want %+v", next, want)
	}
	if next.Succeed(&Clock{Recorded: at(3), Revision: 11}); next != (Clock{Revision: 11, Recorded: at(60)}) {
		t.Errorf("it has gone back to %+v", next)
	}
}
