package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/text"
	"kilim/learner/model/infer"
	"kilim/rerank"
)

// Apply makes one batch of records durable with all its effects. After an
// error the engine is of no further use: what it holds in memory may be ahead of the store.
func (e *Engine) Apply(ctx context.Context, b *consumer.Batch) error {
	e.waiting.Add(1)
	if err := e.waitForOutbox(ctx); err != nil {
		e.waiting.Add(-1)
		return err
	}
	// What can be done beside the unit at work is done before its end is awaited.
	stop := e.metrics.stage("weave")
	ops := e.prepare(b)
	stop()
	e.unitLock.Lock()
	e.waiting.Add(-1)
	defer e.unitLock.Unlock()
	if e.failed != nil {
		return e.failed
	}
	if err := e.apply(b, ops); err != nil {
		e.failed = fmt.Errorf("pipeline: apply %d records: %w", len(b.Items), err)
		return e.failed
	}
	if err := e.audit(); err != nil {
		e.failed = err
		return err
	}
	e.records.consumed.Add(int64(len(ops)))
	for i := range ops {
		if ops[i].refusal != nil {
			e.records.refused.Add(1)
		}
	}
	e.told(ops)
	e.report()
	e.lastBatch.Store(time.Now().UnixNano())
	e.signal()
	return nil
}

// operation is what one record asks for.
type operation struct {
	item      *consumer.Item
	node      graphstore.NodeID
	extracted *extracted
	media     []medium
	refusal   *profile.Refusal
}

// prepare does the part of the work that needs no state, in parallel. A
// record that makes it panic is refused, before anything was changed.
func (e *Engine) prepare(b *consumer.Batch) []operation {
	ops := make([]operation, len(b.Items))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	const chunk = 16
	for from := 0; from < len(ops); from += chunk {
		g.Go(func() error {
			for i := from; i < min(from+chunk, len(ops)); i++ {
				ops[i] = e.prepareOne(&b.Items[i])
			}
			return nil
		})
	}
	_ = g.Wait() // the functions return nil
	return ops
}

func (e *Engine) prepareOne(item *consumer.Item) (op operation) {
	op = operation{item: item, refusal: item.Refusal}
	if op.refusal != nil {
		return op
	}
	defer func() {
		if r := recover(); r != nil {
			e.log.Error("a record made the encoder panic; it goes to the dead letters",
				"topic", item.Topic, "partition", item.Partition, "offset", item.Offset, "panic", r, "stack", string(debug.Stack()))
			op.refusal = &profile.Refusal{Reason: profile.ReasonPanic, Field: "record", Detail: fmt.Sprint(r)}
		}
	}()
	op.node = graphstore.ID(graphstore.Artifact, item.ID)
	if item.Artifact != nil {
		op.extracted = extract(e.encoder, item.Artifact)
		op.media = e.media(item.Artifact, op.extracted.edges)
	}
	return op
}

func (e *Engine) apply(b *consumer.Batch, ops []operation) error {
	u := e.begin()
	defer u.tx.Discard()
	e.clock.revision++
	stop := e.metrics.stage("graph")
	if err := u.ingest(ops); err != nil {
		return err
	}
	if err := u.encodeArrivals(); err != nil {
		return err
	}
	for _, o := range b.Next {
		if err := u.tx.SetOffset(o.Topic, o.Partition, o.Next); err != nil {
			return err
		}
	}
	stop()
	// Somebody waits for the newcomers; under a steady load a batch must still do its share
	// of what they set off, for the background gets no turn.
	budget := min(e.cfg.Budget, len(ops))
	if _, err := u.republish(budget); err != nil {
		return err
	}
	_, err := u.complete(budget, budget, nil)
	return err
}

