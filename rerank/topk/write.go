package topk

import (
	"fmt"
	"slices"

	"kilim/rerank"
	"kilim/rerank/topk/stale"
)

// Write settles every list that the pass touched: what did not change materially stays as it was, what did is published or
// lingers. publish is called with each update, the newcomers' first, for somebody waits for them; its Epoch is not set.
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
	l.lingering.Remove(node)
	delete(l.following.rows, node)
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
	l.new.cut(p.l.cfg.Size, p.l.most(rerank.ListTotal))
	told := l.old != nil && p.l.isTold(l.old, &l.new)
	if _, arrived := p.arrived[l.node]; told && l.old.Ordered != nil && (arrived || l.again) {
		l.again, l.new.Again = true, true
	} else {
		l.again = false
	}
	changed := p.settle(l)
	if changed {
		p.setHolder(l.node, l.stored(), l.new.Lists)
	}
	serving := p.unit.Mode == Serving
	news := !told || l.new.Pending != nil || changed && l.old.Pending == nil || l.new.Again
	if serving && told {
		p.l.unpublished.Remove(l.node) // an Order may have come back
	}
	switch {
	case !serving && changed:
		p.l.unpublished.Add(l.node)
	case serving && news && (!told || p.tellsNow(l)):
		if err := p.publish(l, told, publish); err != nil {
			return err
		}
	case serving && news && (changed || l.again):
		p.linger(l)
	case changed: // back to what was published
		p.l.lingering.Remove(l.node)
	}
	if !changed && l.new.is(l.old) {
		p.l.setLeast(l.node, p.l.leastOf(&l.new))
		return nil
	}
	if err := p.g.PutLists(l.node, l.new.Marshal()); err != nil {
		return err
	}
	stored := l.new
	p.l.holders.count(l.old, p.g.NodeOf, -1)
	p.l.holders.count(&stored, p.g.NodeOf, 1)
	p.l.rows.put(l.node, &stored)
	p.l.following.note(l.node, &stored)
	p.l.setLeast(l.node, p.l.leastOf(&stored))
	return nil
}

// setLeast notes what it takes to get into the stored lists of an artifact.
func (l *Lists) setLeast(node uint64, to least) {
	l.cache.setLeast(node, to)
	l.everyone.setLeast(node, to)
}

// settle lets lists that did not change materially be what they were: as last published, or else as stored. It tells whether
// they are others than those stored.
func (p *Pass) settle(l *listing) (changed bool) {
	material := func(lists rerank.Lists) bool { return rerank.Material(lists, l.new.Lists, p.l.cfg.Tolerance) }
	switch {
	case l.old == nil:
		return true
	case l.old.Pending != nil && !material(l.old.Pending.Before):
		l.new.Lists = l.old.Pending.Before
		if !l.new.Again {
			l.new.Pending = nil
		}
		return true
	case !material(l.old.Lists):
		l.new.Lists = l.old.Lists
		return false
	}
	return true
}

// tellsNow tells whether a change does not wait: somebody waits for the lists of what a record brought, and where there is no
// load there is nothing to wait for.
func (p *Pass) tellsNow(l *listing) bool {
	_, arrived := p.arrived[l.node]
	return arrived || l.due || p.unit.Linger == 0 && p.orderings < mostOrderings
}

// publish gives lists their revision. Those that were told and are in the Order what they were are not published.
func (p *Pass) publish(l *listing, told bool, publish func(*rerank.Update) error) error {
	ordered, err := p.ordered(l)
	if err != nil {
		return err
	}
	lists := l.new.Lists
	if ordered != nil {
		lists = ordered.Over(lists)
	}
	p.l.unpublished.Remove(l.node)
	p.l.lingering.Remove(l.node)
	if told && ordered != nil && !rerank.Material(l.old.Published(), lists, p.l.cfg.Tolerance) && !l.old.Ordered.Material(ordered, p.l.cfg.Tolerance) {
		l.new.Pending, l.new.Again, l.new.Lists = nil, false, asTold(l.old, l.new.Lists)
		return nil
	}
	last := new(Row) // that of what was published last
	var gathered []rerank.Cause
	switch {
	case l.old == nil:
	case l.old.Revision > 0:
		last = l.old
		if last.Pending != nil {
			gathered = last.Pending.Causes
		}
	case p.unit.Previous != nil:
		switch row, err := p.unit.Previous(l.id); {
		case err != nil:
			return fmt.Errorf("topk: lists of %q as last published: %w", l.id, err)
		case row != nil:
			last = row
		}
	}
	before := last.Published()
	l.new.Revision, l.new.Pending, l.new.Ordered, l.new.Again = p.unit.Revision, nil, nil, false
	if ordered != nil {
		l.new.Ordered = ordered.Told()
	}
	u := &rerank.Update{ID: l.id, Revision: l.new.Revision, Lists: lists, Ordered: ordered, Changes: rerank.DiffAll(before, lists)}
	p.explain(u, gathered)
	step := &rerank.Step{ID: l.id, Before: before, After: lists, At: p.recorded, Cause: u.Cause}
	if l.new.History, err = last.History.Append(step); err != nil {
		return fmt.Errorf("topk: lists of %q: %w", l.id, err)
	}
	return publish(u)
}

// asTold returns lists of which nothing is told with all that an Order does not order as it was published last: what Published returns must have been, and small
// changes that are not told would else add up.
func asTold(old *Row, lists rerank.Lists) rerank.Lists {
	out, told := slices.Clone(lists), old.Published()
	for i := range out {
		if name := out[i].Name; name != rerank.ListTotal {
			out[i].Entries = told.Get(name)
		}
	}
	return out
}

// explain names the records' artifacts that a change is due to: the artifact itself, and those that entered, left or moved; of
// these, those with a record in this unit or in one that changed the lists while the change waited. A change by refresh
// alone has none.
func (p *Pass) explain(u *rerank.Update, gathered []rerank.Cause) {
	seen := map[string]struct{}{}
	name := func(id string) {
		if _, ok := seen[id]; ok {
			return
		}
		cause, ok := p.causes[id]
		if !ok {
			at := slices.IndexFunc(gathered, func(c rerank.Cause) bool { return c.ID == id })
			if at < 0 {
				return
			}
			cause = gathered[at]
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

// setHolder keeps, for each artifact, who has it in a list.
func (p *Pass) setHolder(by uint64, before, after rerank.Lists) {
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
	tell := func(lists rerank.Lists, who uint8) {
		for i := range lists {
			for j := range lists[i].Entries {
				id := lists[i].Entries[j].ID
				if p.marks[id] != who {
					continue
				}
				p.marks[id] |= done
				p.l.holders.set(p.g.NodeOf(id), by, who == has)
			}
		}
	}
	tell(after, has)
	tell(before, had)
}
