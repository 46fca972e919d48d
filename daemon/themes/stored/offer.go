package stored

import (
	"slices"

	"kilim/learner/theme"
)

// offer is an artifact that has arrived, as it is offered to the lists of the others.
type offer struct {
	p        *Pass
	id       string
	respects map[string]theme.Respect
	// holders have had it in a list.
	holders map[string]struct{}
}

func (p *Pass) offering(id string) *offer {
	o := &offer{p: p, id: id, respects: map[string]theme.Respect{}, holders: map[string]struct{}{}}
	for _, name := range p.l.model.Themes() {
		o.respects[name], _ = p.l.model.Respect(name)
	}
	for _, by := range p.l.holders[id] {
		o.holders[by] = struct{}{}
	}
	return o
}

// to offers the artifact to the lists of another one. Lists that the Pass computes have it where it belongs, and lists of another model take nobody.
func (o *offer) to(other string, meeting *theme.Meeting) {
	row := o.p.current(other)
	if row == nil {
		return
	}
	_, holds := o.holders[other]
	for i := range row.Lists {
		list := &row.Lists[i]
		r := o.respects[list.Theme]
		if !holds {
			if _, ceiling := meeting.Ceiling(r); !o.p.reaches(list, ceiling) {
				continue
			}
			if _, reach := meeting.Reach(r); !o.p.reaches(list, reach) {
				continue
			}
		}
		o.p.place(other, list.Theme, Entry{o.id, meeting.Pair(r).Asked})
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
	now := *p.current(id).List(theme)
	now.Entries = slices.Clone(now.Entries)
	if was := slices.IndexFunc(now.Entries, func(have Entry) bool { return have.ID == e.ID }); was >= 0 {
		if now.Entries[was] == e {
			return
		}
		now.Entries = slices.Delete(now.Entries, was, was+1)
	}
	p.insert(&now, e)
	list := p.draft(id).List(theme)
	if slices.Equal(now.Entries, list.Entries) {
		return
	}
	now.Model = p.l.model.ID
	*list = now
	p.lacks(id, list) // it may have been told, and be worse than one that is in no list
}