// ingest changes the graph by the records, in their order. Of several records
// of one artifact only the last is carried out: the state after the batch is
// the same, and nothing between is ever seen.
func (u *unit) ingest(ops []operation) error {
	last := make(map[graphstore.NodeID]int, len(ops))
	for i := range ops {
		op := &ops[i]
		next, ok, err := u.tx.Offset(op.item.Topic, op.item.Partition)
		if err != nil {
			return err
		}
		if ok && op.item.Offset < next {
			return fmt.Errorf("pipeline: record %s/%d@%d comes again: offsets up to %d are in the state",
				op.item.Topic, op.item.Partition, op.item.Offset, next)
		}
		if op.refusal == nil {
			if op.refusal, err = u.admit(op); err != nil {
				return err
			}
		}
		if op.refusal == nil {
			last[op.node] = i
		}
	}
	for i := range ops {
		op := &ops[i]
		var err error
		switch {
		case op.refusal != nil:
			err = u.refuse(op)
		case last[op.node] != i:
			u.e.metrics.consumed.WithLabelValues("superseded").Inc()
		case op.extracted == nil:
			err = u.remove(op)
		default:
			err = u.put(op)
		}
		if err != nil {
			return fmt.Errorf("record %s/%d@%d: %w", op.item.Topic, op.item.Partition, op.item.Offset, err)
		}
	}
	return nil
}

