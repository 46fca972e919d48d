package graphstore

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

const historyArtifacts = 14

func historyIDs() []string {
	var ids []string
	for i := range historyArtifacts {
		ids = append(ids, fmt.Sprintf("a%d", i))
	}
	return ids
}

// generator makes changes up, and applies each to a Tx and to the model.
type generator struct {
	rng *rand.Rand
	m   *model
	at  time.Time // what the store's clock shows
}

// reporter compares what a change reported with what it must have.
type reporter func(what string, got, want Change)

func (v *generator) specs(id string) []EdgeSpec {
	rng := v.rng
	var out []EdgeSpec
	for range rng.IntN(5) {
		typ := []Type{Culture, Place, Kind}[rng.IntN(3)]
		label := []string{"Ming", "ming", "MING ", "Qing", "Song", ""}[rng.IntN(6)]
		key := NormalizeLabel(label)
		if label == "" || rng.IntN(4) == 0 {
			key = fmt.Sprintf("http://example.org/%d", rng.IntN(2))
		}
		out = append(out, EdgeSpec{Type: typ, Rel: Relation(typ), Key: key, Label: label})
	}
	for i := range rng.IntN(3) {
		typ := []Type{Text, Image, Audio}[rng.IntN(3)]
		out = append(out, EdgeSpec{Type: typ, Rel: RelMedia, Key: fmt.Sprintf("%s\x00%d", id, i), Label: "http://example.org/m"})
	}
	for range rng.IntN(4) {
		// Also to itself, and twice to one under several types.
		out = append(out, EdgeSpec{Type: Artifact, Rel: RelLink, Key: fmt.Sprintf("a%d", rng.IntN(historyArtifacts)), LinkType: []string{"", "part_of", "copy_of"}[rng.IntN(3)]})
	}
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

func (v *generator) floats() []float32 {
	out := make([]float32, v.rng.IntN(5))
	for i := range out {
		out[i] = v.rng.Float32()
	}
	return out
}

func (v *generator) ints() []int64 {
	out := make([]int64, v.rng.IntN(5))
	for i := range out {
		out[i] = v.rng.Int64() - v.rng.Int64()
	}
	return out
}

// step makes one change.
func (v *generator) step(tx *Tx, report reporter) error {
	rng, m := v.rng, v.m
	id := fmt.Sprintf("a%d", rng.IntN(historyArtifacts))
	node := ID(Artifact, id)
	v.at = v.at.Add(time.Duration(rng.IntN(3)) * time.Second)
	switch rng.IntN(18) {
	case 0, 1, 2, 3, 4:
		return v.put(tx, id, report)
	case 5, 6:
		got, err := tx.DeleteArtifact(id)
		report("delete "+id, got, m.delete(id))
		return err
	case 7, 8:
		return v.edit(tx)
	case 9:
		if _, there := m.artifacts[id]; !there {
			return tx.DeleteLists(node)
		}
		m.lists[node] = fmt.Appendf(nil, "lists %d", rng.Int())
		return tx.PutLists(node, m.lists[node])
	case 10, 11:
		part, next := rng.IntN(3), Offset{Next: rng.Int64N(1000), Log: fmt.Sprint("log ", rng.IntN(3))}
		m.offsets[fmt.Sprint(part)] = next
		return tx.SetOffset("in", part, next)
	case 12:
		return v.push(tx)
	case 13:
		delta := int32(1 + rng.IntN(2))
		var buckets []uint32
		for range rng.IntN(30) {
			bucket := uint32(rng.IntN(20000))
			buckets = append(buckets, bucket)
			m.terms[bucket] += delta
		}
		return tx.AddTerms(slices.Values(buckets), delta)
	case 14:
		return v.meta(tx)
	case 15, 16:
		return v.hold(tx, id, report)
	default:
		e := OutboxEntry{Seq: uint64(len(m.messages) + 1), Time: v.at, Value: fmt.Appendf(nil, "message %d", rng.Int())}
		m.messages = append(m.messages, e)
		seq, err := tx.Enqueue(e.Value)
		if err == nil && seq != e.Seq {
			err = fmt.Errorf("message %d got the number %d", e.Seq, seq)
		}
		return err
	}
}

func (v *generator) put(tx *Tx, id string, report reporter) error {
	doc := Doc{ID: id, Raw: fmt.Appendf(nil, "raw %d", v.rng.Int()), Evidence: fmt.Appendf(nil, "evidence %d", v.rng.Int())}
	if v.rng.IntN(4) > 0 {
		doc.Timestamp = time.Unix(v.rng.Int64N(2e9)-1e9, v.rng.Int64N(1e9))
	}
	if v.rng.IntN(3) > 0 {
		doc.Topic, doc.Partition = "in", v.rng.IntN(9)
	}
	if v.rng.IntN(8) == 0 {
		doc.Raw = bytes.Repeat([]byte("inline media "), 8000) // to the value log
	}
	specs := v.specs(id)
	got, err := tx.PutArtifact(doc, specs)
	report("put "+id, got, v.m.put(doc, specs))
	return err
}

// hold gives an artifact some of few contents, so that artifacts share them.
func (v *generator) hold(tx *Tx, id string, report reporter) error {
	var held []Held
	for range v.rng.IntN(5) {
		held = append(held, Held{[]Type{Picture, Recording}[v.rng.IntN(2)], Content{byte(1 + v.rng.IntN(3))}})
	}
	if _, there := v.m.artifacts[id]; !there {
		if _, err := tx.PutContents(ID(Artifact, id), held); err == nil {
			return fmt.Errorf("contents of %q, which is not there, were put", id)
		}
		return nil
	}
	got, err := tx.PutContents(ID(Artifact, id), held)
	report("hold "+id, got, v.m.hold(id, held))
	return err
}

// edit writes vectors of a node that exists.
func (v *generator) edit(tx *Tx) error {
	g := v.m.graph()
	var ids []NodeID
	for id := range g.nodes {
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil
	}
	id := ids[0]
	want := v.rng.Uint64()
	for _, other := range ids { // the choice must not depend on the map's order
		if uint64(other)^want < uint64(id)^want {
			id = other
		}
	}
	n, err := tx.Edit(id)
	if err != nil {
		return err
	}
	n.Features, n.Hidden, n.Sum1, n.Sum2 = v.floats(), v.floats(), v.ints(), v.ints()
	n.EncodedAt, n.Drift, n.DriftBound, n.Epsilon = v.rng.Float64(), v.rng.Float64(), v.rng.Float64(), v.rng.Float64()
	n.Embedding, n.Third = nil, nil
	if v.rng.IntN(2) == 0 {
		n.Third = &Third{Hidden: v.floats(), Sum: v.ints()}
	}
	if !n.Placeholder {
		n.Embedding = v.floats()
	}
	v.m.vectors[id] = vectors{n.Features, n.Hidden, n.Embedding, n.Sum1, n.Sum2, n.EncodedAt, n.Drift, n.DriftBound, n.Epsilon, n.third()}
	return nil
}

// push notes or forgets a push of an artifact that is there.
func (v *generator) push(tx *Tx) error {
	id := ID(Artifact, fmt.Sprintf("a%d", v.rng.IntN(historyArtifacts)))
	p := Push{Node: id, Cursor: NodeID(v.rng.Uint64()), Since: v.rng.Float64(), Weight: v.rng.Float32()}
	if v.m.graph().nodes[id] == nil || v.rng.IntN(3) == 0 {
		delete(v.m.pushes, id)
		return tx.DeletePush(id)
	}
	v.m.pushes[id] = p
	return tx.PutPush(p)
}

func (v *generator) meta(tx *Tx) error {
	switch v.rng.IntN(4) {
	case 0:
		name := fmt.Sprintf("encoder %d", v.rng.IntN(5))
		dim, known := v.m.dims[name]
		if !known {
			dim = 1 + v.rng.IntN(500)
		}
		v.m.dims[name] = dim
		return tx.SetEncoderDim(name, dim)
	case 1:
		// More than a badger transaction holds with the memtable of tests, in
		// values that are too small for the value log.
		big := bytes.Repeat([]byte{byte(v.rng.IntN(256))}, 60<<10)
		for i := range 4 {
			key := fmt.Sprint("meta ", i)
			v.m.meta[key] = big
			if err := tx.PutMeta(key, big); err != nil {
				return err
			}
		}
		return nil
	default:
		key := fmt.Sprint("meta ", v.rng.IntN(4))
		var val []byte
		delete(v.m.meta, key)
		if v.rng.IntN(3) > 0 {
			val = fmt.Append([]byte{}, v.rng.Int())
			v.m.meta[key] = val
		}
		return tx.PutMeta(key, val)
	}
}

// settlePushes forgets the pushes of nodes that went, as the caller of the store must.
func (v *generator) settlePushes(tx *Tx) error {
	g := v.m.graph()
	for id := range v.m.pushes {
		if g.nodes[id] == nil {
			delete(v.m.pushes, id)
			if err := tx.DeletePush(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// checked closes a store, after a check, at the end of a test.
func checked(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Check(func(p string) { t.Error("check: " + p) }); err != nil {
		t.Error(err)
	}
	checkKinds(t, s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// checkKinds compares what RowKinds tells with what others count, and with the keys and values.
func checkKinds(t testing.TB, s *Store) {
	t.Helper()
	if s.Err() != nil {
		return
	}
	if err := s.View(func(r *Reader) error {
		kinds, err := r.RowKinds()
		if err != nil {
			return err
		}
		have := map[string]int64{}
		var rows, bytes int64
		for i, k := range kinds {
			have[k.Name] = k.Rows
			rows, bytes = rows+k.Rows, bytes+k.Bytes
			if i > 0 && k.Bytes > kinds[i-1].Bytes {
				t.Errorf("%s comes after %s", k.Name, kinds[i-1].Name)
			}
		}
		var nodes int64
		if err := r.EachNode(func(*Node) bool { nodes++; return true }); err != nil {
			return err
		}
		if documents := int64(r.Counts().Artifacts); have["nodes"] != nodes || have["documents"] != documents {
			t.Errorf("kinds tell of %d nodes and %d documents, want %d and %d", have["nodes"], have["documents"], nodes, documents)
		}
		return scanRows(r.snap.txn, nil, func(k, v []byte) error {
			if rows--; strings.HasPrefix(kindOf(k), "unknown") {
				t.Errorf("a row %x of no kind", k)
			}
			if bytes -= int64(len(k) + len(v)); rows < 0 || bytes < 0 {
				return fmt.Errorf("more rows or bytes than the kinds tell of, at %x", k)
			}
			return nil
		})
	}); err != nil {
		t.Error(err)
	}
}

// every is the step by which a test of one goroutine goes through its seeds, places or writes: one, and four in a short run, as
// that under the race detector is (see .ci/run), which would find nothing in the others.
func every() int {
	if testing.Short() {
		return 4
	}
	return 1
}

// small are options with a small memtable, so that large commits are easily made.
func small() Options {
	return Options{MemtableMB: 1, CacheMB: 1, SyncWrites: NoSync, valueLogMB: 1, ackWait: time.Hour}
}
