package topk

import (
	"fmt"
	"maps"
	"slices"

	"kilim/rerank"
)

// Checker verifies all stored lists, of a state that nobody writes: living members, order and length, and who is listed by
// whom. Each fault is told in a sentence.
type Checker struct {
	l        *Lists
	g        Reader
	order    Order
	revision uint64
	fault    func(string)
	// listed is (member, by) for each artifact in a list.
	listed map[[2]uint64]struct{}
}

// Check begins to check the lists of a state whose units were numbered up to revision. order is that in which they are published, nil: they are
// as stated.
func (l *Lists) Check(g Reader, order Order, revision uint64, fault func(string)) *Checker {
	l.Follow(order)
	return &Checker{l: l, g: g, order: order, revision: revision, fault: fault, listed: map[[2]uint64]struct{}{}}
}

func (c *Checker) faultf(format string, args ...any) { c.fault(fmt.Sprintf(format, args...)) }

// Artifact checks the lists of a stored artifact.
func (c *Checker) Artifact(node uint64, id string) error {
	b, err := c.g.Lists(node)
	if err != nil {
		c.faultf("artifact %q: its lists can't be read: %v", id, err)
		return nil
	}
	if b == nil {
		c.faultf("artifact %q: no lists", id)
		return nil
	}
	var row Row
	if err := row.Unmarshal(b); err != nil {
		c.faultf("artifact %q: %v", id, err)
		return nil
	}
	if row.Revision > c.revision || c.l.isTold(&row, &row) == c.l.unpublished.Has(node) {
		c.faultf("artifact %q: lists of revision %d, the state is at %d", id, row.Revision, c.revision)
	}
	c.pending(node, id, &row)
	c.history(id, &row)
	if err := c.ordered(id, &row); err != nil {
		return err
	}
	for _, list := range row.Lists {
		if err := c.list(node, id, list, row.most(list.Name)); err != nil {
			return err
		}
	}
	row.Lists.Members(func(member string) { c.listed[[2]uint64{c.g.NodeOf(member), node}] = struct{}{} })
	return nil
}

// pending checks what a row says of a change that waits to be published. The lists published before may name who is gone.
func (c *Checker) pending(node uint64, id string, row *Row) {
	if waits := row.Pending != nil && c.l.isPublished(row); waits != c.l.lingering.Has(node) {
		c.faultf("artifact %q: its row says of a change that it waits to be published: %v; the queue of those that wait: %v", id, waits, !waits)
	}
	if row.Pending == nil {
		return
	}
	if row.Revision == 0 {
		c.faultf("artifact %q: a change waits to be published of lists that were never published", id)
	}
	if !row.Again && !rerank.Material(row.Pending.Before, row.Lists, 0) {
		c.faultf("artifact %q: a change waits to be published, and there is none", id)
	}
	for _, cause := range row.Pending.Causes {
		if cause.ID == id {
			c.faultf("artifact %q: the change that waits to be published is by its own record, which does not wait", id)
		}
	}
	if n := len(row.Pending.Causes); n > rerank.MostCauses {
		c.faultf("artifact %q: %d causes of a change that waits to be published, at most %d are kept", id, n, rerank.MostCauses)
	}
}

// history checks that what a row says of its past can be read beside the lists published last, and is of lists that were published.
func (c *Checker) history(id string, row *Row) {
	if (row.Revision > 0) != (len(row.History) > 0) {
		c.faultf("artifact %q: a history of %d bytes of lists that were published with revision %d", id, len(row.History), row.Revision)
		return
	}
	if row.Revision == 0 {
		return
	}
	if _, err := row.Past(id); err != nil {
		c.faultf("artifact %q: %v", id, err)
	}
}

// ordered checks what a row says of how it was published in a learned order: by its length, by its members, and, where nothing has changed since and the
// Order is that of now, by ordering the list again.
func (c *Checker) ordered(id string, row *Row) error {
	if row.Again && (row.Ordered == nil || row.Pending == nil) {
		c.faultf("artifact %q: its list waits to be ordered again, and no change of it waits to be published", id)
	}
	if row.Ordered == nil {
		return nil
	}
	stated := row.Lists
	if row.Pending != nil {
		stated = row.Pending.Before
	}
	total := stated.Get(rerank.ListTotal)
	if have := len(row.Ordered.Entries); row.Pending == nil && have != min(len(total), int(row.Size)) {
		c.faultf("artifact %q: %d entries are published in the order of ranker %016x, of lists of %d that have %d", id, have, row.Ordered.Ranker, row.Size, len(total))
	}
	for _, e := range row.Ordered.Entries {
		if !slices.ContainsFunc(total, func(of rerank.Entry) bool { return of.ID == e.ID }) {
			c.faultf("artifact %q: %q is published in the order of ranker %016x, and is not among those that it ordered", id, e.ID, row.Ordered.Ranker)
		}
	}
	if c.order == nil || row.Pending != nil || row.Again || row.Ordered.Ranker != c.order.Ranker() {
		return nil
	}
	entries, err := c.order.Rank(id, total, int(row.Size))
	if err != nil {
		return err
	}
	if row.Ordered.Material(&rerank.Ordered{Ranker: row.Ordered.Ranker, Entries: entries}, c.l.cfg.Tolerance) {
		c.faultf("artifact %q: its list is not published in the order of ranker %016x, which the row names", id, row.Ordered.Ranker)
	}
	return nil
}

// list checks one list of a row whose lists could have up to most entries when they were computed.
func (c *Checker) list(node uint64, id string, list rerank.List, most int) error {
	if have := len(list.Entries); have > most {
		c.faultf("artifact %q: %s list of %d entries, at most %d are allowed", id, list.Name, have, most)
	}
	for i := range list.Entries {
		entry := &list.Entries[i]
		member := c.g.NodeOf(entry.ID)
		a, ok, err := c.g.Artifact(member)
		if err != nil {
			return err
		}
		switch {
		case !ok || a.ID != entry.ID:
			c.faultf("artifact %q: %s list names %q, which does not exist", id, list.Name, entry.ID)
		case member == node:
			c.faultf("artifact %q: %s list names the artifact itself", id, list.Name)
		}
		if i > 0 && !rerank.Before(&list.Entries[i-1], entry) {
			c.faultf("artifact %q: %s list is out of order at place %d", id, list.Name, i+1)
		}
	}
	return nil
}

// Done checks, after all artifacts, who is noted to be listed by whom.
func (c *Checker) Done() {
	for node, all := range c.l.holders.of {
		for _, by := range all {
			pair := [2]uint64{node, by}
			if _, ok := c.listed[pair]; !ok {
				c.faultf("node %d is noted as a holder of %d and has it in no list", by, node)
			}
			delete(c.listed, pair)
		}
	}
	missing := slices.SortedFunc(maps.Keys(c.listed), func(a, b [2]uint64) int { return slices.Compare(a[:], b[:]) })
	for _, pair := range missing {
		c.faultf("node %d has %d in a list and is not noted as its holder", pair[1], pair[0])
	}
}
