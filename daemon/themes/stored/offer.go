package stored

import (
	"slices"

	"kilim/learner/theme"
)

// offer offers an artifact that has arrived to the others' lists of a theme. Those that have it already get it as it is now, which may be worse; of the
// others those are asked into whose list it may belong.
func (p *Pass) offer(search *theme.Search, r theme.Respect, name, id string) {
	for _, by := range p.l.holders[id] {
		if list := p.current(by, name); list == nil || list.place(id) < 0 {
			continue
		}
		if meeting := search.Meet(by); meeting != nil {
			p.place(by, name, Entry{id, meeting.Pair(r).Asked})
		}
	}
	search.Takers(r, func(other string, meeting *theme.Meeting) {
		list := p.current(other, name)
		if list == nil || list.place(id) >= 0 {
			return
		}
		if _, reach := meeting.Reach(r); reach >= list.least() {
			p.place(other, name, Entry{id, meeting.Pair(r).Asked})
		}
	})
}

// current is a list, as the Pass has it now, that may take up another, nil: the artifact has none that may. Lists that the Pass computes have everyone
// where they belong, and lists of another model take nobody.
func (p *Pass) current(id, theme string) *List {
	r := p.l.rows[id]
	if d := p.drafts[id]; d != nil {
		r = &d.Row
	}
	if r == nil || !p.l.current(r) || p.computed(id) {
		return nil
	}
	if list := r.List(theme); list != nil && !p.l.withheld(list) {
		return list
	}
	return nil
}

// place puts an entry into a list of an artifact, if it belongs there.
func (p *Pass) place(id, theme string, e Entry) {
	now := *p.current(id, theme)
	now.Entries = slices.Clone(now.Entries)
	if was := now.place(e.ID); was >= 0 {
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
	now.Model = p.l.model.Of(theme)
	*list = now
	p.lacks(id, list) // it may have been told, and be worse than one that is in no list
}
