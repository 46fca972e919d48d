package stored

import (
	"slices"
	"strings"

	"kilim/learner/theme"
)

// Ahead are first lists of a theme, which are told before the model that makes them serves. Until Align has that model, nothing else is told of the theme.
type Ahead struct {
	l      *Lists
	causes causes
	model  *Model
	theme  string
	// drafts are rows as they are now, with what is told besides.
	drafts []ahead
}

type ahead struct {
	row  Row
	list List
}

// Ahead makes lists of a theme by a model, among the artifacts of its Profiles, for those of the given ones that it applies to and that have none yet. The theme may
// not be one of the model that the Lists are aligned to.
func (l *Lists) Ahead(m *Model, name string, ids []string) *Ahead {
	a := &Ahead{l: l, causes: causes{}, model: m, theme: name}
	r, ok := m.Respect(name)
	if !ok {
		return a
	}
	pass := l.Begin()
	for _, id := range ids {
		own, _ := m.ProfileOf(id)
		if own == nil || !slices.Contains(Applying(m.Model, own, l.cfg.Themes), name) {
			continue
		}
		d := ahead{row: Row{ID: id}, list: List{Theme: name, Model: m.Of(name), Whole: true}}
		if was := l.rows[id]; was != nil {
			d.row = *was
		}
		if d.row.List(name) != nil {
			continue
		}
		question := m.Ask(own)
		m.Table(func(t *theme.Table) { pass.fill(&d.list, t.Search(question), r, id) })
		a.drafts = append(a.drafts, d)
	}
	return a
}

// Empty is true when there is nothing to write.
func (a *Ahead) Empty() bool { return len(a.drafts) == 0 }

// Write is Pass.Write.
func (a *Ahead) Write(w Writer) error {
	for i := range a.drafts {
		d := &a.drafts[i]
		d.list.Revision = w.Revision()
		message, cause, err := a.causes.updated(&a.l.cfg, d.row.ID, nil, &d.list)
		if err != nil {
			return err
		}
		if err := w.Enqueue(message); err != nil {
			return err
		}
		if err := remember(w, a.l.cfg.Size, d.row.ID, nil, &d.list, cause); err != nil {
			return err
		}
		row := d.stored()
		if err := w.Put(row.ID, row.Marshal()); err != nil {
			return err
		}
	}
	return nil
}

// stored is the row with the list, which is of no model that serves: so it is made anew, and told, when one does.
func (d *ahead) stored() *Row {
	row, list := d.row, d.list
	list.Model = ""
	row.Lists = append(slices.Clone(row.Lists), list)
	slices.SortFunc(row.Lists, func(a, b List) int { return strings.Compare(a.Theme, b.Theme) })
	return &row
}

// Committed says that what was written is durable.
func (a *Ahead) Committed() {
	a.l.muted[a.theme] = true
	for i := range a.drafts {
		row := a.drafts[i].stored()
		a.l.set(row.ID, row)
		if a.l.settled(row.ID) {
			delete(a.l.due, row.ID)
		} else {
			a.l.due[row.ID] = struct{}{}
		}
	}
}
