package topk

import (
	"errors"
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
	listedBy, err := r.p.listedBy(f.Node)
	if err != nil {
		return err
	}
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
		entry := c.entry
		entry.ID = f.prepared.ID()
		if !lists && r.p.outOfReach(c.node, entry, c.cosine) {
			continue
		}
		if err := r.offer(c.node, entry, c.cosine); err != nil {
			return err
		}
	}
	buf := make([]float32, len(f.Vector))
	for _, node := range listedBy {
		_, isLeft := left[node]
		_, isRanked := r.ranked[node]
		if !isLeft || isRanked || !r.p.l.index.Vector(node, buf) {
			continue
		}
		other, err := r.p.prepare(node, r.now)
		if errors.Is(err, ErrLost) {
			continue
		}
		if err != nil {
			return err
		}
		cosine := annindex.Dot(f.Vector, buf)
		if err := r.offer(node, r.p.l.entry(other, f.prepared, cosine), cosine); err != nil {
			return err
		}
	}
	return nil
}

// outOfReach tells, at little cost, that what would be offered to an artifact does not come into its lists, since it scores
// lower than their last entries; most candidates are such.
func (p *Pass) outOfReach(node uint64, entry rerank.Entry, cosine float32) bool {
	if p.lists[node] != nil {
		return false // the pass has changed its lists
	}
	row, ok := p.l.rows.get(node)
	if !ok {
		return false
	}
	now := p.l.current(row)
	for _, name := range p.l.names {
		list := now.Lists.Get(name)
		if now.appends(list) || len(list) > 0 && list[len(list)-1].Score <= score(name, entry, cosine).Score {
			return false
		}
	}
	return true
}

func (p *Pass) listedBy(node uint64) ([]uint64, error) {
	var out []uint64
	err := p.g.ListedBy(node, func(by uint64) bool {
		out = append(out, by)
		return true
	})
	return out, err
}

// offer puts an entry where it belongs in the lists of an artifact, if it does.
func (r *reverse) offer(to uint64, entry rerank.Entry, cosine float32) error {
	l, err := r.p.listing(to)
	if err != nil {
		return err
	}
	lists, changed := make(rerank.Lists, 0, len(r.p.l.names)), false
	for _, name := range r.p.l.names {
		entries, was := place(l.new.Lists.Get(name), score(name, entry, cosine), &l.new)
		lists = append(lists, rerank.List{Name: name, Entries: entries})
		changed = changed || was != untouched
		if was == demoted {
			r.demoted[to] = struct{}{}
		}
	}
	if changed {
		l.new.Lists, l.touched = lists, true
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

// place returns one of the row's lists with the entry in its place; list is not modified.
func place(list []rerank.Entry, entry rerank.Entry, row *Row) ([]rerank.Entry, placement) {
	size := int(row.Size)
	at := slices.IndexFunc(list, func(e rerank.Entry) bool { return e.ID == entry.ID })
	if at < 0 {
		if !row.appends(list) && (len(list) == 0 || !rerank.Before(&entry, &list[len(list)-1])) {
			return list, untouched
		}
		return rerank.TopK(append(slices.Clone(list), entry), size), placed
	}
	was := list[at]
	if was == entry {
		return list, untouched
	}
	out := slices.Clone(list)
	out[at] = entry
	out = rerank.TopK(out, size)
	if entry.Score < was.Score && !row.appends(out) && out[len(out)-1].ID == entry.ID {
		return out, demoted
	}
	return out, placed
}

// removeFromLists takes a departed artifact out of every list at once.
func (r *reverse) removeFromLists(node uint64, id string) error {
	listedBy, err := r.p.listedBy(node)
	if err != nil {
		return err
	}
	for _, by := range listedBy {
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
		l.new.Lists, l.touched = lists, true
		r.demoted[by] = struct{}{}
	}
	return nil
}
