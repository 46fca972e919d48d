package finetune

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"kilim/learner/train/dataset"
)

// seen is an archive as a model sees it that lacks some artifacts.
type seen struct {
	*archive
	lacks string
}

func (s seen) DatasetOf(ctx context.Context, limit int, until time.Time, only map[string]bool) (*dataset.Dataset, error) {
	cfg := s.settings
	cfg.Only = map[string]bool{}
	for i := range s.Artifacts() {
		if id := fmt.Sprintf("r%d", i); (only == nil || only[id]) && id != s.lacks {
			cfg.Only[id] = true
		}
	}
	return dataset.Make(ctx, s.records, cfg, limit, until)
}

// TestJudge: a candidate that is asked for need not be better, one that is worse is refused; each side may lack what the other has;
// and of few artifacts nothing is said.
func TestJudge(t *testing.T) {
	t.Parallel()
	a := archiveOf(t, 220)
	same, noise := *a, *a
	noise.weights = make([]float32, len(a.weights))
	rng := rand.New(rand.NewPCG(2, 2))
	for i := range noise.weights {
		noise.weights[i] = float32(rng.NormFloat64())
	}
	for name, c := range map[string]struct {
		serving, candidate *archive
		promote            bool
		reason             string
	}{
		"the same":      {a, &same, true, "nothing is worse beyond noise"},
		"noise":         {a, &noise, false, ""},
		"noise to none": {&noise, a, true, ""},
		"few":           {archiveOf(t, 60), archiveOf(t, 60), true, "60 artifacts are too few to tell"},
	} {
		cfg := settings(nil)
		table, err := Judge(t.Context(), cfg, seen{c.serving, "r7"}, seen{c.candidate, "r9"})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if table.Promote != c.promote || c.reason != "" && table.Reason != c.reason {
			t.Errorf("%s: promote %v, %s", name, table.Promote, table.Reason)
		}
	}
}
