package graphstore

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// RowKind is what the rows of one kind take: their keys and values, without what badger adds to each.
type RowKind struct {
	Name        string
	Rows, Bytes int64
}

// kindNames are those of all kinds of rows, by the prefixes of keys.go.
var kindNames = map[byte]string{
	keyEdge: "edges", keyNode: "nodes", keyDoc: "evidence", keyRaw: "documents", keyLists: "lists", keyThemeLists: "lists of themes", keyThemePast: "histories of lists of themes", keyCell: "cells of maps", keyStanding: "standing queries", keyPush: "pushes on their way",
	keyOffset: "offsets", keyOutbox: "outbox", keyPosition: "positions in topics", keyTerms: "document frequencies", keyDim: "encoders",
	keyMeta: "meta", keyMedia: "media", keyUse: "contents in use", keyVector: "vectors of media", keyState: "counters", keyHead: "head", keyWriter: "writer",
	keyLabel: "further labels", keyMarker: "redo marker", keyFlush: "flush",
}

// kindOf names the kind of a row by its key.
func kindOf(key []byte) string {
	if key[0] == keyNode && len(key) == len(idKey(keyNode, 0))+1 {
		switch key[len(key)-1] {
		case keyEmbedding:
			return "embeddings"
		case keyNodeVectors:
			return "further vectors of nodes"
		case keyNodeThird:
			return "third layer of nodes"
		}
	}
	if name := kindNames[key[0]]; name != "" {
		return name
	}
	return fmt.Sprintf("unknown (%q)", key[0])
}

// RowKinds tells what the rows take, the largest kind first.
func (r *Reader) RowKinds() ([]RowKind, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	by := map[string]*RowKind{}
	it := r.snap.txn.NewIterator(badger.IteratorOptions{})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		name := kindOf(it.Item().Key())
		k := by[name]
		if k == nil {
			k = &RowKind{Name: name}
			by[name] = k
		}
		k.Rows++
		k.Bytes += it.Item().KeySize() + it.Item().ValueSize()
	}
	out := make([]RowKind, 0, len(by))
	for _, k := range by {
		out = append(out, *k)
	}
	slices.SortFunc(out, func(a, b RowKind) int { return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Name, b.Name)) })
	return out, nil
}
