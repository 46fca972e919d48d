package pipeline

import (
	"slices"
	"strings"

	"kilim/annindex"
	"kilim/graphstore"
	"kilim/rerank"
)

// carry takes an artifact that arrived or moved to the lists of others: to its
// candidates, since the score is symmetric and who is near to it is who it may
// be near to, and to those that had it in a list.
func (u *unit) carry(r *ranking, fresh, again map[graphstore.NodeID]struct{}) error {
	holders, err := u.holders(r.id)
	if err != nil {
		return err
	}
	holding := make(map[graphstore.NodeID]struct{}, len(holders))
	for _, id := range holders {
		holding[id] = struct{}{}
	}
	self := u.e.prepared.get(r.id)
	for i := range r.candidates {
		c := &r.candidates[i]
		_, holds := holding[c.id]
		delete(holding, c.id)
		if _, ok := fresh[c.id]; ok {
			continue // its lists were computed with all that is there
		}
		if !holds && u.outOfReach(c) {
			continue
		}
		entry := c.entry
		entry.ID = self.ID()
		if err := u.offer(c.id, entry, c.cosine, again); err != nil {
			return err
		}
	}
	buf := make([]float32, len(r.vector))
	for _, id := range holders {
		_, left := holding[id]
		_, isFresh := fresh[id]
		if !left || isFresh || !u.e.index.Vector(uint64(id), buf) {
			continue
		}
		if err := u.prepareEvidence(id); err != nil {
			return err
		}
		cosine := annindex.Dot(r.vector, buf)
		if err := u.offer(id, u.e.entry(u.e.prepared.get(id), self, cosine), cosine, again); err != nil {
			return err
		}
	}
	return nil
}

// outOfReach tells, at little cost, that a candidate has full lists whose last entries
// score higher than what would be offered to it; most candidates are such.
func (u *unit) outOfReach(c *candidate) bool {
	if u.lists[c.id] != nil {
		return false // the unit has changed its lists
	}
	row, ok := u.e.rows.Get(c.id)
	return ok && above(row.lists.Get(rerank.ListTotal), c.entry.Score, u.e.cfg.ListSize) && above(row.lists.Get(rerank.ListGeneral), c.cosine, u.e.cfg.ListSize)
}

// above is true when a list is full and all its entries score higher than score.
func above(list []rerank.Entry, score float32, size int) bool {
	return len(list) >= size && list[len(list)-1].Score > score
}

func (u *unit) holders(id graphstore.NodeID) ([]graphstore.NodeID, error) {
	var out []graphstore.NodeID
	err := u.tx.ListedBy(id, func(by graphstore.NodeID) bool {
		out = append(out, by)
		return true
	})
	return out, err
}

// offer puts an entry where it belongs in both lists of an artifact, if it does.
func (u *unit) offer(to graphstore.NodeID, entry rerank.Entry, cosine float32, again map[graphstore.NodeID]struct{}) error {
	l, err := u.listing(to)
	if err != nil {
		return err
	}
	general := entry
	general.Score = cosine
	total, t := place(l.new.lists.Get(rerank.ListTotal), entry, u.e.cfg.ListSize)
	near, g := place(l.new.lists.Get(rerank.ListGeneral), general, u.e.cfg.ListSize)
	if t == untouched && g == untouched {
		return nil
	}
	l.new.lists = rerank.Lists{{Name: rerank.ListTotal, Entries: total}, {Name: rerank.ListGeneral, Entries: near}}
	l.touched = true
	if t == sank || g == sank {
		again[to] = struct{}{}
	}
	return nil
}

type placement int

const (
	untouched placement = iota
	placed
	// sank: the entry is the last of a full list and scores lower than before,
	// so that one which is in no list may be better.
	sank
)

// place returns the list with the entry in its place; list is not modified.
func place(list []rerank.Entry, entry rerank.Entry, size int) ([]rerank.Entry, placement) {
	at := slices.IndexFunc(list, func(e rerank.Entry) bool { return e.ID == entry.ID })
	if at < 0 {
		if len(list) >= size && !before(entry, list[len(list)-1]) {
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
	if entry.Score < was.Score && len(out) == size && out[len(out)-1].ID == entry.ID {
		return out, sank
	}
	return out, placed
}

// before is the order of lists: by score, then by id.
func before(a, b rerank.Entry) bool {
	if a.Score != b.Score {
		return a.Score > b.Score
	}
	return strings.Compare(a.ID, b.ID) < 0
}

// withdraw takes a departed artifact out of every list at once.
func (u *unit) withdraw(id graphstore.NodeID, name string, fresh, again map[graphstore.NodeID]struct{}) error {
	holders, err := u.holders(id)
	if err != nil {
		return err
	}
	is := func(e rerank.Entry) bool { return e.ID == name }
	for _, h := range holders {
		if _, ok := fresh[h]; ok {
			continue
		}
		if _, ok := u.departed[h]; ok {
			continue
		}
		l, err := u.listing(h)
		if err != nil {
			return err
		}
		lists := slices.Clone(l.new.lists)
		for i := range lists {
			lists[i].Entries = slices.DeleteFunc(slices.Clone(lists[i].Entries), is)
		}
		l.new.lists = lists
		l.touched = true
		again[h] = struct{}{}
	}
	return nil
}
