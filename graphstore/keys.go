package graphstore

import (
	"encoding/binary"
	"fmt"
)

// Each kind of row has a prefix byte of its own. Ids and sequence numbers are
// big endian, so that badger's byte order is their order.
//
//	e <id 8>                        an artifact's edges, with what they say
//	e <to 8> <inverse 1> <from 8>   an edge seen from its other end
//	n <id 8>                        node
//	n <id 8> e                      its embedding
//	n <id 8> v                      its other vectors, when several share it
//	n <id 8> w                      what it has besides in a model of three layers
//	d <id 8>                        an artifact's id, timestamp, evidence, partition
//	w <id 8>                        an artifact as received
//	l <id 8>                        lists
//	i <id 8>                        lists of themes, of an artifact that may be deleted already
//	h <id 8> <theme>                how a list of a theme came to be, of an artifact that may be deleted already
//	k <key>                         cell of a map of cultures, periods or places
//	g <name>                        what was told of a standing query
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
//	R                               the commit that the redo log is being applied of
//	b <id 8> c <label>              a label that the node does not keep, see keptLabels
//	b <id 8> o <^count 4> <label>   the same, the most used first
//	F                               written to be dropped, see flush
const (
	keyEdge       = 'e'
	keyNode       = 'n'
	keyDoc        = 'd'
	keyRaw        = 'w'
	keyLists      = 'l'
	keyThemeLists = 'i'
	keyThemePast  = 'h'
	keyCell       = 'k'
	keyStanding   = 'g'
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
	keyFlush      = 'F'
	keyTermPage   = 'p'
	keyLabel      = 'b'
	keyLabelCount = 'c'
	keyLabelOrder = 'o'
	keyTermDelta  = 'd'
	// of a node's further rows, see nodeParts
	keyEmbedding   = 'e'
	keyNodeVectors = 'v'
	keyNodeThird   = 'w'
)

func idKey(prefix byte, id NodeID) []byte { return numberKey(prefix, uint64(id)) }

// numberKey has room for one byte more.
func numberKey(prefix byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 10), prefix), n)
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

// parseNodeKey tells also which of a node's further rows it is, nil for the first.
func parseNodeKey(k []byte) (id NodeID, part *nodePart, err error) {
	for i := range nodeParts {
		if len(k) == 10 && k[9] == nodeParts[i].suffix {
			k, part = k[:9], &nodeParts[i]
		}
	}
	id, err = parseIDKey(k)
	return id, part, err
}

func seqKey(seq uint64) []byte {
	return numberKey(keyOutbox, seq)
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
