package theme

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestExpectedJaccard: of terms that are nearly certain it is their Jaccard similarity.
func TestExpectedJaccard(t *testing.T) {
	t.Parallel()
	const terms = 9
	m := &Model{vocabulary: vocabulary{spans: []span{{"motif", 0, terms}}}}
	rng := rand.New(rand.NewPCG(4, 4))
	for range 200 {
		a, b := make([]float32, terms), make([]float32, terms)
		inBoth, either := 0, 0
		for i := range a {
			a[i], b[i] = float32(rng.IntN(2)), float32(rng.IntN(2))
			if a[i] == 1 && b[i] == 1 {
				inBoth++
			}
			if a[i] == 1 || b[i] == 1 {
				either++
			}
		}
		x, y := m.forecast(slices.Clone(a), nil), m.forecast(slices.Clone(b), nil)
		got, want := y.themes[0].present*jaccard(x.themes[0], y.themes[0], both(x.spread(terms), y.of(0))), 0.0
		if slices.Contains(a, 1) && slices.Contains(b, 1) {
			want = float64(inBoth) / float64(either)
		}
		if slices.Contains(a, 1) && math.Abs(got-want) > 0.01 {
			t.Errorf("%v and %v: %g, want %g", a, b, got, want)
		}
	}
}

// TestForecastIsBounded: of many terms the likeliest are kept, and what is expected of all is not changed by that.
func TestForecastIsBounded(t *testing.T) {
	t.Parallel()
	const terms = 5 * most
	m := &Model{vocabulary: vocabulary{spans: []span{{"craft", 0, terms / 2}, {"motif", terms / 2, terms}}}}
	rng := rand.New(rand.NewPCG(5, 5))
	p := make([]float32, terms)
	count := [2]float64{}
	for i := range p {
		p[i] = rng.Float32()
		count[2*i/terms] += float64(p[i])
	}
	f := m.forecast(slices.Clone(p), nil)
	if len(f.likely) != most {
		t.Fatalf("%d terms are kept, want %d", len(f.likely), most)
	}
	least := slices.Sorted(slices.Values(p))[terms-most]
	for i, s := range m.spans {
		if d := f.themes[i].count*f.themes[i].present - count[i]; math.Abs(d) > 0.01 {
			t.Errorf("theme %q: the count is off by %g", s.theme, d)
		}
		for _, c := range f.of(i) {
			if c.term < s.from || c.term >= s.to || c.p < least {
				t.Errorf("theme %q keeps %+v", s.theme, c)
			}
		}
	}
}

// TestLikeliest: of equal probabilities the first are kept, as many as there is room for.
func TestLikeliest(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(6, 6))
	for _, levels := range []int{1, 2, 7} {
		var all []chance
		for i := range 3 * most {
			all = append(all, chance{int32(2 * i), float32(rng.IntN(levels)) / 8})
		}
		want := slices.Clone(all)
		slices.SortStableFunc(want, func(a, b chance) int { return cmp.Compare(b.p, a.p) })
		want = want[:most]
		slices.SortFunc(want, func(a, b chance) int { return cmp.Compare(a.term, b.term) })
		if got := likeliest(all, most); !slices.Equal(got, want) {
			t.Errorf("of %d probabilities %v are kept, want %v", levels, got, want)
		}
	}
}

// TestRanksBetterThanWords: works that were not fitted find those of their terms better by their profiles than by their words, and
// what explains a score is what they share.
func TestRanksBetterThanWords(t *testing.T) {
	t.Parallel()
	works, labels := world(5, 700)
	known, asked := works[:500], works[500:]
	m := fit(t, basisOf(t, DefaultConfig(), known), labels, nil)
	all := make([]*Profile, len(asked))
	for i := range asked {
		all[i] = m.Profile(&asked[i])
	}
	explained, queries := 0.0, 0.0
	first := func(score func(Parts) float64) float64 {
		found := 0.0
		queries, explained = 0, 0
		for i := range asked {
			own := labels[asked[i].ID]["motif"]
			if len(own) == 0 {
				continue
			}
			question := m.Ask(all[i])
			best, top := -1, math.Inf(-1)
			for j := range asked {
				parts, ok := question.Compare("motif", all[j])
				if !ok {
					t.Fatal("no theme motif")
				}
				if s := score(parts); i != j && s > top {
					best, top = j, s
				}
			}
			queries++
			others := labels[asked[best].ID]["motif"]
			has := func(term string) bool { return slices.Contains(others, term) }
			if slices.ContainsFunc(own, has) {
				found++
			}
			if why := question.Explain("motif", all[best], 1); len(why) == 1 && slices.Contains(own, why[0].Term) && has(why[0].Term) {
				explained++
			}
		}
		return found / queries
	}
	words := first(func(p Parts) float64 { return p.Words })
	whole := first(Parts.Score)
	if whole < words+0.05 {
		t.Errorf("the nearest shares a term in %.2f of the queries by profiles, in %.2f by words", whole, words)
	}
	if explained < 0.9*whole*queries {
		t.Errorf("of %.0f works that share a term with their nearest, %.0f are told it", whole*queries, explained)
	}
	question := m.Ask(all[0])
	if _, ok := question.Compare("music", all[1]); ok || question.Explain("music", all[1], 1) != nil || m.Predicted("music", all[0], 1) != nil {
		t.Error("a theme without labels ranks")
	}
}

// TestNeighboursOfAFittedWork: a fitted work is its own nearest, and its terms are the likeliest.
func TestNeighboursOfAFittedWork(t *testing.T) {
	t.Parallel()
	works, labels := world(12, 120)
	m := fit(t, basisOf(t, DefaultConfig(), works), labels, nil)
	right := 0
	for i := range works {
		own := slices.Compact(slices.Sorted(slices.Values(labels[works[i].ID]["motif"])))
		var told []string
		for _, p := range m.Predicted("motif", m.Profile(&works[i]), len(own)) {
			told = append(told, p.Term)
		}
		slices.Sort(told)
		if slices.Equal(told, own) {
			right++
		}
	}
	if right < 110 {
		t.Errorf("of 120 works that were fitted %d are told their terms first", right)
	}
}
