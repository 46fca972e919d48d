package theme

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"kilim/learner/tensor/par"
)

// gate decides by which probability of a theme it applies to a Work.
type gate struct {
	works []int32 // that were fitted and have a label of the theme, rising
	share float32 // of the fitted Works that have
	least float32 // the probability from which on the theme applies
}

// folds is into how many parts the fitted Works are split to learn what a gate says of Works that it was not fitted to.
const folds = 4

// newGates counts which of n Works have labels of each theme.
func (v *vocabulary) newGates(n int) []gate {
	gates := make([]gate, len(v.spans))
	for i, s := range v.spans {
		g := &gates[i]
		for _, works := range v.works[s.from:s.to] {
			g.works = append(g.works, works...)
		}
		slices.Sort(g.works)
		g.works = slices.Compact(g.works)
		g.share = float32(float64(len(g.works)) / float64(n))
	}
	return gates
}

// leastApplies is the probability below which no theme applies, however few have it: what is so unlikely is a guess.
const leastApplies = 0.04

// Alpha is what a theme counts of a Work.
type Alpha struct {
	Theme string
	// Weight is the theme's probability as a share of those of all themes that apply.
	Weight float64
}

// Gate tells which themes apply to a Work, at most so many, and what each counts: a mixture of experts, of which the others cost nothing. Weights sum to 1; where no theme
// applies there are none. Of themes that stand apart (see Apart) there are as many besides, so that they take no other's place.
//
// How likely a Work has any label of a theme is a ridge regression of its own, one more column on the same factor: the product over the terms' probabilities
// takes terms to be independent, and finds any of 1,000 terms nearly certain. A theme applies from the probability on that as many fitted Works reach, by
// regressions that did not see them, as have labels of it. So each theme gets the load that it should: Wang et al., "Auxiliary-Loss-Free Load Balancing Strategy for
// Mixture-of-Experts", 2024, arXiv 2408.15664, move a bias for each expert step by step to that end, where here it is a quantile. As there, who is among the most that are wanted
// goes by the probability above that bias, and the weight by the probability alone: by probabilities common themes would displace the rare ones.
func (m *Model) Gate(p *Profile, most int) []Alpha {
	type admitted struct {
		theme         int
		present, over float64
	}
	var together, apart []admitted
	for i := range m.spans {
		present, least := p.probable.themes[i].present, float64(m.gates[i].least)
		switch a := (admitted{i, present, present - least}); {
		case present < least:
		case m.isApart(i):
			apart = append(apart, a)
		default:
			together = append(together, a)
		}
	}
	var all []admitted
	for _, some := range [][]admitted{together, apart} {
		slices.SortStableFunc(some, func(a, b admitted) int { return cmp.Compare(b.over, a.over) }) // they come by name
		all = append(all, some[:min(len(some), most)]...)
	}
	sum := 0.0
	for _, a := range all {
		sum += a.present
	}
	out := make([]Alpha, len(all))
	for i, a := range all {
		out[i] = Alpha{m.spans[a.theme].theme, a.present / sum}
	}
	return out
}

// probability keeps a probability from what regression may make of it.
func probability(p float32) float32 { return max(unlikely, min(p, certain)) }

// balance finds from which probability on the themes of the numbers in open apply.
func (b *Basis) balance(ctx context.Context, m *Model, open []int) error {
	pool, err := par.New(b.cfg.Threads)
	if err != nil {
		return fmt.Errorf("theme: %w", err)
	}
	defer pool.Close()
	const together = abreast / folds
	parts := (len(open) + together - 1) / together
	t := &balanceTask{ctx: ctx, system: b.system(pool), model: m, open: open, spaces: make([]*workspace, pool.Size()), faults: make([]error, parts)}
	pool.Caller().Run(t, parts)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("theme: the fit was ended: %w", err)
	}
	return errors.Join(t.faults...)
}

// balanceTask balances, in each part, as many themes as are solved at once with a fold left out at a time.
type balanceTask struct {
	ctx context.Context
	*system
	model  *Model
	open   []int
	spaces []*workspace // by worker
	faults []error      // by part
}

func (t *balanceTask) Part(part int, worker *par.Worker) {
	if t.faults[part] = t.ctx.Err(); t.faults[part] != nil {
		return
	}
	if t.spaces[worker.Index()] == nil {
		t.spaces[worker.Index()] = t.workspace()
	}
	w := t.spaces[worker.Index()]
	const together = abreast / folds
	own := t.open[part*together : min((part+1)*together, len(t.open))]
	var rights []right
	for _, i := range own {
		g := &t.model.gates[i]
		for fold := range folds {
			rights = append(rights, right{works: g.works, prior: g.share, out: 1 + fold})
		}
	}
	weights, err := t.solve(worker, w, rights)
	if err != nil {
		t.faults[part] = err
		return
	}
	said := w.z // of all Works, by each of the regressions
	t.x.times(weights, abreast, said)
	for k, i := range own {
		g := &t.model.gates[i]
		unseen := make([]float32, t.n)
		for row := range unseen {
			unseen[row] = probability(g.share + said[row*abreast+k*folds+row%folds])
		}
		slices.Sort(unseen)
		g.least = max(leastApplies, unseen[t.n-len(g.works)])
	}
}

// leave sets the rows of the folds that are left out to 0.
func (w *workspace) leave(v []float32, terms []right) {
	for c, t := range terms {
		if t.out == 0 {
			continue
		}
		for i := (t.out-1)*abreast + c; i < len(v); i += folds * abreast {
			v[i] = 0
		}
	}
}

// product is the probability of any of some terms, taken as independent.
func product(terms []float32) float64 {
	absent := 1.0
	for _, p := range terms {
		absent *= 1 - float64(p)
	}
	return 1 - absent
}
