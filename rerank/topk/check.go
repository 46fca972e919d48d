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
	revision uint64
	fault    func(string)
	// listed is (member, by) for each artifact in a list.
	listed map[[2]uint64]struct{}
}

// Check begins to check the lists of a state whose units were numbered up to revision.
func (l *Lists) Check(g Reader, revision uint64, fault func(string)) *Checker {
	return &Checker{l: l, g: g, revision: revision, fault: fault, listed: map[[2]uint64]struct{}{}}
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
	if row.Revision > c.revision || c.l.isPublished(&row) == c.l.unpublished.Has(node) {
		c.faultf("artifact %q: lists of revision %d, the state is at %d", id, row.Revision, c.revision)
	}
	for _, list := range row.Lists {
		if err := c.list(node, id, list, int(row.Size)); err != nil {
			return err
		}
	}
	row.Lists.Members(func(member string) { c.listed[[2]uint64{c.g.NodeOf(member), node}] = struct{}{} })
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

// Done checks, after all artifacts, who is noted to be listed by whom: each calls its function for every pair.
func (c *Checker) Done(each func(fn func(node, by uint64) bool) error) error {
	err := each(func(node, by uint64) bool {
		pair := [2]uint64{node, by}
		if _, ok := c.listed[pair]; !ok {
			c.faultf("node %d is noted as a holder of %d and has it in no list", by, node)
		}
		delete(c.listed, pair)
		return true
	})
	missing := slices.SortedFunc(maps.Keys(c.listed), func(a, b [2]uint64) int { return slices.Compare(a[:], b[:]) })
	for _, pair := range missing {
		c.faultf("node %d has %d in a list and is not noted as its holder", pair[1], pair[0])
	}
	return err
}
