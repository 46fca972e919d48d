package graphstore

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Content names the bytes of a media item: the first half of their SHA-256. The zero value
// stands for bytes that nobody has seen yet.
type Content [16]byte

// ContentOf names bytes.
func ContentOf(data []byte) Content {
	sum := sha256.Sum256(data)
	return Content(sum[:16])
}

// MediaState tells how far a media item has come. Its values are stored: never renumber them.
type MediaState uint8

const (
	// MediaWaiting has to be encoded.
	MediaWaiting MediaState = 1
	// MediaEncoded has a vector.
	MediaEncoded MediaState = 2
	// MediaRefused can't be encoded, for the reason given.
	MediaRefused MediaState = 3
)

func (s MediaState) String() string {
	switch s {
	case MediaWaiting:
		return "waiting"
	case MediaEncoded:
		return "encoded"
	case MediaRefused:
		return "refused"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Media says where the encoding of a media node stands. A media node may be without it. An artifact's own node may have it too, for the encoding of its text.
type Media struct {
	Node  NodeID
	State MediaState
	// Revision is the caller's number of the change that asked for the encoding. An answer to an older
	// question is recognized by it.
	Revision uint64
	// Since is when it began to wait.
	Since time.Time
	// Content is what was encoded, or is to be, when that is known.
	Content Content
	// Encoder is the identity of the encoder whose vector the node's features were made from, or that refused.
	Encoder string
	// Reason and Detail say why it was refused.
	Reason, Detail string
}

func encodeMedia(m *Media) []byte {
	b := append(newRow(64+len(m.Encoder)+len(m.Detail)), byte(m.State))
	b = binary.AppendUvarint(b, m.Revision)
	b = appendTime(b, m.Since)
	b = append(b, m.Content[:]...)
	b = appendBytes(b, m.Encoder)
	b = appendBytes(b, m.Reason)
	return appendBytes(b, m.Detail)
}

func decodeMedia(id NodeID, row []byte) (*Media, error) {
	d := decodeRow(row)
	m := &Media{Node: id, State: MediaState(d.byte()), Revision: d.uvarint(), Since: d.time()}
	copy(m.Content[:], d.take(uint64(len(m.Content))))
	m.Encoder, m.Reason, m.Detail = d.string(), d.string(), d.string()
	return m, d.end()
}

// vectorKey ends with the head of a hash of the encoder's identity, so that the vectors of one content are
// one scan; the identity itself is in the row.
func vectorKey(c Content, encoder string) []byte {
	sum := sha256.Sum256([]byte(encoder))
	return append(contentKey(keyVector, c), sum[:8]...)
}

func contentKey(prefix byte, c Content) []byte { return append([]byte{prefix}, c[:]...) }

func useKey(c Content, by NodeID) []byte {
	return binary.BigEndian.AppendUint64(contentKey(keyUse, c), uint64(by))
}

func parseUseKey(k []byte) (Content, NodeID, error) {
	if len(k) != 25 {
		return Content{}, 0, fmt.Errorf("key of %d bytes, want 25", len(k))
	}
	return Content(k[1:17]), NodeID(binary.BigEndian.Uint64(k[17:])), nil
}

func encodeVector(encoder string, vec []float32) []byte {
	b := appendBytes(newRow(16+len(encoder)+4*len(vec)), encoder)
	return appendFloat32s(b, vec)
}

func decodeVector(row []byte) (encoder string, vec []float32, err error) {
	d := decodeRow(row)
	encoder, vec = d.string(), d.float32s()
	return encoder, vec, d.end()
}

// Media returns what is kept of a media node, nil if there is nothing.
func (r *Reader) Media(id NodeID) (*Media, error) {
	row, err := r.row(idKey(keyMedia, id))
	if err == nil && row == nil {
		return nil, nil
	}
	var m *Media
	if err == nil {
		m, err = decodeMedia(id, row)
	}
	if err != nil {
		return nil, fmt.Errorf("graphstore: read media %016x: %w", uint64(id), err)
	}
	return m, nil
}

// EachMedia calls fn for what is kept of each media node, by id, until fn returns false.
func (r *Reader) EachMedia(fn func(*Media) bool) error {
	err := r.rows([]byte{keyMedia}, func(k, v []byte) error {
		id, err := parseIDKey(k)
		if err != nil {
			return err
		}
		m, err := decodeMedia(id, v)
		if err != nil {
			return fmt.Errorf("media %016x: %w", uint64(id), err)
		}
		if !fn(m) {
			return errStop
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("graphstore: read media: %w", err)
	}
	return nil
}

// MediaVector returns what the named encoder made of a content, nil if nobody has asked it yet.
func (r *Reader) MediaVector(c Content, encoder string) ([]float32, error) {
	row, err := r.row(vectorKey(c, encoder))
	if err == nil && row == nil {
		return nil, nil
	}
	var of string
	var vec []float32
	if err == nil {
		of, vec, err = decodeVector(row)
	}
	if err == nil && of != encoder {
		err = fmt.Errorf("the row is of %q", of)
	}
	if err != nil {
		return nil, fmt.Errorf("graphstore: read the vector that %q made of %x: %w", encoder, c, err)
	}
	return vec, nil
}

// PutMedia stores what is to be kept of a media node, in place of what was. A content that no node has
// any more goes with all of its vectors.
func (t *Tx) PutMedia(m Media) error {
	if t.broken != nil {
		return t.broken
	}
	if m.State < MediaWaiting || m.State > MediaRefused {
		return fmt.Errorf("graphstore: put media %016x: %s is unknown", uint64(m.Node), m.State)
	}
	if err := t.s.checkSize("what is kept of a medium", len(m.Encoder)+len(m.Reason)+len(m.Detail)); err != nil {
		return err
	}
	old, err := t.Media(m.Node)
	if err != nil {
		return err
	}
	if old != nil && old.Content != m.Content {
		if err := t.unuse(old.Content, m.Node); err != nil {
			return err
		}
	}
	if m.Content != (Content{}) && (old == nil || old.Content != m.Content) {
		t.ov.use(m.Content, m.Node, true)
	}
	t.ov.rows[string(idKey(keyMedia, m.Node))] = encodeMedia(&m)
	return nil
}

// DeleteMedia forgets what is kept of a media node, if anything is: the node is gone.
func (t *Tx) DeleteMedia(id NodeID) error {
	if t.broken != nil {
		return t.broken
	}
	old, err := t.Media(id)
	if err != nil || old == nil {
		return err
	}
	t.ov.rows[string(idKey(keyMedia, id))] = nil
	return t.unuse(old.Content, id)
}

// PutMediaVector keeps what an encoder made of a content, for as long as a media node has that content. PutMedia
// must have been called for such a node before.
func (t *Tx) PutMediaVector(c Content, encoder string, vec []float32) error {
	if t.broken != nil {
		return t.broken
	}
	if encoder == "" || len(vec) == 0 || c == (Content{}) {
		return errors.New("graphstore: put a media vector: want a content, an encoder and a vector")
	}
	if err := t.s.checkSize("a vector of a medium", len(encoder)+4*len(vec)); err != nil {
		return err
	}
	key := string(vectorKey(c, encoder))
	t.ov.rows[key] = encodeVector(encoder, vec)
	t.ov.vectorKeys[c] = append(t.ov.vectorKeys[c], key)
	return nil
}

// unuse ends the use of a content by a node. With the last use the vectors go: MediaVector is only asked for contents
// that a node has.
func (t *Tx) unuse(c Content, by NodeID) error {
	if c == (Content{}) {
		return nil
	}
	t.ov.use(c, by, false)
	used, err := t.used(c)
	if err != nil || used {
		return err
	}
	prefix := contentKey(keyVector, c)
	var keys []string
	err = scanRows(t.snap.txn, prefix, func(k, _ []byte) error {
		keys = append(keys, string(k))
		return nil
	})
	if err != nil {
		return fmt.Errorf("graphstore: forget the vectors of %x: %w", c, err)
	}
	for _, k := range append(keys, t.ov.vectorKeys[c]...) {
		t.ov.rows[k] = nil
	}
	return nil
}

// used tells whether any node has a content.
func (t *Tx) used(c Content) (bool, error) {
	pending := t.ov.uses[c]
	for _, on := range pending {
		if on {
			return true, nil
		}
	}
	found := false
	err := scanRows(t.snap.txn, contentKey(keyUse, c), func(k, _ []byte) error {
		_, by, err := parseUseKey(k)
		if err != nil {
			return err
		}
		if _, changed := pending[by]; changed {
			return nil
		}
		found = true
		return errStop
	})
	if err != nil && !errors.Is(err, errStop) {
		return false, fmt.Errorf("graphstore: read the uses of %x: %w", c, err)
	}
	return found, nil
}

// use notes that a node has a content, or no longer.
func (ov *overlay) use(c Content, by NodeID, on bool) {
	m := ov.uses[c]
	if m == nil {
		m = map[NodeID]bool{}
		ov.uses[c] = m
	}
	m[by] = on
}
