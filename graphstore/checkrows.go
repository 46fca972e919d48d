package graphstore

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// others verifies the rows that are neither graph nor outbox nor terms.
func (c *checker) others() error {
	number := func(_, v []byte) error {
		_, err := decodeNumber(v)
		return err
	}
	partition := func(k, v []byte) error {
		if _, _, err := parsePartitionKey(k); err != nil {
			return err
		}
		return number(k, v)
	}
	for _, rows := range []struct {
		prefix byte
		what   string
		fn     func(k, v []byte) error
	}{
		{keyOffset, "offset", func(k, v []byte) error {
			if _, _, err := parsePartitionKey(k); err != nil {
				return err
			}
			_, err := decodeOffset(v)
			return err
		}},
		{keyPosition, "position", partition},
		{keyDim, "encoder", number},
		{keyMeta, "meta row", func(_, v []byte) error { return decodeRow(v).err }},
		{keyWriter, "writer", func(_, v []byte) error { return decodeRow(v).err }},
		{keyPush, "push", func(k, v []byte) error {
			id, err := parseIDKey(k)
			if err == nil && c.nodes[id] == nil {
				err = errors.New("of a node that does not exist")
			}
			if err == nil {
				_, err = decodePush(id, v)
			}
			return err
		}},
		{keyMarker, "redo marker", func(_, _ []byte) error { return errors.New("left behind") }},
	} {
		if err := c.each([]byte{rows.prefix}, rows.what, rows.fn); err != nil {
			return err
		}
	}
	return c.unknownRows()
}

// unknownRows finds the rows whose keys are of no kind that kindNames has.
func (c *checker) unknownRows() error {
	it := c.r.snap.txn.NewIterator(badger.IteratorOptions{})
	defer it.Close()
	for it.Rewind(); it.Valid(); {
		k := it.Item().Key()
		if kindNames[k[0]] == "" {
			c.problem("a row with the key %x, which is not one of this program's", k)
			it.Next()
			continue
		}
		it.Seek([]byte{k[0] + 1}) // over the rest of a known prefix
	}
	return nil
}

func (c *checker) outbox() error {
	next := c.r.snap.state.nextSeq
	last := uint64(0)
	if err := c.each([]byte{keyOutbox}, "outbox message", func(k, v []byte) error {
		if len(k) != 9 {
			return fmt.Errorf("key of %d bytes, want 9", len(k))
		}
		seq := binary.BigEndian.Uint64(k[1:])
		if last > 0 && seq != last+1 {
			c.problem("outbox: message %d follows message %d", seq, last)
		}
		last = seq
		_, err := decodeMessage(seq, v)
		return err
	}); err != nil {
		return err
	}
	if last > 0 && last != next-1 {
		c.problem("outbox: the last message is %d and the next will be %d", last, next)
	}
	return nil
}

func (c *checker) terms() error {
	var terms []termCount
	var deltas uint64
	if err := c.each([]byte{keyTerms}, "term row", func(k, v []byte) error {
		before := len(terms)
		var err error
		if terms, err = decodeTerms(terms, v); err != nil {
			return err
		}
		switch {
		case len(k) == 10 && k[1] == keyTermDelta:
			deltas += uint64(len(terms) - before)
		case len(k) == 6 && k[1] == keyTermPage:
			page := binary.BigEndian.Uint32(k[2:])
			for _, t := range terms[before:] {
				if t.bucket()>>termPageBits != page {
					return fmt.Errorf("term %d is not of page %d", t.bucket(), page)
				}
			}
		default:
			return errors.New("neither a page nor a row of changes")
		}
		return nil
	}); err != nil {
		return err
	}
	if have := c.r.snap.state.deltaTerms; have != deltas {
		c.problem("counters: %d changes of terms stored, %d counted", have, deltas)
	}
	for _, t := range sumTerms(terms) {
		if t.count() < 0 {
			c.problem("term %d: document frequency %d", t.bucket(), t.count())
		}
	}
	return nil
}
