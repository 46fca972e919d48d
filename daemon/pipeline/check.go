package pipeline

import (
	"errors"
	"fmt"
	"slices"

	"kilim/daemon/pipeline/listgraph"
	"kilim/daemon/pipeline/vocabulary"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/rerank"
	"kilim/rerank/topk"
)

// Check verifies a whole state: what the store can verify by itself, and what
// follows from the meaning of its rows. Each fault is told in a sentence. It
// reads everything, and is meant for a store that nobody writes.
//
// Verified are: running sums, bit for bit, against the artifacts they are
// sums of; vectors against a recomputation from their inputs, where no push is
// on its way; document frequencies against the artifacts' texts; the rows about media
// against the documents; lists (living members, order, length) and who holds whom;
// the outbox's messages.
func (e *Engine) Check(fault func(string)) error {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if err := e.store.Check(fault); err != nil {
		return err
	}
	return e.store.View(func(r *graphstore.Reader) error {
		c := &checker{
			e: e, r: r, fault: fault, terms: map[uint32]int32{},
			lists: e.lists.Check(listgraph.Reader{R: r}, listgraph.Order(e.role.orders, r), e.clock.Revision, fault), media: e.cfg.Encoders.Check(r, e.clock.Revision, fault),
		}
		if err := c.artifacts(); err != nil {
			return err
		}
		if err := c.media.Rest(); err != nil {
			return err
		}
		if err := c.termTable(); err != nil {
			return err
		}
		c.lists.Done()
		if err := e.refresher.Check(r, fault); err != nil {
			return err
		}
		return c.outbox()
	})
}

type checker struct {
	e     *Engine
	r     *graphstore.Reader
	fault func(string)
	terms map[uint32]int32
	lists *topk.Checker
	media *encode.Checker
}

func (c *checker) faultf(format string, args ...any) { c.fault(fmt.Sprintf(format, args...)) }

func (c *checker) artifacts() error {
	var all []*graphstore.Node
	err := c.r.EachNode(func(n *graphstore.Node) bool {
		if n.IsArtifact() {
			all = append(all, n)
		}
		return true
	})
	if err != nil {
		return err
	}
	if have := c.e.index.Len(); have != len(all) {
		c.faultf("index: %d vectors for %d artifacts", have, len(all))
	}
	for _, n := range all {
		if err := c.artifact(n); err != nil {
			return fmt.Errorf("artifact %q: %w", n.Key, err)
		}
	}
	return nil
}

func (c *checker) artifact(n *graphstore.Node) error {
	doc, err := c.r.Artifact(n.Key)
	if errors.Is(err, graphstore.ErrDamaged) {
		c.faultf("artifact %q: %v", n.Key, err)
		return c.lists.Artifact(uint64(n.ID), n.Key)
	}
	if err != nil {
		return err
	}
	if doc == nil {
		c.faultf("artifact %q: a node and no document", n.Key)
		return nil
	}
	a, err := weave.Parse(doc)
	if err != nil {
		c.faultf("artifact %q: its stored document is refused: %v", n.Key, err)
		return nil
	}
	w := c.e.words.Extract(a)
	for bucket := range w.Doc.Buckets {
		c.terms[bucket]++
	}
	if want := w.Evidence.Marshal(); !slices.Equal(doc.Evidence, want) {
		c.faultf("artifact %q: stored evidence is not that of its document", n.Key)
	}
	if err := c.edges(n, w); err != nil {
		return err
	}
	if err := c.media.Artifact(a, w.Edges); err != nil {
		return err
	}
	if err := c.features(n, w); err != nil {
		return err
	}
	return c.lists.Artifact(uint64(n.ID), n.Key)
}

// features compares what an artifact's features have of its media with what the model makes of them. What the text has to say
// has moved with the document frequencies since it was computed; what the media have has not. What it holds is compared too.
func (c *checker) features(n *graphstore.Node, w *vocabulary.Extracted) error {
	known, err := c.e.cfg.Encoders.Vectors(c.r, n.ID)
	if err != nil {
		return err
	}
	width := c.e.cfg.Model.Width
	want, wantDirect := infer.Halves(c.e.refresher.Inputs([]infer.Features{c.e.words.Features(w, known)})[0])
	have, haveDirect := infer.Halves(n.Features)
	if len(have) != len(want) || !slices.Equal(have[width:], want[width:]) || !slices.Equal(haveDirect[width:], wantDirect[width:]) {
		c.faultf("artifact %q: its features are not those of its %d pictures and %d recordings that are encoded", n.Key, len(known.Image), len(known.Audio))
	}
	return c.e.refresher.CheckContents(c.r, n, vocabulary.Contents(known), c.fault)
}

// edges compares an artifact's edges with those that its document asks for.
func (c *checker) edges(n *graphstore.Node, w *vocabulary.Extracted) error {
	want := map[graphstore.NodeID]bool{}
	for _, s := range w.Edges {
		want[graphstore.ID(s.Type, s.Key)] = true
	}
	err := c.r.Edges(n.ID, func(edge graphstore.Edge) bool {
		if edge.Rel&graphstore.Inverse != 0 || graphstore.Type(edge.Rel).IsContent() {
			return true
		}
		if !want[edge.To] {
			c.faultf("artifact %q: an edge (%s) that its document does not have", n.Key, edge.Rel)
		}
		delete(want, edge.To)
		return true
	})
	if len(want) > 0 {
		c.faultf("artifact %q: %d edges of its document are missing", n.Key, len(want))
	}
	return err
}

func (c *checker) termTable() error {
	err := c.r.TermTable(func(bucket uint32, df int32) {
		if c.terms[bucket] != df {
			c.faultf("document frequency of term %d: stored %d, counted %d", bucket, df, c.terms[bucket])
		}
		delete(c.terms, bucket)
	})
	for bucket, df := range c.terms {
		if df != 0 {
			c.faultf("document frequency of term %d: stored 0, counted %d", bucket, df)
		}
	}
	return err
}

func (c *checker) outbox() error {
	after := uint64(0)
	for {
		entries, err := c.r.Outbox(after, 1000)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, entry := range entries {
			if _, err := rerank.Decode(entry.Value); err != nil {
				c.faultf("outbox message %d: %v", entry.Seq, err)
			}
			after = entry.Seq
		}
	}
}

var _ refresh.Graph = (*graphstore.Tx)(nil)
