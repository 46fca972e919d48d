package topk

import (
	"fmt"
	"sync/atomic"

	"kilim/rerank"
)

// Order puts the best of an artifact's list total by the stated score into an order that was learned. While a pass has one, lists total are kept as
// long as it wants, and the first of them in its order are published.
//
// The stated score goes on deciding who is among them: it is the same both ways, so that a newcomer's one search tells whose lists it enters,
// while a learned score is the query's own. A list is ordered when it is published and not when it changes: under load most changes are
// followed by others before anybody is told.
type Order interface {
	// Ranker names the Order. Two of one name order alike. It is never 0.
	Ranker() uint64
	// Best is how many of a list are ordered.
	Best() int
	// Changed says that the unit's records changed or removed an artifact.
	Changed(id string)
	// Rank returns the first size of an artifact's list total in the learned order, with their parts.
	Rank(id string, stated []rerank.Entry, size int) ([]rerank.OrderedEntry, error)
}

const (
	// mostTaken bounds the lists that a pass takes to publish in an Order: to order one takes some 100 us.
	mostTaken = 64
	// mostOrderings bounds those that a pass orders for other lists than the newcomers': what is more lingers, for as short as the background takes.
	mostOrderings = 256
)

// following is the Order that lists are published in, as far as they have come. What rows are published in is known beside, so that another
// Order finds those that are to be published anew without reading all.
//
// The obvious design, to count an Order among the settings that lists are made by, would search for all lists anew at each other one.
type following struct {
	ranker uint64 // 0: lists are published as they are stated
	known  bool   // whether anybody has said so yet
	// best is read beside the unit at work.
	best atomic.Int64
	// rows are those that have more entries than are published, or were published in an Order.
	rows map[uint64]ordering
}

// ordering is what following knows of a row: the Order of what was published, in which revision, and how many entries the list total may have.
type ordering struct {
	ranker, revision uint64
	most             int
}

// Follow has lists published in another Order from now on, nil: as they are stated. Those that were published in another one count as not published, and
// those that are not as long as it wants are due. A pass calls it at its beginning; who calls it before has that counted at once.
func (l *Lists) Follow(order Order) {
	f := &l.following
	ranker, best := uint64(0), 0
	if order != nil {
		ranker, best = order.Ranker(), order.Best()
	}
	if f.known && ranker == f.ranker {
		return
	}
	before := f.ranker
	f.ranker, f.known = ranker, true
	f.best.Store(int64(best))
	if ranker == 0 && before == 0 && len(f.rows) == 0 {
		return
	}
	for _, node := range l.ranked.IDs() {
		is, ok := f.rows[node]
		if !ok {
			is = ordering{most: l.cfg.Size, revision: l.lost}
		}
		switch {
		case is.most < best:
			l.ranked.Hurry(node)
		case is.ranker != ranker:
			l.unpublished.Add(node)
		case is.revision > l.lost:
			l.unpublished.Remove(node)
		}
	}
}

// note keeps what Follow must know of a stored row.
func (f *following) note(node uint64, r *Row) {
	if r.Depth == 0 && r.Ordered == nil {
		delete(f.rows, node)
		return
	}
	f.rows[node] = ordering{r.ranker(), r.Revision, r.most(rerank.ListTotal)}
}

// isShallow tells whether a row's list total may have fewer entries than the Order wants. It is published as it is stated until it is computed in full.
func (l *Lists) isShallow(r *Row) bool {
	return int64(r.most(rerank.ListTotal)) < l.following.best.Load()
}

// isTold tells whether what was published of a row was in the Order in which the lists of now are to be.
func (l *Lists) isTold(r, now *Row) bool {
	return l.isPublished(r) && (l.isShallow(now) || r.ranker() == l.following.ranker)
}

// most is the most entries that a list which is made now may have.
func (l *Lists) most(name string) int {
	if name == rerank.ListTotal {
		return max(l.cfg.Size, int(l.following.best.Load()))
	}
	return l.cfg.Size
}

// orderAgain has the lists of those that list an artifact ordered again, for its record may have changed what the Order reads and nothing of the stated scores.
func (p *Pass) orderAgain(listedBy []uint64, ranked map[uint64]struct{}) error {
	if p.l.following.ranker == 0 {
		return nil
	}
	for _, node := range listedBy {
		if _, ok := ranked[node]; ok {
			continue
		}
		if _, gone := p.departed[node]; gone {
			continue
		}
		l, err := p.listing(node)
		if err != nil {
			return err
		}
		l.again, l.touched = true, true
	}
	return nil
}

// ordered is the list total in the Order in which it is to be published, nil where it is published as it is stated.
func (p *Pass) ordered(l *listing) (*rerank.Ordered, error) {
	if p.l.following.ranker == 0 || p.l.isShallow(&l.new) {
		return nil, nil
	}
	p.orderings++
	entries, err := p.unit.Order.Rank(l.id, l.new.Lists.Get(rerank.ListTotal), int(l.new.Size))
	if err != nil {
		return nil, fmt.Errorf("topk: order the list of %q: %w", l.id, err)
	}
	return &rerank.Ordered{Ranker: p.l.following.ranker, Entries: entries}, nil
}
