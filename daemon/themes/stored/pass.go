package stored

import (
	"maps"
	"slices"
	"strings"

	"kilim/learner/theme"
	"kilim/rerank"
)

// Pass is what one commit does to lists. The order of calls: Take for all that has changed, or may have; Rank; Write within the commit; Committed after it.
// A Pass that is not Committed has not been.
type Pass struct {
	l      *Lists
	causes causes
	// taken are the artifacts of Take. Of these, arrived have something else to be compared by than before, and full only lists to be made anew.
	taken, arrived, full, departed map[string]struct{}
	drafts                         map[string]*draft
	// demoted are those whose lists may lack one that is in none of them.
	demoted map[string]struct{}
	written []written
}

// draft is the row of an artifact on its way through a Pass. Its lists are copied before they are changed.
type draft struct {
	Row
	gone bool
}

type written struct {
	id  string
	row *Row // nil: deleted
}

// Begin starts a Pass.
func (l *Lists) Begin() *Pass {
	return &Pass{l: l, causes: causes{}, taken: map[string]struct{}{}, arrived: map[string]struct{}{}, full: map[string]struct{}{},
		departed: map[string]struct{}{}, drafts: map[string]*draft{}, demoted: map[string]struct{}{}}
}

// Take has a Pass bring an artifact's lists up to date, and those that it is in or belongs in. cause has no ID when no record is known that caused it.
func (p *Pass) Take(id string, cause rerank.Cause) {
	p.taken[id] = struct{}{}
	if cause.ID != "" {
		p.causes[id] = cause
	}
	if p.l.settled(id) {
		return
	}
	profile, work := p.l.profile(id)
	switch r := p.l.rows[id]; {
	case profile == nil:
		p.departed[id] = struct{}{}
	case r == nil || r.Work != work:
		p.arrived[id] = struct{}{}
	default:
		p.full[id] = struct{}{}
	}
}

// Rank makes the lists. Of those that lost an entry, which only a search among all can fill, at most budget are; the others are due.
func (p *Pass) Rank(budget int) {
	for _, id := range sorted(p.departed) {
		p.draft(id).gone = true
		if p.l.model == nil {
			continue // all lists go
		}
		for _, by := range p.l.holders[id] {
			p.takeOut(by, id)
		}
	}
	for _, id := range slices.Concat(sorted(p.arrived), sorted(p.full)) {
		_, arrived := p.arrived[id]
		p.compute(id, arrived)
	}
	for i, id := range sorted(p.demoted) {
		if i < budget {
			p.compute(id, false)
		} else {
			p.draft(id).By = ""
		}
	}
}

// draft is the row of an artifact as the Pass has it now.
func (p *Pass) draft(id string) *draft {
	d := p.drafts[id]
	if d == nil {
		d = &draft{Row: Row{ID: id}}
		if r := p.l.rows[id]; r != nil {
			d.Row = *r
			d.Lists = slices.Clone(r.Lists)
		}
		p.drafts[id] = d
	}
	return d
}

// computed tells whether the lists of an artifact are made by the Pass, with all that is there.
func (p *Pass) computed(id string) bool {
	if _, ok := p.arrived[id]; ok {
		return true
	}
	_, ok := p.full[id]
	return ok
}

// takeOut takes a departed artifact out of the lists of another.
func (p *Pass) takeOut(by, id string) {
	if _, departed := p.departed[by]; departed || p.computed(by) {
		return
	}
	d := p.draft(by)
	for i := range d.Lists {
		list := &d.Lists[i]
		at := list.place(id)
		if at < 0 || p.l.withheld(list) {
			continue
		}
		list.Entries = slices.Delete(slices.Clone(list.Entries), at, at+1)
		p.lacks(by, list)
	}
}

// lacks has a list be made anew that may lack one, for it has lost more than it has beside what is told.
func (p *Pass) lacks(id string, list *List) {
	if !list.Whole && len(list.Entries) < p.l.cfg.Size && p.l.current(&p.draft(id).Row) {
		p.demoted[id] = struct{}{}
	}
}

// compute makes the lists of an artifact, and offers it, if it has arrived, to those of all others that are current.
func (p *Pass) compute(id string, arrived bool) {
	m := p.l.model
	own, work := m.ProfileOf(id)
	if own == nil {
		return // what has taken it away waits for a later Pass, and it is due
	}
	d := p.draft(id)
	d.Work, d.By = work, p.l.by
	d.Lists = slices.DeleteFunc(slices.Clone(d.Lists), func(list List) bool { return !p.l.muted[list.Theme] })
	for _, name := range p.l.themes(own) {
		d.Lists = append(d.Lists, List{Theme: name, Model: m.Of(name), Whole: true})
	}
	slices.SortFunc(d.Lists, func(a, b List) int { return strings.Compare(a.Theme, b.Theme) })
	question := m.Ask(own)
	m.Table(func(t *theme.Table) {
		search := t.Search(question)
		for _, name := range m.Themes() {
			r, _ := m.Respect(name)
			if list := d.List(name); list != nil && !p.l.muted[name] {
				p.fill(list, search, r, id)
			}
			if arrived {
				p.offer(search, r, name, id)
			}
		}
	})
}

// fill searches the entries of an artifact's list.
func (p *Pass) fill(list *List, search *theme.Search, r theme.Respect, id string) {
	search.Best(r, p.l.cfg.kept(), func(other string, meeting *theme.Meeting) float64 {
		if reach, _ := meeting.Reach(r); other != id && reach >= list.least() {
			p.insert(list, Entry{other, meeting.Pair(r).Asking})
		}
		return list.least()
	})
}

// insert puts an entry where it belongs, in place, and drops what is too much. Into a list that is not whole goes none that is worse than its
// last: it is not known which of those outside comes next.
func (p *Pass) insert(list *List, e Entry) {
	n := len(list.Entries)
	if !list.Whole && (n == 0 || !before(&e, &list.Entries[n-1])) {
		return
	}
	if n == p.l.cfg.kept() {
		list.Entries = list.Entries[:n-1]
	}
	at, _ := slices.BinarySearchFunc(list.Entries, e, func(have, e Entry) int {
		if before(&have, &e) {
			return -1
		}
		return 1
	})
	list.Entries = slices.Insert(list.Entries, at, e)
	list.Whole = list.Whole && len(list.Entries) < p.l.cfg.kept()
}

func sorted[V any](set map[string]V) []string { return slices.Sorted(maps.Keys(set)) }
