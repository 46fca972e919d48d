package graphstore

import (
	"encoding/binary"
	"slices"
	"time"
)

const flagPlaceholder = 1

func encodeNode(n *Node) []byte {
	size := 64 + len(n.Key) + 4*(len(n.Features)+len(n.Hidden)+len(n.Embedding)) + 8*(len(n.Sum1)+len(n.Sum2))
	for _, l := range n.Labels {
		size += len(l.Text) + 8
	}
	var flags byte
	if n.Placeholder {
		flags |= flagPlaceholder
	}
	b := append(newRow(size), byte(n.Type), flags)
	b = appendBytes(b, n.Key)
	b = binary.AppendUvarint(b, uint64(n.Degree))
	b = binary.AppendUvarint(b, uint64(n.Members))
	b = binary.AppendUvarint(b, uint64(len(n.Labels)))
	for _, l := range n.Labels {
		b = appendBytes(b, l.Text)
		b = binary.AppendUvarint(b, uint64(l.Count))
	}
	b = appendFloat64(b, n.EncodedAt)
	b = appendFloat64(b, n.Drift)
	b = appendFloat32s(b, n.Features)
	b = appendInt64s(b, n.Sum1)
	b = appendInt64s(b, n.Sum2)
	b = appendFloat32s(b, n.Hidden)
	return appendFloat32s(b, n.Embedding)
}

func decodeNode(id NodeID, row []byte) (*Node, error) {
	d := decodeRow(row)
	n := &Node{ID: id, Type: Type(d.byte())}
	n.Placeholder = d.byte()&flagPlaceholder != 0
	n.Key = d.string()
	n.Degree = d.uint32()
	n.Members = d.uint32()
	if labels := d.count(2); labels > 0 {
		n.Labels = make([]Label, labels)
		for i := range n.Labels {
			n.Labels[i] = Label{Text: d.string(), Count: d.uint32()}
		}
	}
	n.EncodedAt = d.float64()
	n.Drift = d.float64()
	n.Features = d.float32s()
	n.Sum1 = d.int64s()
	n.Sum2 = d.int64s()
	n.Hidden = d.float32s()
	n.Embedding = d.float32s()
	return n, d.end()
}

// clone copies everything that may be modified in place.
func (n *Node) clone() *Node {
	c := *n
	c.Labels = slices.Clone(n.Labels)
	c.Features = slices.Clone(n.Features)
	c.Sum1 = slices.Clone(n.Sum1)
	c.Sum2 = slices.Clone(n.Sum2)
	c.Hidden = slices.Clone(n.Hidden)
	c.Embedding = slices.Clone(n.Embedding)
	return &c
}

// bytes is about what the node takes of memory.
func (n *Node) bytes() int {
	size := 256 + len(n.Key) + 4*(len(n.Features)+len(n.Hidden)+len(n.Embedding)) + 8*(len(n.Sum1)+len(n.Sum2))
	for _, l := range n.Labels {
		size += 32 + len(l.Text)
	}
	return size
}

// detail is what an edge says beside joining its ends: how the artifact writes
// the target, and how it is related. Both are sorted and without repeats. It
// is stored with the forward direction; immutable once made.
type detail struct {
	labels, linkTypes []string
}

func (a *detail) equal(b *detail) bool {
	return slices.Equal(a.labels, b.labels) && slices.Equal(a.linkTypes, b.linkTypes)
}

func encodeDetail(d *detail) []byte {
	b := newRow(32)
	for _, list := range [][]string{d.labels, d.linkTypes} {
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, s := range list {
			b = appendBytes(b, s)
		}
	}
	return b
}

func decodeDetail(row []byte) (*detail, error) {
	d := decodeRow(row)
	var out detail
	for _, list := range []*[]string{&out.labels, &out.linkTypes} {
		for range d.count(1) {
			*list = append(*list, d.string())
		}
	}
	return &out, d.end()
}

