package groups

import (
	"slices"
	"testing"

	"kilim/consumer/profile"
	"kilim/daemon/demo"
	"kilim/daemon/themes/stored"
	"kilim/graphstore"
	"kilim/learner/theme"
	"kilim/rerank/maps"
)

// TestPlantedBorrowings: in the demo archive, of which half has labels, two cultures of which one has borrowed motifs of the other are nearer in motifs
// than two that have not, and the same of the modes of music; in craft, which was never borrowed, they are not, and in belief, which follows the motif in seven of
// ten cases, hardly. All who borrowed a mode borrowed a motif of each other too, so that it is those who borrowed a motif and no mode whom
// the map of music must tell from the others.
func TestPlantedBorrowings(t *testing.T) {
	t.Parallel()
	const artifacts, labelled = 800, 400
	opt := demo.Options{Artifacts: artifacts, Seed: 1}
	describe := demo.Describer(opt)
	motif, mode := pairs{}, pairs{}
	var works []theme.Work
	labels, names := map[string]theme.Labels{}, map[uint64]string{}
	i := 0
	if err := demo.Each(opt, func(record []byte, _ string) error {
		a, err := profile.Parse(record, "", profile.DefaultLimits())
		if err != nil {
			return err
		}
		if works = append(works, theme.WorkOf(a)); i < labelled {
			labels[a.ID] = a.Theme
		}
		truth := describe(i)
		motif.add(truth.Culture, truth.BorrowedFrom)
		mode.add(truth.Culture, truth.ModeBorrowedFrom)
		names[cultureOf(truth.Culture)] = truth.Culture
		i++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for p := range mode {
		if !motif[p] {
			t.Errorf("%v has borrowed a mode, and no motif", p)
		}
	}
	m := modelOf(t, works[:labelled], labels)
	s := New(m, func(p *theme.Profile) []string { return stored.Applying(m, p, 3) })
	for i := range works {
		s.Put(nodeOf(works[i].ID), m.Profile(&works[i]), []uint64{cultureOf(describe(i).Culture)})
	}
	for name, want := range map[string]struct {
		planted     pairs
		least, most float64
	}{"motif": {motif, 0.85, 1}, "music": {mode, 0.8, 1}, "craft": {motif, 0, 0.6}, "belief": {motif, 0, 0.75}} {
		cells := s.Theme(name).Map().Cells(slices.Collect(keysOf(names)), s.Theme(name))
		got := apart(cells, names, want.planted)
		t.Logf("%s: of a pair that has borrowed and one that has not, the first is nearer in %.3f", name, got)
		if got < want.least || got > want.most {
			t.Errorf("%s: of a pair that has borrowed and one that has not, the first is nearer in %.3f, want %.2f to %.2f", name, got, want.least, want.most)
		}
	}
	motifAlone := pairs{}
	for p := range motif {
		motifAlone[p] = !mode[p]
	}
	cells := s.Theme("music").Map().Cells(slices.Collect(keysOf(names)), s.Theme("music"))
	got := apart(slices.DeleteFunc(cells, func(c maps.Cell) bool { p := pairOf(names[c.A], names[c.B]); return !motif[p] }), names, mode)
	t.Logf("music: of a pair that has borrowed a mode and one that has borrowed a motif alone, the first is nearer in %.3f", got)
	if len(motif) == len(mode) || got < 0.85 {
		t.Errorf("music: of a pair that has borrowed a mode and one that has borrowed a motif alone, the first is nearer in %.3f", got)
	}
}

// apart is how often, of a pair that has borrowed and one that has not, the first has the greater contrast.
func apart(cells []maps.Cell, names map[uint64]string, planted pairs) float64 {
	right, of := 0, 0
	for _, x := range cells {
		for _, y := range cells {
			if x.A != x.B && y.A != y.B && planted[pairOf(names[x.A], names[x.B])] && !planted[pairOf(names[y.A], names[y.B])] {
				of++
				if x.Contrast > y.Contrast {
					right++
				}
			}
		}
	}
	return float64(right) / float64(of)
}

// pairs are cultures of which one has borrowed of the other.
type pairs map[[2]string]bool

func (p pairs) add(to, from string) {
	if from != "" {
		p[pairOf(to, from)] = true
	}
}

func pairOf(a, b string) [2]string { return [2]string{min(a, b), max(a, b)} }

func cultureOf(name string) uint64 { return uint64(graphstore.ID(graphstore.Culture, name)) }

func nodeOf(id string) uint64 { return uint64(graphstore.ID(graphstore.Artifact, id)) }
