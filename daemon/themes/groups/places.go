package groups

import (
	"math"
	"slices"

	"kilim/annindex"
	"kilim/learner/theme"
)

// Places are where the artifacts that have a theme lie in it at one time, and who is near whom: what a map of the theme is laid out of.
//
// They are sparse, some 20 coordinates an artifact, and searched exactly by postings. The obvious structure, an index of dense vectors, would take
// 1.4 KB an artifact for a theme of 170 terms, and miss some.
type Places struct {
	dim int
	ids []uint64 // ascending
	// at are the coordinates of all, those of ids[i] from from[i] to from[i+1]; together they have the length 1.
	at   []theme.Coordinate
	from []int32
	// postings are those that have a coordinate, by its place.
	postings [][]posting
}

type posting struct {
	of    int32 // in ids
	value float32
}

// Places are those of now.
func (t *Theme) Places() *Places {
	t.sums.lock.RLock()
	profiles := map[uint64]*theme.Profile{}
	for artifact, m := range t.sums.members {
		if m.has(t.name) {
			profiles[artifact] = m.profile
		}
	}
	t.sums.lock.RUnlock()
	p := &Places{dim: t.dim, from: []int32{0}, postings: make([][]posting, t.dim)}
	for artifact := range profiles {
		p.ids = append(p.ids, artifact)
	}
	slices.Sort(p.ids)
	for i, artifact := range p.ids {
		for _, c := range t.unit(profiles[artifact]) {
			p.at = append(p.at, c)
			p.postings[c.Place] = append(p.postings[c.Place], posting{int32(i), c.Value})
		}
		p.from = append(p.from, int32(len(p.at)))
	}
	return p
}

// IDs are the nodes of the artifacts, ascending. The slice is the Places' own.
func (p *Places) IDs() []uint64 { return p.ids }

// Len is how many artifacts there are.
func (p *Places) Len() int { return len(p.ids) }

// Dim is how many coordinates there may be.
func (p *Places) Dim() int { return p.dim }

// Vector writes where an artifact lies, if it has the theme.
func (p *Places) Vector(artifact uint64, into []float32) bool {
	i, there := slices.BinarySearch(p.ids, artifact)
	if !there {
		return false
	}
	clear(into)
	for _, c := range p.at[p.from[i]:p.from[i+1]] {
		into[c.Place] = c.Value
	}
	return true
}

// Search finds the k that are nearest to a vector, of those that keep lets through, best first, ties by id.
func (p *Places) Search(vector []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error) {
	scores := make([]float32, len(p.ids))
	for place, v := range vector {
		if v == 0 {
			continue
		}
		for _, o := range p.postings[place] {
			scores[o.of] += v * o.value
		}
	}
	least := float32(math.Inf(-1)) // of the worst, when there are k
	var best []annindex.Hit
	for i, s := range scores {
		if s <= least || keep != nil && !keep(p.ids[i]) {
			continue
		}
		at, _ := slices.BinarySearchFunc(best, s, func(h annindex.Hit, s float32) int {
			if h.Score >= s { // ids ascend: the earlier one stays before
				return -1
			}
			return 1
		})
		best = slices.Insert(best[:min(len(best), k-1)], min(at, k-1), annindex.Hit{ID: p.ids[i], Score: s})
		if len(best) == k {
			least = best[k-1].Score
		}
	}
	return best, nil
}
