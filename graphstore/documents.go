package graphstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Artifact returns an artifact's content, nil if it is not there. If its rows are not as they were written, the error is
// an ErrDamaged: all else can be read, and the next PutArtifact of it writes them anew.
func (r *Reader) Artifact(id string) (*Doc, error) {
	node := ID(Artifact, id)
	doc, err := r.doc(id, node)
	if err != nil || doc == nil || doc.ID != id {
		return nil, err
	}
	row, err := r.row(idKey(keyRaw, node))
	if err == nil && row == nil {
		err = errNoContent
	}
	if err == nil {
		doc.Raw, err = decodeBlob(row)
	}
	if err != nil {
		return nil, r.s.damaged(id, node, err)
	}
	return doc, nil
}

// Head returns an artifact without its content; nil if it is not there. The error may be an ErrDamaged, as with Artifact.
func (r *Reader) Head(id string) (*Doc, error) {
	doc, err := r.doc(id, ID(Artifact, id))
	if err != nil || doc == nil || doc.ID != id {
		return nil, err
	}
	return doc, nil
}

// Evidence returns an artifact's evidence without reading its content; nil if
// the artifact is not there or has none. The error may be an ErrDamaged, as with Artifact.
func (r *Reader) Evidence(id NodeID) ([]byte, error) {
	doc, err := r.doc("", id)
	if err != nil || doc == nil {
		return nil, err
	}
	return doc.Evidence, nil
}

// doc reads an artifact without its content. An empty id is one that the caller does not know.
func (r *Reader) doc(id string, node NodeID) (*Doc, error) {
	row, err := r.row(idKey(keyDoc, node))
	if err == nil && row == nil {
		return nil, nil
	}
	var doc *Doc
	if err == nil {
		doc, err = decodeDoc(row)
	}
	if err != nil {
		return nil, r.s.damaged(id, node, err)
	}
	return doc, nil
}

// ArtifactsAfter returns the ids of artifacts whose nodes are greater than after, by ascending node, at most limit of them.
// It reads neither nodes nor contents.
func (r *Reader) ArtifactsAfter(after NodeID, limit int) ([]string, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	if r.ov != nil {
		return nil, errors.New("graphstore: list artifacts: want a committed state")
	}
	if after == math.MaxUint64 {
		return nil, nil
	}
	var ids []string
	err := scanFrom(r.snap.txn, []byte{keyDoc}, idKey(keyDoc, after+1), func(k, v []byte) error {
		if len(ids) >= limit {
			return errStop
		}
		doc, err := decodeDoc(v)
		if err != nil {
			return fmt.Errorf("key %x: %w", k, err)
		}
		ids = append(ids, doc.ID)
		return nil
	})
	if err != nil && !errors.Is(err, errStop) {
		return nil, fmt.Errorf("graphstore: list artifacts: %w", err)
	}
	return ids, nil
}

// encodeDoc leaves out Raw, which has a row of its own: it may be large, and
// evidence is read far more often.
func encodeDoc(doc *Doc) []byte {
	b := newRow(40 + len(doc.ID) + len(doc.Evidence) + len(doc.Topic))
	b = appendBytes(b, doc.ID)
	b = appendTime(b, doc.Timestamp)
	b = appendBytes(b, doc.Evidence)
	b = appendBytes(b, doc.Topic)
	return binary.AppendUvarint(b, uint64(doc.Partition))
}

func decodeDoc(row []byte) (*Doc, error) {
	d := decodeRow(row)
	doc := &Doc{ID: d.string(), Timestamp: d.time(), Evidence: d.bytes(), Topic: d.string(), Partition: int(d.uint32())}
	return doc, d.end()
}
