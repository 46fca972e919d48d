package graphstore

import "encoding/binary"

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
