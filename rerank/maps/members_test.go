package maps

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSampled: whatever came and went, and in whatever order, the artifacts of a group that are looked at are those whose ids are the smallest.
func TestSampled(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 1))
		m, v := New(1), []float32{1}
		there := map[uint64][]uint64{}
		for step := range 12_000 {
			artifact := rng.Uint64N(1200)
			if growing := step/3000%2 == 0; there[artifact] != nil && rng.IntN(10) > 2 != growing {
				m.Move(artifact, v, nil)
				delete(there, artifact)
			} else if growing {
				var groups, at = []uint64{rng.Uint64N(3)}, v
				if rng.IntN(3) == 0 {
					groups = append(groups, 3+rng.Uint64N(2))
				}
				if there[artifact] == nil {
					at = nil
				}
				m.Join(artifact, groups, at)
				if at == nil {
					m.Move(artifact, nil, v)
				}
				there[artifact] = groups
			}
			if step%100 > 0 {
				continue
			}
			sides, _ := m.sides([]uint64{0, 1, 2, 3, 4})
			for _, s := range sides {
				var want []uint64
				for artifact, groups := range there {
					if slices.Contains(groups, s.id) {
						want = append(want, artifact)
					}
				}
				slices.Sort(want)
				if s.n != len(want) || !slices.Equal(s.members, want[:min(sampled, len(want))]) {
					t.Fatalf("seed %d, step %d: of %d in group %d are looked at %v, want of %d %v", seed, step, s.n, s.id, s.members, len(want), want[:min(sampled, len(want))])
				}
			}
		}
		for artifact := range there {
			m.Move(artifact, v, nil)
		}
		if len(m.members)+len(m.of)+len(m.groups) > 0 {
			t.Errorf("seed %d: %d groups are left of nobody", seed, len(m.members))
		}
	}
}

// TestSampleOfALargeGroup: what a comparison copies does not grow with the groups.
func TestSampleOfALargeGroup(t *testing.T) {
	t.Parallel()
	m := New(1)
	for artifact := range uint64(20_000) {
		m.Join(artifact, []uint64{artifact % 2}, nil)
		m.Move(artifact, nil, []float32{1})
	}
	sides, _ := m.sides([]uint64{0, 1})
	for _, s := range sides {
		if s.n != 10_000 || len(s.members) != sampled || cap(s.members) > 2*sampled || len(m.members[s.id].smallest) != kept {
			t.Errorf("of %d artifacts %d are copied into room for %d, and %d are known", s.n, len(s.members), cap(s.members), len(m.members[s.id].smallest))
		}
	}
}
