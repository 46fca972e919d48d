package topk

import (
	"errors"
	"math"
	"slices"

	"kilim/annindex"
	"kilim/rerank"
)

// reverse does for the lists of others what follows of a pass's arrivals, moves and departures.
type reverse struct {
	p   *Pass
	now Time
	// ranked are the artifacts whose lists were computed with all that is there.
	ranked map[uint64]struct{}
	// demoted are those whose lists may lack one that is in none of them, and must be computed in full.
	demoted map[uint64]struct{}
}

// update offers an artifact that arrived or moved to the lists of others: to those of its
// candidates, since the score is symmetric and who is near to it is who it may
// be near to, and to those that have it in a list.
func (r *reverse) update(f *found) error {
	listedBy := r.p.l.holders.of[f.Node]
	left := make(map[uint64]struct{}, len(listedBy))
	for _, node := range listedBy {
		left[node] = struct{}{}
	}
	for i := range f.candidates {
		c := &f.candidates[i]
		_, lists := left[c.node]
		delete(left, c.node)
		if _, ok := r.ranked[c.node]; ok {
			continue
		}
		if !lists && r.p.outOfReach(c) {
			continue
		}
		if err := r.offer(f, c); err != nil {
			return err
		}
	}
	if _, arrived := r.p.arrived[f.Node]; arrived {
		if err := r.p.orderAgain(listedBy, r.ranked); err != nil {
			return err
		}
	}
	for _, node := range listedBy {
		if _, isLeft := left[node]; !isLeft {
			continue
		}
		if _, isRanked := r.ranked[node]; isRanked {
			continue
		}
		if err := r.remind(f, node); err != nil {
			return err
		}
	}
	return nil
}

// remind offers an artifact to one that has it in a list and is none of its candidates.
func (r *reverse) remind(f *found, node uint64) error {
	vector := make([]float32, len(f.Vector))
	if !r.p.l.index.Vector(node, vector) {
		return nil
	}
	r.p.l.cache.bound()
	other, err := r.p.weighed(node, nil, r.now)
	if errors.Is(err, ErrLost) {
		return nil
	}
	if err != nil {
		return err
	}
	one := found{Query: f.Query, candidates: []candidate{{node: node, kept: other, cosine: annindex.Dot(f.Vector, vector)}}}
	if one.kept, err = r.p.weighed(f.Node, f.Evidence, r.now); err != nil {
		return err
	}
	r.p.l.score(&one, 0)
	return r.offer(f, &one.candidates[0])
}

// least is, for each of an artifact's lists, the score below which an artifact that is not in it does not get in by an offer.
type least [listCount]float32

// anybody is what it takes to get into lists that append, and what is assumed of lists that were not looked at.
func anybody() (out least) {
	for i := range out {
		out[i] = float32(math.Inf(-1))
	}
	return out
}

// leastOf is what it takes to get into the lists of a row: see place.
func (l *Lists) leastOf(r *Row) least {
	out := anybody()
	now := l.current(r)
	for i, name := range l.names {
		list := now.Lists.Get(name)
		switch {
		case now.appends(name, list):
		case len(list) == 0:
			out[i] = float32(math.Inf(1))
		default:
			out[i] = list[len(list)-1].Score
		}
	}
	return out
}

// outOfReach tells, at little cost, of an artifact that does not have what is offered in a list as stored, that it won't get it into
// one; most candidates are such.
func (p *Pass) outOfReach(c *candidate) bool {
	takes := &c.least
	if l := p.lists[c.node]; l != nil {
		if l.ranked {
			return false // it may have been found by the search for these lists
		}
		takes = &l.least
	}
	for i, name := range p.l.names {
		if !(c.in(name) < takes[i]) {
			return false
		}
	}
	return true
}

// offer puts an artifact where it belongs in the lists of a candidate, if it does.
func (r *reverse) offer(f *found, to *candidate) error {
	l, err := r.p.listing(to.node)
	if err != nil {
		return err
	}
	var lists [listCount]rerank.List
	changed := false
	for i, name := range r.p.l.names {
		entries, was := place(name, to.entry(name, f.Evidence.ID), &l.new)
		lists[i] = rerank.List{Name: name, Entries: entries}
		changed = changed || was != untouched
		if was == demoted {
			r.demoted[to.node] = struct{}{}
		}
	}
	if changed {
		r.p.change(l, slices.Clone(lists[:]))
	}
	return nil
}

type placement int

const (
	untouched placement = iota
	placed
	// demoted: the entry is the last of a list that does not have all there is, and scores lower than before,
	// so that one which is in no list may be better.
	demoted
)

// place returns one of the row's lists with the entry in its place; the row is not modified.
func place(name string, entry rerank.Entry, row *Row) ([]rerank.Entry, placement) {
	list, size := row.Lists.Get(name), row.most(name)
	at := slices.IndexFunc(list, func(e rerank.Entry) bool { return e.ID == entry.ID })
	if at < 0 {
		if !row.appends(name, list) && (len(list) == 0 || !rerank.Before(&entry, &list[len(list)-1])) {
			return list, untouched
		}
		return rerank.Insert(append(make([]rerank.Entry, 0, len(list)+1), list...), entry, size), placed
	}
	was := list[at]
	if was == entry {
		return list, untouched
	}
	out := slices.Clone(list)
	out[at] = entry
	out = rerank.TopK(out, size)
	if entry.Score < was.Score && !row.appends(name, out) && out[len(out)-1].ID == entry.ID {
		return out, demoted
	}
	return out, placed
}

// removeFromLists takes a departed artifact out of every list at once.
func (r *reverse) removeFromLists(node uint64, id string) error {
	for _, by := range r.p.l.holders.of[node] {
		if _, ok := r.ranked[by]; ok {
			continue
		}
		if _, ok := r.p.departed[by]; ok {
			continue
		}
		l, err := r.p.listing(by)
		if err != nil {
			return err
		}
		lists := slices.Clone(l.new.Lists)
		for i := range lists {
			lists[i].Entries = slices.DeleteFunc(slices.Clone(lists[i].Entries), func(e rerank.Entry) bool { return e.ID == id })
		}
		r.p.change(l, lists)
		r.demoted[by] = struct{}{}
	}
	return nil
}
