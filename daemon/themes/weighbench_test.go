package themes

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"

	"kilim/consumer/profile"
	"kilim/daemon/demo"
	"kilim/learner/theme"
)

// BenchmarkWeigh scores by three themes the 200 candidates nearest by words, of all of which there was no room for a profile, and returns the best.
func BenchmarkWeigh(b *testing.B) {
	const fitted, others, asked, most = 8000, 2000, 20, 200
	var records bytes.Buffer
	if err := demo.Write(&records, demo.Options{Artifacts: fitted + others, Seed: 1}); err != nil {
		b.Fatal(err)
	}
	w := newWorld(b, usual())
	var works []theme.Work
	var artifacts []*profile.Artifact
	labels := map[string]theme.Labels{}
	for lines := bufio.NewScanner(&records); lines.Scan(); {
		one, err := profile.Parse(bytes.Clone(lines.Bytes()), "", profile.Limits{})
		if err != nil {
			b.Fatal(err)
		}
		if len(works) < fitted {
			labels[one.ID] = one.Theme
		}
		works, artifacts, w.archive.raw[one.ID] = append(works, theme.WorkOf(one)), append(artifacts, one), one.Raw
	}
	basis, err := theme.NewBasis(theme.DefaultConfig(), works[:fitted])
	if err != nil {
		b.Fatal(err)
	}
	model, err := basis.Fit(b.Context(), labels, nil)
	if err != nil {
		b.Fatal(err)
	}
	weights := map[string]float64{}
	for _, name := range model.Themes()[:3] {
		weights[name] = 1
	}
	profiles := make([]*theme.Profile, others)
	for i := range profiles {
		profiles[i] = model.Profile(&works[fitted+i])
	}
	candidates := make([][]Candidate, asked)
	for i := range candidates {
		q := model.Ask(profiles[i])
		for j, p := range profiles {
			if j != i {
				candidates[i] = append(candidates[i], Candidate{works[fitted+j].ID, 0.3 * q.General(p).Words / 0.05})
			}
		}
		slices.SortFunc(candidates[i], func(a, b Candidate) int { return cmp.Compare(b.Evidence, a.Evidence) })
		candidates[i] = candidates[i][:most]
	}
	for _, n := range []int{10, most} { // all of them need all profiles
		b.Run(fmt.Sprintf("best=%d", n), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				w.keeper.serving.Store(newServing(model, Made{}, 0, 0)) // nothing is known
				best, applies, err := w.keeper.Weigh(b.Context(), artifacts[fitted+i%asked], weights, candidates[i%asked], n)
				if err != nil || len(best) != n || len(applies) == 0 {
					b.Fatal(len(best), applies, err)
				}
			}
		})
	}
}
