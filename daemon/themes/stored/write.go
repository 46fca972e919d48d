package stored

import (
	"slices"
	"time"
)

// Writer takes up what is durable with one commit.
type Writer interface {
	// Revision numbers the commit; each is greater than those before.
	Revision() uint64
	// Recorded is the newest time stamp of a record that the archive has seen: histories are dated by it.
	Recorded() time.Time
	// Put stores an artifact's row, and Delete removes it.
	Put(id string, row []byte) error
	Delete(id string) error
	// PutPast stores how an artifact's list of a theme came to be, nil removes that, and Past returns it, nil if there is nothing.
	Past(id, theme string) ([]byte, error)
	PutPast(id, theme string, past []byte) error
	// Enqueue puts a message into the outbox.
	Enqueue(message []byte) error
}

// Write writes the rows that change, and tells of the lists that do: of those first that arrived. What did not change materially stays as it was
// published, unless another model made it. It may be called again, for another commit, when that failed.
func (p *Pass) Write(w Writer) error {
	p.written = nil
	arrived := sorted(p.arrived)
	rest := slices.DeleteFunc(sorted(p.drafts), func(id string) bool { _, first := p.arrived[id]; return first })
	for _, id := range slices.Concat(arrived, rest) {
		d := p.drafts[id]
		if d == nil {
			continue
		}
		if err := p.write(w, d); err != nil {
			return err
		}
	}
	return nil
}

// Empty is true when there is nothing to write.
func (p *Pass) Empty() bool { return len(p.drafts) == 0 }

func (p *Pass) write(w Writer, d *draft) error {
	was := p.l.rows[d.ID]
	if d.gone {
		return p.remove(w, was)
	}
	row := &Row{ID: d.ID, Work: d.Work, By: d.By}
	changed := was == nil || was.Work != d.Work || was.By != d.By
	for _, list := range d.Lists {
		var old *List
		if was != nil {
			old = was.List(list.Theme)
		}
		if p.l.withheld(&list) {
			list.Model = ""
			changed = changed || old.Model != ""
			row.Lists = append(row.Lists, list)
			continue
		}
		size := p.l.cfg.Size
		if old != nil && old.Model == list.Model && !p.l.untold(*old) && !material(old.told(size), list.told(size), p.l.cfg.Tolerance) {
			kept := old.renewed(&list, size)
			changed = changed || kept.Whole != old.Whole || !slices.Equal(kept.Entries, old.Entries)
			row.Lists = append(row.Lists, kept)
			continue
		}
		changed, list.Revision = true, w.Revision()
		message, cause, err := p.causes.updated(&p.l.cfg, d.ID, old, &list)
		if err != nil {
			return err
		}
		if err := w.Enqueue(message); err != nil {
			return err
		}
		if err := remember(w, size, d.ID, old, &list, cause); err != nil {
			return err
		}
		row.Lists = append(row.Lists, list)
	}
	if was != nil {
		for i := range was.Lists {
			if theme := was.Lists[i].Theme; row.List(theme) == nil {
				changed = true
				if err := p.drop(w, d.ID, theme); err != nil {
					return err
				}
			}
		}
	}
	if !changed {
		return nil
	}
	p.written = append(p.written, written{d.ID, row})
	return w.Put(d.ID, row.Marshal())
}

// renewed is a list that stays as it was told, with what is kept beside from another one: as far as that goes on where the first ends.
func (l *List) renewed(by *List, size int) List {
	out := *l
	told, beside := l.told(size), by.Entries[len(by.told(size)):]
	if out.Whole = by.Whole; len(told) > 0 && len(beside) > 0 && !before(&told[len(told)-1], &beside[0]) {
		beside, out.Whole = nil, false
	}
	out.Entries = slices.Concat(told, beside)
	return out
}

// remove tells that an artifact's lists are gone. Those of muted themes are left, until that can be told of them too.
func (p *Pass) remove(w Writer, was *Row) error {
	left := &Row{ID: was.ID}
	for i := range was.Lists {
		if list := was.Lists[i]; p.l.muted[list.Theme] {
			list.Model = ""
			left.Lists = append(left.Lists, list)
			continue
		}
		if err := p.drop(w, was.ID, was.Lists[i].Theme); err != nil {
			return err
		}
	}
	if len(left.Lists) > 0 {
		p.written = append(p.written, written{was.ID, left})
		return w.Put(was.ID, left.Marshal())
	}
	p.written = append(p.written, written{was.ID, nil})
	return w.Delete(was.ID)
}

// drop tells that a list is gone, and forgets how it came to be.
func (p *Pass) drop(w Writer, id, theme string) error {
	if err := w.Enqueue(p.causes.gone(p.l.cfg.Similar, id, theme, w.Revision())); err != nil {
		return err
	}
	return w.PutPast(id, theme, nil)
}

// Committed says that what was written is durable.
func (p *Pass) Committed() {
	for _, w := range p.written {
		p.l.set(w.id, w.row)
	}
	settle := func(id string) {
		if p.l.settled(id) {
			delete(p.l.due, id)
		} else {
			p.l.due[id] = struct{}{}
		}
	}
	for id := range p.taken {
		settle(id)
	}
	for id := range p.drafts {
		settle(id)
	}
}
