package graphstore

import (
	"bytes"
	"errors"
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// getRow returns a copy of a row, nil if there is none.
func getRow(txn *badger.Txn, key []byte) ([]byte, error) {
	row, err := readRow(txn, key)
	if errors.Is(err, errDamagedRow) {
		// The collector may have moved the value between Get and ValueCopy.
		// Badger hides that it could not read it; the second try finds it.
		row, err = readRow(txn, key)
	}
	return row, err
}

func readRow(txn *badger.Txn, key []byte) ([]byte, error) {
	item, err := txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sealed, err := item.ValueCopy(nil)
	if err != nil {
		return nil, err
	}
	return unseal(key, sealed)
}

// scanRows calls fn for the rows with a prefix, in the order of keys; for a damaged row with no value, which is for fn to
// refuse. Key and value are valid during the call only.
func scanRows(txn *badger.Txn, prefix []byte, fn func(k, v []byte) error) error {
	return scanFrom(txn, prefix, prefix, fn)
}

// scanFrom is scanRows from the key start on.
func scanFrom(txn *badger.Txn, prefix, start []byte, fn func(k, v []byte) error) error {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix, PrefetchValues: true, PrefetchSize: 64})
	defer it.Close()
	for it.Seek(start); it.Valid(); it.Next() {
		item := it.Item()
		err := item.Value(func(sealed []byte) error {
			v, err := unseal(item.Key(), sealed)
			if err != nil {
				v, err = getRow(txn, item.KeyCopy(nil)) // see getRow
			}
			if err != nil && !errors.Is(err, errDamagedRow) {
				return err
			}
			return fn(item.Key(), v)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// row reads through the overlay; nil if there is none.
func (r *Reader) row(key []byte) ([]byte, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	if r.ov != nil {
		if row, ok := r.ov.rows[string(key)]; ok {
			return row, nil
		}
	}
	return getRow(r.snap.txn, key)
}

// scannedRow is a row that is in badger or, with own set, the key of one that the Tx has put or removed.
type scannedRow struct {
	key, value []byte
	own        bool
}

func (a scannedRow) compare(b scannedRow) int { return bytes.Compare(a.key, b.key) }

// rows is scanRows through the overlay, with copies of the keys. It sorts all
// pending rows of the prefix: for whole-store scans only.
func (r *Reader) rows(prefix []byte, fn func(k, v []byte) error) error {
	if r.broken != nil {
		return r.broken
	}
	var own []scannedRow
	if r.ov != nil {
		for k := range r.ov.rows {
			if key := []byte(k); bytes.HasPrefix(key, prefix) {
				own = append(own, scannedRow{key: key, own: true})
			}
		}
		slices.SortFunc(own, scannedRow.compare)
	}
	return merge(own, scannedRow.compare, func(emit func(scannedRow) error) error {
		return scanRows(r.snap.txn, prefix, func(k, v []byte) error { return emit(scannedRow{key: k, value: v}) })
	}, func(row scannedRow) error {
		if !row.own {
			return fn(bytes.Clone(row.key), row.value)
		}
		if v := r.ov.rows[string(row.key)]; v != nil {
			return fn(row.key, v)
		}
		return nil
	})
}
