package gate

import (
	"cmp"
	"context"
	"slices"

	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
	"kilim/learner/train"
	"kilim/learner/train/eval"
)

// voters is how many nearest neighbours vote.
const voters = 10

// origins has the task that predicts the culture of held-out artifacts by their neighbours, when all that names their
// origin is hidden.
func origins(ctx context.Context, t *Table, m Benchmark, serving, candidate Model, spaces [2]*embeddings, pool *par.Pool) error {
	cultures := m.Set.Artifacts()
	heldOut := map[int32]bool{}
	var asked, visible []int32
	for _, a := range m.HeldOut {
		heldOut[a] = true
		if cultures[a].Culture >= 0 {
			asked = append(asked, a)
		}
	}
	for a := range cultures {
		if cultures[a].Culture >= 0 && !heldOut[int32(a)] {
			visible = append(visible, int32(a))
		}
	}
	if len(asked) < minQueries || len(visible) == 0 {
		return nil
	}
	var right [2][]float64
	for i, c := range []Model{serving, candidate} {
		z, err := train.EmbedWithoutOrigin(c.set(m), asked, batch, c.views(m), m.Seed, c.Shape, c.Weights, pool)
		if err != nil {
			return err
		}
		for k, a := range asked {
			if err := ctx.Err(); err != nil {
				return err
			}
			hit := 0.0
			if spaces[i].vote(z.Row(k), visible, cultures) == cultures[a].Culture {
				hit = 1
			}
			right[i] = append(right[i], hit)
		}
	}
	t.add("origins", "accuracy", right[0], right[1], eval.Level, m.Seed)
	return nil
}

// vote returns the culture of most of the nearest artifacts; of equally many, that with the nearest one.
func (s *embeddings) vote(query []float32, among []int32, artifacts []train.Artifact) int32 {
	type hit struct {
		artifact int32
		cosine   float32
	}
	nearer := func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.cosine, a.cosine), cmp.Compare(a.artifact, b.artifact))
	}
	best := make([]hit, 0, voters+1)
	for _, a := range among {
		h := hit{a, vec.Dot(query, s.rows.Row(int(a)))}
		at, _ := slices.BinarySearchFunc(best, h, nearer)
		if at < voters {
			best = slices.Insert(best, at, h)
			best = best[:min(len(best), voters)]
		}
	}
	nearest := make([]int32, len(best))
	for i, h := range best {
		nearest[i] = h.artifact
	}
	return winner(nearest, artifacts)
}

// winner is the culture of most of some artifacts, the nearest first; of equally many, that of the nearest. -1: of none.
func winner(nearest []int32, artifacts []train.Artifact) int32 {
	votes := map[int32]int{}
	for _, a := range nearest {
		votes[artifacts[a].Culture]++
	}
	winner, most := int32(-1), 0
	for _, a := range nearest {
		if c := artifacts[a].Culture; votes[c] > most {
			winner, most = c, votes[c]
		}
	}
	return winner
}