// encodeDoc leaves out Raw, which has a row of its own: it may be large, and
// evidence is read far more often.
func encodeDoc(doc *Doc) []byte {
	b := newRow(32 + len(doc.ID) + len(doc.Evidence))
	b = appendBytes(b, doc.ID)
	b = appendTime(b, doc.Timestamp)
	return appendBytes(b, doc.Evidence)
}

func decodeDoc(row []byte) (*Doc, error) {
	d := decodeRow(row)
	doc := &Doc{ID: d.string(), Timestamp: d.time(), Evidence: d.bytes()}
	return doc, d.end()
}

// appendTime keeps the zero time apart from 1970.
func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	b = append(b, 1)
	b = binary.AppendVarint(b, t.Unix())
	return binary.AppendUvarint(b, uint64(t.Nanosecond()))
}

func (d *decoder) time() time.Time {
	if d.byte() == 0 {
		return time.Time{}
	}
	sec := d.varint()
	return time.Unix(sec, int64(d.uint32())).UTC()
}

// encodeBlob is a row of opaque bytes.
func encodeBlob(v []byte) []byte { return append(newRow(len(v)), v...) }

// decodeBlob returns a copy; it is not nil.
func decodeBlob(row []byte) ([]byte, error) {
	d := decodeRow(row)
	return append([]byte{}, d.b...), d.err
}

func encodeNumber(v uint64) []byte { return binary.AppendUvarint(newRow(10), v) }

func decodeNumber(row []byte) (uint64, error) {
	d := decodeRow(row)
	v := d.uvarint()
	return v, d.end()
}

func encodePush(p Push) []byte {
	b := newRow(32)
	b = binary.LittleEndian.AppendUint64(b, uint64(p.Cursor))
	b = appendFloat64(b, p.Since)
	return appendFloat64(b, float64(p.Weight))
}

func decodePush(id NodeID, row []byte) (Push, error) {
	d := decodeRow(row)
	p := Push{Node: id, Cursor: NodeID(d.fixed64()), Since: d.float64(), Weight: float32(d.float64())}
	return p, d.end()
}

func encodeMessage(at time.Time, value []byte) []byte {
	return append(appendTime(newRow(16+len(value)), at), value...)
}

func decodeMessage(seq uint64, row []byte) (OutboxEntry, error) {
	d := decodeRow(row)
	e := OutboxEntry{Seq: seq, Time: d.time()}
	e.Value = append([]byte{}, d.b...)
	return e, d.err
}

// state is the one row of counters, written by each commit that changes it.
type state struct {
	counts Counts
	// nextSeq is that of the next outbox message; the first is 1.
	nextSeq uint64
	// deltas and deltaTerms are the rows of term changes since the pages and
	// the terms in them; nextDelta numbers the next row.
	nextDelta, deltaTerms uint64
	// commits counts the commits.
	commits uint64
}

func encodeState(s *state) []byte {
	b := newRow(128)
	b = binary.AppendUvarint(b, s.commits)
	b = binary.AppendUvarint(b, s.nextSeq)
	b = binary.AppendUvarint(b, s.nextDelta)
	b = binary.AppendUvarint(b, s.deltaTerms)
	b = binary.AppendUvarint(b, uint64(s.counts.Placeholders))
	b = binary.AppendUvarint(b, numTypes)
	for t := range s.counts.nodes {
		b = binary.AppendUvarint(b, uint64(s.counts.nodes[t]))
		b = binary.AppendUvarint(b, uint64(s.counts.edges[t]))
	}
	return b
}

func decodeState(row []byte) (*state, error) {
	d := decodeRow(row)
	s := &state{commits: d.uvarint(), nextSeq: d.uvarint(), nextDelta: d.uvarint(), deltaTerms: d.uvarint()}
	s.counts.Placeholders = int(d.uvarint())
	// Rows written before a type was added have fewer.
	for t := range min(d.count(2), numTypes) {
		s.counts.nodes[t] = int(d.uvarint())
		s.counts.edges[t] = int(d.uvarint())
	}
	s.counts.Artifacts = s.counts.nodes[Artifact]
	return s, d.end()
}
