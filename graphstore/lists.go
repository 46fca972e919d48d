package graphstore

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// Lists returns what PutLists stored, nil if there is nothing.
func (r *Reader) Lists(id NodeID) ([]byte, error) {
	return r.blob(idKey(keyLists, id), "lists")
}

// PutLists stores an artifact's lists.
func (t *Tx) PutLists(id NodeID, lists []byte) error {
	if t.broken != nil {
		return t.broken
	}
	if err := t.s.checkSize(fmt.Sprintf("the lists of %016x", uint64(id)), len(lists)); err != nil {
		return err
	}
	delete(t.ov.deleted, id)
	t.ov.rows[string(idKey(keyLists, id))] = encodeBlob(lists)
	return nil
}

// DeleteLists removes an artifact's lists, if it has any.
func (t *Tx) DeleteLists(id NodeID) error {
	if t.broken != nil {
		return t.broken
	}
	delete(t.ov.deleted, id)
	t.ov.rows[string(idKey(keyLists, id))] = nil
	return nil
}

// SetListedBy notes, or forgets, that by has an artifact in one of its lists.
func (t *Tx) SetListedBy(id, by NodeID, listed bool) error {
	if t.broken != nil {
		return t.broken
	}
	m := t.ov.listedBy[id]
	if m == nil {
		m = map[NodeID]bool{}
		t.ov.listedBy[id] = m
	}
	m[by] = listed
	return nil
}

// ListedBy calls fn for each that SetListedBy noted to have an artifact in a list, in
// ascending order, until fn returns false.
func (r *Reader) ListedBy(id NodeID, fn func(by NodeID) bool) error {
	return r.scanListedBy(idKey(keyListedBy, id), r.ov.listedByOf(id), func(_, by NodeID) bool { return fn(by) })
}

// EachListedBy calls fn for each pair that SetListedBy noted, in ascending order,
// until it returns false.
func (r *Reader) EachListedBy(fn func(id, by NodeID) bool) error {
	var own []listedPair
	if r.ov != nil {
		for id := range r.ov.listedBy {
			own = append(own, r.ov.listedByOf(id)...)
		}
		slices.SortFunc(own, listedPair.compare)
	}
	return r.scanListedBy([]byte{keyListedBy}, own, fn)
}

// listedPair says that by has id in a list; with own set, that the Tx has said whether.
type listedPair struct {
	id, by NodeID
	own    bool
}

func (a listedPair) compare(b listedPair) int {
	return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.by, b.by))
}

// listedByOf are the pairs of one artifact that the Tx has said something of, in order.
func (ov *overlay) listedByOf(id NodeID) []listedPair {
	if ov == nil {
		return nil
	}
	var own []listedPair
	for by := range ov.listedBy[id] {
		own = append(own, listedPair{id, by, true})
	}
	slices.SortFunc(own, listedPair.compare)
	return own
}

// scanListedBy shows the pairs of a prefix; own must be all pairs of that prefix which the Tx has said something of.
func (r *Reader) scanListedBy(prefix []byte, own []listedPair, fn func(id, by NodeID) bool) error {
	if r.broken != nil {
		return r.broken
	}
	err := merge(own, listedPair.compare, func(emit func(listedPair) error) error {
		it := r.snap.txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			id, by, err := parseListedByKey(it.Item().Key())
			if err == nil {
				err = emit(listedPair{id: id, by: by})
			}
			if err != nil {
				return err
			}
		}
		return nil
	}, func(p listedPair) error {
		if p.own && !r.ov.listedBy[p.id][p.by] {
			return nil
		}
		if !fn(p.id, p.by) {
			return errStop
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("graphstore: scan listed-by rows: %w", err)
	}
	return nil
}
