package graphstore

import (
	"encoding/binary"
	"fmt"
)

// Each kind of row has a prefix byte of its own. Ids and sequence numbers are
// big endian, so that badger's byte order is their order.
//
//	e <from 8> <relation 1> <to 8>  edge, once from each end
//	n <id 8>                        node
//	d <id 8>                        an artifact's id, timestamp, evidence, partition
//	w <id 8>                        an artifact as received
//	l <id 8>                        lists
//	h <id 8> <by 8>                 the artifact by has id in a list
//	s <id 8>                        push on its way
//	o <topic> 0 <partition 4>       where to go on reading, and in which log
//	q <seq 8>                       outbox
//	p <topic> 0 <partition 4>       position at the last acknowledgement
//	t p <page 4>                    term table: page of document frequencies
//	t d <seq 8>                     term table: changes since the pages
//	c <encoder>                     dimension of an encoder's vectors
//	m <key>                         anything of the caller's
//	a <id 8>                        where the encoding of a media node stands
//	u <content 16> <node 8>         a media node has a content
//	v <content 16> <encoder 8>      what an encoder made of a content
//	S                               counters of the store
//	H                               schema version and identity of the store
//	W                               who writes the outbox's messages, see Store.Writer
//	R                               marker of a complete redo log
//	r <chunk 4>                     redo log
//	b <id 8> c <label>              a label that the node does not keep, see keptLabels
//	b <id 8> o <^count 4> <label>   the same, the most used first
//	F                               written to be dropped, see flush
const (
	keyEdge       = 'e'
	keyNode       = 'n'
	keyDoc        = 'd'
	keyRaw        = 'w'
	keyLists      = 'l'
	keyListedBy   = 'h'
	keyPush       = 's'
	keyOffset     = 'o'
	keyOutbox     = 'q'
	keyPosition   = 'p'
	keyTerms      = 't'
	keyDim        = 'c'
	keyMeta       = 'm'
	keyMedia      = 'a'
	keyUse        = 'u'
	keyVector     = 'v'
	keyState      = 'S'
	keyHead       = 'H'
	keyWriter     = 'W'
	keyMarker     = 'R'
	keyRedo       = 'r'
	keyFlush      = 'F'
	keyTermPage   = 'p'
	keyLabel      = 'b'
	keyLabelCount = 'c'
	keyLabelOrder = 'o'
	keyTermDelta  = 'd'
)

func idKey(prefix byte, id NodeID) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefix}, uint64(id))
}

func listedByKey(id, by NodeID) []byte {
	k := make([]byte, 0, 17)
	k = append(k, keyListedBy)
	k = binary.BigEndian.AppendUint64(k, uint64(id))
	return binary.BigEndian.AppendUint64(k, uint64(by))
}

func parseListedByKey(k []byte) (id, by NodeID, err error) {
	if len(k) != 17 {
		return 0, 0, fmt.Errorf("listed-by key of %d bytes, want 17", len(k))
	}
	return NodeID(binary.BigEndian.Uint64(k[1:])), NodeID(binary.BigEndian.Uint64(k[9:])), nil
}

func edgeKey(e Edge) []byte {
	k := make([]byte, 0, 18)
	k = append(k, keyEdge)
	k = binary.BigEndian.AppendUint64(k, uint64(e.From))
	k = append(k, byte(e.Rel))
	return binary.BigEndian.AppendUint64(k, uint64(e.To))
}

func parseEdgeKey(k []byte) (Edge, error) {
	if len(k) != 18 {
		return Edge{}, fmt.Errorf("edge key of %d bytes, want 18", len(k))
	}
	return Edge{
		From: NodeID(binary.BigEndian.Uint64(k[1:])),
		Rel:  Relation(k[9]),
		To:   NodeID(binary.BigEndian.Uint64(k[10:])),
	}, nil
}

func parseIDKey(k []byte) (NodeID, error) {
	if len(k) != 9 {
		return 0, fmt.Errorf("key of %d bytes, want 9", len(k))
	}
	return NodeID(binary.BigEndian.Uint64(k[1:])), nil
}

func seqKey(seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{keyOutbox}, seq)
}

// partitionKey is unambiguous: a topic's name has no zero byte.
func partitionKey(prefix byte, topic string, partition int) []byte {
	k := append([]byte{prefix}, topic...)
	k = append(k, 0)
	return binary.BigEndian.AppendUint32(k, uint32(partition))
}

func parsePartitionKey(k []byte) (topic string, partition int, err error) {
	if len(k) < 6 || k[len(k)-5] != 0 {
		return "", 0, fmt.Errorf("key %q names no partition", k)
	}
	return string(k[1 : len(k)-5]), int(binary.BigEndian.Uint32(k[len(k)-4:])), nil
}

func stringKey(prefix byte, s string) []byte { return append([]byte{prefix}, s...) }

func termPageKey(page uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{keyTerms, keyTermPage}, page)
}

func termDeltaKey(seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{keyTerms, keyTermDelta}, seq)
}

func redoKey(chunk uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{keyRedo}, chunk)
}
