package ranking

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"kilim/daemon/judgments"
)

// mostQuestions bounds what is learned from, and with it the time of a fit: 500 questions of 50 candidates.
const mostQuestions = 500

// question is a judged artifact, with the grades of those that it was judged with.
type question struct {
	id string
	// group is the same for those that judgments join.
	group  string
	grades map[string]float32
	// by are who judged, each once.
	by []string
}

// questions are what judgments ask, by id. The order of judgments leaves no trace. Each artifact that was judged alike with one of which nothing is asked yet asks for
// all it was judged with, those that most was said of first: a person judges the list of one artifact, and that is the question, not each of
// those in the list.
func questions(all []judgments.Judgment, seed uint64) []question {
	grades, by := gradesOf(all)
	groups := groupsOf(grades)
	order := slices.SortedFunc(maps.Keys(grades), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(grades[b]), len(grades[a])), cmp.Compare(a, b))
	})
	asks := map[string]bool{}
	var out []question
	for _, id := range order {
		for other, grade := range grades[id] {
			if grade > 0 && !asks[other] {
				asks[id] = true
				break
			}
		}
		if asks[id] {
			out = append(out, question{id, groups.of(id), grades[id], slices.Sorted(maps.Keys(by[id]))})
		}
	}
	out = inTurn(out, seed, mostQuestions)
	slices.SortFunc(out, func(a, b question) int { return cmp.Compare(a.id, b.id) })
	return out
}

// gradesOf are the grades of each judged artifact's pairs, and who gave them. What no topic of judgments has is passed over: pairs of one
// artifact, grades that there are none of. Of two grades of one pair the one of who comes last by name counts: package judgments keeps one.
func gradesOf(all []judgments.Judgment) (grades map[string]map[string]float32, by map[string]map[string]bool) {
	sorted := slices.SortedFunc(slices.Values(all), func(x, y judgments.Judgment) int {
		return cmp.Or(cmp.Compare(x.By, y.By), cmp.Compare(x.Grade, y.Grade), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
	})
	grades, by = map[string]map[string]float32{}, map[string]map[string]bool{}
	for i := range sorted {
		j := &sorted[i]
		if j.Theme != "" || j.A == j.B || j.A == "" || j.B == "" || !(j.Grade >= 0 && j.Grade <= judgments.MostGrade) {
			continue
		}
		for _, way := range [...][2]string{{j.A, j.B}, {j.B, j.A}} {
			if grades[way[0]] == nil {
				grades[way[0]], by[way[0]] = map[string]float32{}, map[string]bool{}
			}
			grades[way[0]][way[1]] = float32(j.Grade)
			by[way[0]][j.By] = true
		}
	}
	return grades, by
}

// groups is a forest of artifacts (union-find): those of one tree are of one group.
type groups map[string]string

// groupsOf joins what was judged alike.
func groupsOf(grades map[string]map[string]float32) groups {
	g := groups{}
	for id, others := range grades {
		for other, grade := range others {
			if grade > 0 {
				// The smaller id is the root, so that a group's name does not depend on the order of a map.
				a, b := g.of(id), g.of(other)
				g[max(a, b)] = min(a, b)
			}
		}
	}
	return g
}

// of is the name of an artifact's group.
func (g groups) of(id string) string {
	root := id
	for g[root] != "" && g[root] != root {
		root = g[root]
	}
	for id != root {
		id, g[id] = g[id], root
	}
	return root
}

// inTurn takes questions of all who judged, one of each in turn, as many as there is room for, in an order that neither ids nor arrival decide.
func inTurn(all []question, seed uint64, most int) []question {
	if len(all) <= most {
		return all
	}
	of := map[string][]int{}
	hashes := make([]uint64, len(all))
	for i := range all {
		hashes[i] = hashOf(all[i].id, seed)
		for _, who := range all[i].by {
			of[who] = append(of[who], i)
		}
	}
	names := slices.Sorted(maps.Keys(of))
	for _, who := range names {
		slices.SortFunc(of[who], func(a, b int) int { return cmp.Or(cmp.Compare(hashes[a], hashes[b]), cmp.Compare(a, b)) })
	}
	taken := map[int]bool{}
	for len(taken) < most {
		for _, who := range names {
			for len(of[who]) > 0 && taken[of[who][0]] {
				of[who] = of[who][1:]
			}
			if len(of[who]) > 0 && len(taken) < most {
				taken[of[who][0]] = true
			}
		}
	}
	out := make([]question, 0, most)
	for i := range all {
		if taken[i] {
			out = append(out, all[i])
		}
	}
	return out
}

func hashOf(id string, seed uint64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	return rand.NewPCG(h.Sum64(), seed).Uint64() // FNV's upper bits say little of short ids
}

// groupCount is how many groups questions are of.
func groupCount(all []question) int {
	names := map[string]bool{}
	for i := range all {
		names[all[i].group] = true
	}
	return len(names)
}

// sumOf tells questions apart by what a fit makes of them.
func sumOf(all []question) string {
	h := sha256.New()
	var b []byte
	text := func(s string) { b = append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...) }
	for i := range all {
		q := &all[i]
		b = b[:0]
		text(q.id)
		text(q.group)
		b = binary.LittleEndian.AppendUint64(b, uint64(len(q.grades)))
		for _, other := range slices.Sorted(maps.Keys(q.grades)) {
			text(other)
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(q.grades[other]))
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}
