package stored

import (
	"slices"

	"kilim/learner/theme"
)

// offer is an artifact that has arrived, as it is offered to the lists of the others.
type offer struct {
	p  *Pass
	id string
	// respects are by theme, with the most that its score may be in each.
	respects map[string]respect
	// holders have had it in a list.
	holders map[string]struct{}
}

type respect struct {
	theme.Respect
	most float64
}

func (p *Pass) offering(id string, question *theme.Question) *offer {
	o := &offer{p: p, id: id, respects: map[string]respect{}, holders: map[string]struct{}{}}
	for _, name := range p.l.model.Themes() {
		r, _ := question.In(name)
		o.respects[name] = respect{r, r.Most()}
	}
	for _, by := range p.l.holders[id] {
		o.holders[by] = struct{}{}
	}
	return o
}

// to offers the artifact to the lists of another one. Lists that the Pass computes have it where it belongs, and lists of another model take nobody.
func (o *offer) to(other string, profile *theme.Profile) {
	p := o.p
	row := p.current(other)
	if row == nil {
		return
	}
	_, holds := o.holders[other]
	for i := range row.Lists {
		list := &row.Lists[i]
		r := o.respects[list.Theme]
		if !holds {
			if !p.reaches(list, r.most) {
				continue
			}
			if _, reach := r.Reach(profile); !p.reaches(list, reach) {
				continue
			}
		}
		p.place(other, list.Theme, Entry{o.id, r.Pair(profile).Asked})
	}
}

// current is the row, as the Pass has it now, of an artifact whose lists may take up another, nil: they may not.
func (p *Pass) current(id string) *Row {
	r := p.l.rows[id]
	if d := p.drafts[id]; d != nil {
		r = &d.Row
	}
	if r == nil || !p.l.Current(r) || p.computed(id) {
		return nil
	}
	return r
}

// place puts an entry into a list of an artifact, if it belongs there.
func (p *Pass) place(id, theme string, e Entry) {
	entries, worse := slices.Clone(p.current(id).List(theme).Entries), false
	was := slices.IndexFunc(entries, func(have Entry) bool { return have.ID == e.ID })
	switch n := len(entries); {
	case was >= 0 && entries[was] == e, was < 0 && n == p.l.cfg.Size && !before(&e, &entries[n-1]):
		return
	case was >= 0:
		worse = n == p.l.cfg.Size && before(&entries[was], &e)
		entries = slices.Delete(entries, was, was+1)
	}
	entries = p.insert(entries, e)
	if worse && entries[len(entries)-1] == e {
		p.demoted[id] = struct{}{} // one that is in no list may be better
	}
	list := p.draft(id).List(theme)
	list.Entries, list.Model = entries, p.l.model.ID
}