// admit makes the checks that need the state.
func (u *unit) admit(op *operation) (*profile.Refusal, error) {
	n, err := u.tx.Node(op.node)
	if err != nil {
		return nil, err
	}
	if n != nil && n.Key != op.item.ID {
		return &profile.Refusal{Reason: "id_collision", Field: "id", Value: op.item.ID,
			Detail: fmt.Sprintf("has the same 64-bit hash as %q", n.Key)}, nil
	}
	if op.item.Artifact == nil {
		return nil, nil
	}
	err = op.item.Artifact.CheckEmbeddings(u.tx.EncoderDim)
	var refusal *profile.Refusal
	if errors.As(err, &refusal) {
		return refusal, nil
	}
	if err != nil {
		return nil, err
	}
	err = u.keys.Admit(op.item.ID, op.extracted.edges)
	var collision *graphstore.CollisionError
	if errors.As(err, &collision) {
		return &profile.Refusal{Reason: "id_collision", Field: collision.Type.String(), Value: collision.Key,
			Detail: fmt.Sprintf("has the same 64-bit hash as %s %q", collision.OtherType, collision.Other)}, nil
	}
	if err != nil {
		return nil, err
	}
	// The first vector of an encoder says how long its vectors are.
	for _, m := range op.item.Artifact.Media {
		if len(m.Embedding) == 0 {
			continue
		}
		if _, known := u.tx.EncoderDim(m.Encoder); !known {
			if err := u.tx.SetEncoderDim(m.Encoder, len(m.Embedding)); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

func (u *unit) refuse(op *operation) error {
	item := *op.item
	item.Refusal = op.refusal
	key, value, headers := consumer.DeadLetter(&item)
	u.e.metrics.consumed.WithLabelValues("refused").Inc()
	u.e.metrics.refused.WithLabelValues(op.refusal.Reason).Inc()
	ready := make([]rerank.Header, len(headers))
	for i, h := range headers {
		ready[i] = rerank.Header(h)
	}
	_, err := u.tx.Enqueue(rerank.EncodeMessage(u.e.cfg.DeadLetters, key, value, ready))
	return err
}

func (u *unit) put(op *operation) error {
	e, a := u.e, op.item.Artifact
	before, err := u.forgetTerms(a.ID)
	if err != nil {
		return err
	}
	if err := u.pass.Detach(op.node); err != nil {
		return err
	}
	change, err := u.tx.PutArtifact(graphstore.Doc{
		ID: a.ID, Raw: a.Raw, Timestamp: op.item.Time, Evidence: op.extracted.evidence.Marshal(),
	}, op.extracted.edges)
	if err != nil {
		return err
	}
	if err := u.pass.Forget(change.GoneNodes); err != nil {
		return err
	}
	if err := u.putMedia(before, op.media); err != nil {
		return err
	}
	if err := u.goneMedia(change.Gone); err != nil {
		return err
	}
	u.countTerms(op.extracted, 1)
	e.evidence.Add(op.node, op.extracted.evidence)
	e.prepared.forget(op.node)
	u.arrived[op.node] = &arrival{id: a.ID, extracted: op.extracted, recorded: op.item.Time, traceParent: op.item.TraceParent}
	u.order = append(u.order, op.node)
	e.clock.changed(u.tx.Counts().Artifacts)
	e.metrics.consumed.WithLabelValues("applied").Inc()
	return nil
}

func (u *unit) remove(op *operation) error {
	e, id := u.e, op.item.ID
	e.metrics.consumed.WithLabelValues("deleted").Inc()
	n, err := u.tx.Node(op.node)
	if err != nil {
		return err
	}
	if !n.IsArtifact() {
		return nil // deleting what is not there is no fault: the wish is fulfilled
	}
	before, err := u.forgetTerms(id)
	if err != nil {
		return err
	}
	if err := u.pass.Detach(op.node); err != nil {
		return err
	}
	change, err := u.tx.DeleteArtifact(id)
	if err != nil {
		return err
	}
	if err := u.pass.Forget(change.GoneNodes); err != nil {
		return err
	}
	if err := u.putMedia(before, nil); err != nil {
		return err
	}
	if err := u.goneMedia(change.Gone); err != nil {
		return err
	}
	if err := u.pass.Departed(op.node); err != nil {
		return err
	}
	if err := e.index.Delete(uint64(op.node)); err != nil {
		return err
	}
	u.departed[op.node] = &arrival{id: id, recorded: op.item.Time, traceParent: op.item.TraceParent}
	e.clock.changed(u.tx.Counts().Artifacts)
	if !e.standby.Load() {
		if _, err := u.tx.Enqueue(rerank.EncodeTombstone(id, e.clock.revision, op.item.Time)); err != nil {
			return err
		}
	}
	old, err := u.row(op.node)
	if err != nil {
		return err
	}
	if old != nil {
		return u.hold(op.node, old.lists, rerank.Lists{})
	}
	return nil
}

// forgetTerms takes the stored artifact's words out of the document frequencies. It returns its media.
func (u *unit) forgetTerms(id string) ([]medium, error) {
	a, err := u.record(id)
	if errors.Is(err, graphstore.ErrDamaged) {
		// Nobody knows any more what it said. Its words stay counted, one too many each, which moves weights a little
		// and which check tells; to stop here would be to stop for good, as the record comes again at each start.
		u.e.log.Error("a damaged document is replaced; its words stay counted", "error", err)
		u.countTerms(&extracted{doc: new(text.Doc)}, -1)
		return nil, nil
	}
	if err != nil || a == nil {
		return nil, err
	}
	w := extract(u.e.encoder, a)
	u.countTerms(w, -1)
	return u.e.media(a, w.edges), nil
}

// record is a stored artifact, nil if there is none of this id.
func (u *unit) record(id string) (*profile.Artifact, error) {
	_, a, err := weave.Read(u.tx, id, u.e.cfg.Limits)
	if errors.Is(err, weave.ErrNoDocument) {
		return nil, nil
	}
	return a, err
}

func (u *unit) countTerms(w *extracted, sign int32) {
	u.e.tableLock.Lock()
	defer u.e.tableLock.Unlock()
	u.e.table.Add(w.doc, int(sign))
	w.doc.Delta(u.terms, sign)
}

// encodeArrivals computes the features of the newcomers with the document
// frequencies as they are after all of them.
func (u *unit) encodeArrivals() error {
	feats := make([]infer.Features, len(u.order))
	media := make([]encoded, len(u.order))
	for i, id := range u.order {
		var err error
		if media[i], err = u.e.encodedOf(u.tx, id); err != nil {
			return err
		}
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, id := range u.order {
		g.Go(func() error {
			feats[i] = u.e.featuresOf(u.arrived[id].extracted, media[i])
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, id := range u.order {
		if err := u.attach(id, feats[i]); err != nil {
			return err
		}
	}
	return nil
}

func (u *unit) attach(id graphstore.NodeID, feat infer.Features) error {
	if err := u.pass.Attach(id, feat); err != nil {
		return err
	}
	n, err := u.tx.Edit(id)
	if err != nil {
		return err
	}
	n.EncodedAt = u.e.clock.encode
	u.e.encoded.set(id, n.EncodedAt)
	return nil
}
