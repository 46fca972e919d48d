package topk

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestOutgrown grows an archive beyond the memory for bounds: that is told once, and from then on lists are those of candidates, also
// after a start.
func TestOutgrown(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 11))
	told := 0
	cfg := testConfig()
	cfg.ExactBytes = 5000
	cfg.Outgrown = func(artifacts int) {
		told++
		if artifacts < 5 || artifacts > 25 {
			t.Errorf("told at %d artifacts", artifacts)
		}
	}
	a := newArchive(t, cfg)
	for i := range 25 {
		id := fmt.Sprintf("a%d", i)
		a.apply([]change{invent(rng, a.NodeOf(id), id, 25)}, 5)
	}
	if told != 1 || a.lists.everyone.table != nil {
		t.Errorf("told %d times", told)
	}
	a.cfg.ExactBytes = 0 // as the oracle is to see it
	a.settle(5)
	a.compare("outgrown")
	a.cfg.ExactBytes = 5000
	a.lists = a.open()
	if told != 2 || a.lists.everyone.table != nil {
		t.Errorf("told %d times after a start", told)
	}
	a.cfg.ExactBytes = 0
	a.apply(a.batch(rng, 25), 3)
	a.settle(5)
	a.compare("outgrown, after a start")
}
