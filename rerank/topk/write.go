package topk

import (
	"fmt"

	"kilim/rerank"
	"kilim/rerank/topk/stale"
)

// Write settles every list that the pass touched: what did not change materially stays as it was published. publish is
// called with each update, the newcomers' first, for somebody waits for them; its Epoch is not set.
func (p *Pass) Write(publish func(*rerank.Update) error) error {
	rest := make(map[uint64]*listing, len(p.lists))
	for node, l := range p.lists {
		if _, ok := p.arrived[node]; !ok {
			rest[node] = l
		}
	}
	for _, nodes := range [][]uint64{p.came, sorted(rest)} {
		for _, node := range nodes {
			if l := p.lists[node]; l != nil && l.touched {
				if err := p.write(l, publish); err != nil {
					return err
				}
			}
		}
	}
	for _, node := range p.went {
		if err := p.g.DeleteLists(node); err != nil {
			return err
		}
		p.l.forget(node)
	}
	return nil
}

// forget drops all that is known of an artifact.
func (l *Lists) forget(node uint64) {
	l.rows.remove(node)
	l.cache.forget(node)
	l.ranked.Remove(node)
	l.unpublished.Remove(node)
	delete(l.unlisted, node)
}

func (p *Pass) write(l *listing, publish func(*rerank.Update) error) error {
	if l.ranked {
		a, _, err := p.g.Artifact(l.node)
		if err != nil {
			return err
		}
		p.l.ranked.Set(l.node, p.l.dueAt(l.new.RankedAt, a.Drift))
		if l.new.RankedAt != stale.Never {
			delete(p.l.unlisted, l.node)
		}
	}
	l.new.cut(p.l.cfg.Size)
	var before rerank.Lists
	if l.old != nil {
		before = l.old.Lists
	}
	same := l.old != nil && !rerank.Material(before, l.new.Lists, p.l.cfg.Tolerance)
	if same {
		l.new.Lists = before
	} else if err := p.setListedBy(l.node, before, l.new.Lists); err != nil {
		return err
	}
	serving := p.unit.Mode == Serving
	switch {
	case same && (!serving || p.l.isPublished(l.old)):
		l.new.Revision = l.old.Revision
		if l.new.RankedAt == l.old.RankedAt && l.new.Size == l.old.Size && l.new.Settings == l.old.Settings {
			return nil
		}
	case !serving:
		p.l.unpublished.Add(l.node)
	default:
		if err := p.publish(l, before, publish); err != nil {
			return err
		}
	}
	if err := p.g.PutLists(l.node, l.new.Marshal()); err != nil {
		return err
	}
	stored := l.new
	p.l.rows.put(l.node, &stored)
	p.l.cache.setLeast(l.node, p.l.leastOf(&stored))
	return nil
}

// publish gives lists their revision. before are those stored until now: the last published ones, but for lists that were made
// in a state that does not publish.
func (p *Pass) publish(l *listing, before rerank.Lists, publish func(*rerank.Update) error) (err error) {
	if l.old != nil && l.old.Revision == 0 {
		before = nil
		if p.unit.Previous != nil {
			if before, err = p.unit.Previous(l.id); err != nil {
				return fmt.Errorf("topk: lists of %q as last published: %w", l.id, err)
			}
		}
	}
	l.new.Revision = p.unit.Revision
	p.l.unpublished.Remove(l.node)
	u := &rerank.Update{ID: l.id, Revision: l.new.Revision, Lists: l.new.Lists, Changes: rerank.DiffAll(before, l.new.Lists)}
	p.explain(u)
	return publish(u)
}

// explain names the records' artifacts that a change is due to: the artifact
// itself, and those that entered, left or moved. A change by refresh alone has none.
func (p *Pass) explain(u *rerank.Update) {
	seen := map[string]struct{}{}
	name := func(id string) {
		if _, ok := seen[id]; ok {
			return
		}
		cause, ok := p.causes[id]
		if !ok {
			return
		}
		seen[id] = struct{}{}
		u.Cause = append(u.Cause, id)
		if cause.Recorded.After(u.Recorded) {
			u.Recorded = cause.Recorded
		}
		if u.TraceParent == "" {
			u.TraceParent = cause.TraceParent
		}
	}
	name(u.ID)
	for _, list := range u.Lists {
		c := u.Changes[list.Name]
		for _, ids := range [][]string{c.Entered, c.Left, c.Moved} {
			for _, id := range ids {
				name(id)
			}
		}
	}
}

// setListedBy keeps, for each artifact, who has it in a list: its departure or move
// must reach them.
func (p *Pass) setListedBy(by uint64, before, after rerank.Lists) error {
	const had, has, done = 1, 2, 4
	clear(p.marks)
	mark := func(lists rerank.Lists, as uint8) {
		for i := range lists {
			for j := range lists[i].Entries {
				p.marks[lists[i].Entries[j].ID] |= as
			}
		}
	}
	mark(before, had)
	mark(after, has)
	tell := func(lists rerank.Lists, who uint8) error {
		for i := range lists {
			for j := range lists[i].Entries {
				id := lists[i].Entries[j].ID
				if p.marks[id] != who {
					continue
				}
				p.marks[id] |= done
				if err := p.g.SetListedBy(p.g.NodeOf(id), by, who == has); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := tell(after, has); err != nil {
		return err
	}
	return tell(before, had)
}
