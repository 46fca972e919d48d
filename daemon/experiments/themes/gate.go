package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"kilim/learner/theme"
)

// possible is the probability, terms taken as independent, from which on a daemon answers for a theme that it is asked for.
const possible = 0.04

// ofTotal is how many of the list total a daemon orders by themes.
const ofTotal = 200

// admission counts for which of the ranked works a theme applies.
type admission struct{ admitted, right int }

func (a *admission) add(admitted, labelled bool) {
	if admitted {
		a.admitted++
		if labelled {
			a.right++
		}
	}
}

// row tells of all works how many are admitted, how many of these are labelled, and how many of the labelled are admitted.
func (a *admission) row(works, labelled int) string {
	return fmt.Sprintf("%.3f | %.3f | %.3f", float64(a.admitted)/float64(works), float64(a.right)/max(1, float64(a.admitted)), float64(a.right)/max(1, float64(labelled)))
}

// gates tells how well the gate tells which themes the ranked works have labels of.
func (r *ranking) gates(w io.Writer) {
	fmt.Fprint(w, "\n| theme | labelled | gate: load | precision | recall | gate, 3 at most: load | precision | recall | probability of any term >= 0.04: load | precision | recall |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	n := len(r.profiles)
	themes := map[string]*[3]admission{}
	labelled := map[string]int{}
	var sum [3]admission
	all := 0
	for _, t := range r.model.Themes() {
		themes[t] = &[3]admission{}
	}
	for i, p := range r.profiles {
		applies := r.model.Gate(p, len(themes))
		for _, t := range r.model.Themes() {
			has := len(r.judge.labels[t][i]) > 0
			at := slices.IndexFunc(applies, func(a theme.Alpha) bool { return a.Theme == t })
			for k, admitted := range []bool{at >= 0, at >= 0 && at < 3, r.model.Presence(t, p) >= possible} {
				themes[t][k].add(admitted, has)
				sum[k].add(admitted, has)
			}
			if has {
				labelled[t]++
				all++
			}
		}
	}
	for _, t := range r.model.Themes() {
		a := themes[t]
		fmt.Fprintf(w, "| %s | %.3f | %s | %s | %s |\n", t, float64(labelled[t])/float64(n), a[0].row(n, labelled[t]), a[1].row(n, labelled[t]), a[2].row(n, labelled[t]))
	}
	fmt.Fprintf(w, "| all, themes a work | %.2f | %s | %s | %s |\n", float64(all)/float64(n), sum[0].row(n, all), sum[1].row(n, all), sum[2].row(n, all))
}

// alphas are ways to weigh themes.
var alphas = []struct {
	name string
	of   func(m *theme.Model, p *theme.Profile) []theme.Alpha
}{
	{"gate", gateOf(math.MaxInt)},
	{"gate, 1 at most", gateOf(1)},
	{"gate, 2 at most", gateOf(2)},
	{"gate, 3 at most", gateOf(3)},
	{"gate, 5 at most", gateOf(5)},
	{"equal weights, themes that apply by the gate", func(m *theme.Model, p *theme.Profile) []theme.Alpha { return equal(m.Gate(p, math.MaxInt)) }},
	{"equal weights, all themes", func(m *theme.Model, _ *theme.Profile) []theme.Alpha {
		var out []theme.Alpha
		for _, t := range m.Themes() {
			out = append(out, theme.Alpha{Theme: t})
		}
		return equal(out)
	}},
}

func gateOf(most int) func(*theme.Model, *theme.Profile) []theme.Alpha {
	return func(m *theme.Model, p *theme.Profile) []theme.Alpha { return m.Gate(p, most) }
}

func equal(all []theme.Alpha) []theme.Alpha {
	for i := range all {
		all[i].Weight = 1 / float64(len(all))
	}
	return all
}

// shares are what the evidence counts beside the themes, whose weights sum to 1.
var shares = []float64{0, 0.5, 1, 2}

// totals tells how well works are ranked in general by the sum of what themes count and of the evidence: all of them, and the first of the list total.
func (r *ranking) totals(ctx context.Context, w io.Writer, e *evidence, queries []int) error {
	type cell struct{ all, first float64 }
	by := map[string][]cell{}
	scored := map[string]float64{}
	note := func(name string, place, query int, gains, scores, total []float64) {
		for len(by[name]) <= place {
			by[name] = append(by[name], cell{})
		}
		c := &by[name][place]
		c.all += r.judge.ranked(gains, scores) / float64(len(queries))
		c.first += r.judge.ranked(gains, firstOf(query, total, scores)) / float64(len(queries))
	}
	for _, q := range queries {
		if err := ctx.Err(); err != nil {
			return err
		}
		question := r.model.Ask(r.profiles[q])
		byTheme := map[string][]float64{}
		for _, t := range r.model.Themes() {
			for _, p := range r.profiles {
				parts, _ := question.Compare(t, p)
				byTheme[t] = append(byTheme[t], parts.Score())
			}
		}
		total, cosine := e.scores(q)
		gains := r.judge.gains(overall, q)
		own := make([]float64, len(total))
		for i, p := range r.profiles {
			own[i] = question.General(p).Score()
		}
		note("list total, stated weights", 0, q, gains, total, total)
		note("list general, cosine of E", 0, q, gains, cosine, total)
		note("kilim, overall above", 0, q, gains, own, total)
		for _, a := range alphas {
			counts := a.of(r.model, r.profiles[q])
			scored[a.name] += float64(len(counts)) / float64(len(queries))
			for k, share := range shares {
				sum := make([]float64, len(total))
				for i := range sum {
					sum[i] = share * total[i]
					for _, c := range counts {
						sum[i] += c.Weight * byTheme[c.Theme][i]
					}
				}
				note(a.name, k, q, gains, sum, total)
			}
		}
	}
	fmt.Fprintf(w, "\n| nDCG@10 overall: all ranked, first %d of total | themes scored |", ofTotal)
	for _, s := range shares {
		fmt.Fprintf(w, " evidence x %g |", s)
	}
	fmt.Fprint(w, "\n|---|---|---|---|---|---|\n")
	for _, name := range []string{"list total, stated weights", "list general, cosine of E", "kilim, overall above"} {
		fmt.Fprintf(w, "| %s | | %.3f, %.3f | | | |\n", name, by[name][0].all, by[name][0].first)
	}
	for _, a := range alphas {
		fmt.Fprintf(w, "| %s | %.2f |", a.name, scored[a.name])
		for _, c := range by[a.name] {
			fmt.Fprintf(w, " %.3f, %.3f |", c.all, c.first)
		}
		fmt.Fprintln(w)
	}
	return nil
}

// firstOf are scores of the first works of total, but for the one that asks, and less than these of all others.
func firstOf(query int, total, scores []float64) []float64 {
	order := make([]int, 0, len(total))
	for i := range total {
		if i != query {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(total[b], total[a]) })
	out := slices.Clone(scores)
	for _, i := range order[min(ofTotal, len(order)):] {
		out[i] = math.Inf(-1)
	}
	return out
}
