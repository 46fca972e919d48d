package maps

import "slices"

// kept is how many of a group's smallest artifacts are known: more than are sampled, so that many may leave until the others are looked through again.
const kept = 4 * sampled

// members are the artifacts of a group: how many there are, and the smallest of them, ascending. Known are all, or at least as many as are sampled.
type members struct {
	n        int
	smallest []uint64
}

func (g *members) add(artifact uint64) {
	all := len(g.smallest) == g.n
	g.n++
	if at, _ := slices.BinarySearch(g.smallest, artifact); all || at < len(g.smallest) {
		g.smallest = slices.Insert(g.smallest, at, artifact)
		g.smallest = g.smallest[:min(len(g.smallest), kept)]
	}
}

// remove tells whether too few are known now.
func (g *members) remove(artifact uint64) (fewer bool) {
	g.n--
	if at, ok := slices.BinarySearch(g.smallest, artifact); ok {
		g.smallest = slices.Delete(g.smallest, at, at+1)
	}
	return len(g.smallest) < min(sampled, g.n)
}

// rejoin has an artifact in other groups than before. Between two times that it looks through all artifacts, three quarters of what was known of a group have left it.
func (m *Map) rejoin(artifact uint64, had, groups []uint64) {
	if len(groups) == 0 {
		delete(m.of, artifact)
	} else {
		m.of[artifact] = groups
	}
	for _, id := range groups {
		if slices.Contains(had, id) {
			continue
		}
		if m.members[id] == nil {
			m.members[id] = &members{}
		}
		m.members[id].add(artifact)
	}
	for _, id := range had {
		if slices.Contains(groups, id) {
			continue
		}
		switch g := m.members[id]; {
		case g.n == 1:
			delete(m.members, id)
		case g.remove(artifact):
			m.members[id] = m.lookThrough(id)
		}
	}
}

// lookThrough finds the members of a group among all artifacts.
func (m *Map) lookThrough(group uint64) *members {
	var all []uint64
	for artifact, of := range m.of {
		if slices.Contains(of, group) {
			all = append(all, artifact)
		}
	}
	slices.Sort(all)
	return &members{n: len(all), smallest: slices.Clone(all[:min(len(all), kept)])}
}
