package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/daemon/pipeline/slowest"
	"kilim/daemon/pipeline/tally"
	"kilim/daemon/pipeline/vocabulary"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode"
	"kilim/learner/encode/text"
	"kilim/learner/model/infer"
	"kilim/rerank"
	"kilim/rerank/publish"
)

// Apply makes one batch of records durable with all its effects. After an
// error the engine is of no further use: what it holds in memory may be ahead of the store. After one that wraps
// ErrUnit the store is whole, and the engine that Config.Replaced was given goes on.
func (e *Engine) Apply(ctx context.Context, b *consumer.Batch) error {
	came := slowest.Batch{Came: time.Now()}
	e.turns.Come()
	if err := e.WaitForOutbox(ctx); err != nil {
		e.turns.GiveUp()
		return err
	}
	// What can be done beside the unit at work is done before its end is awaited.
	var ops []operation
	err := e.metrics.through(&came.Stages, stage{"weave", func() error { ops = newPreparer(e).all(b.Items); return nil }})
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	came.Began = time.Now()
	e.turns.Begin()
	if err != nil {
		return err
	}
	if e.failed != nil {
		return e.failed
	}
	for from, to := 0, 0; from < len(ops); from = to {
		to = from + fitting(ops[from:])
		if err := e.apply(b.Part(from, to), ops[from:to], came); err != nil {
			return e.unitFailed(fmt.Errorf("pipeline: apply %d records: %w", to-from, err))
		}
	}
	if err := e.auditor.audit(e); err != nil {
		e.failed = err
		return err
	}
	e.metrics.records.Applied(len(ops), func(i int) tally.Outcome { return tally.Outcome{Item: ops[i].item, Refusal: ops[i].refusal} }, e.log)
	e.role.tell(ops)
	e.turns.Applied()
	return nil
}

// mostEdges bounds the edges that the records of one unit ask for. An edge to a new node takes some 28 kB of memory until the
// unit is committed, so that what a batch needs is bounded by this, and not by what fits into its bytes: 16 records of 400 kB
// with 49,000 terms each once took 16 GB. A batch of more is several units, each with the offsets that it reaches.
const mostEdges = 8192

// fitting is how many of the first operations make a unit: at least one.
func fitting(ops []operation) int {
	edges := 0
	for i := range ops {
		if x := ops[i].extracted; x != nil {
			edges += len(x.Edges)
		}
		if edges > mostEdges && i > 0 {
			return i
		}
	}
	return len(ops)
}

// earlyLists is how many lists that have nearly lingered go with a record: more than it changes, some five of Walters, so that they don't
// gather.
const earlyLists = 8

// apply is the way of a batch: the graph, and through unit.complete refresh, index, lists and the commit.
// A panic is an error: a record that nobody foresaw must not take the process down.
func (e *Engine) apply(b *consumer.Batch, ops []operation, came slowest.Batch) (err error) {
	u := e.begin(nil)
	u.spent = slices.Clip(came.Stages)
	defer u.tx.Discard()
	defer func() {
		if r := recover(); r != nil {
			e.log.Error("a unit of work panicked", "records", len(ops), "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	if err := e.metrics.through(&u.spent, stage{"graph", func() error { return u.ingest(ops, b.Next) }}); err != nil {
		return err
	}
	// Somebody waits for the newcomers; under a steady load a batch must still do its share
	// of what they set off, for the background gets no turn. All that has lingered goes with it, lest it wait for ever, and
	// of what soon will have some, lest it be many at once.
	share := min(e.cfg.Budget, len(ops))
	if err := u.complete(budget{pushed: share, ranked: share, published: share, lingered: math.MaxInt, early: earlyLists * len(ops)}, nil); err != nil {
		return err
	}
	came.Revision, came.Records, came.Committed, came.Stages = e.clock.Revision, len(ops), time.Now(), u.spent
	e.metrics.Slowest.Applied(came)
	return nil
}

// ingest changes the graph by the records, in their order. Of several records
// of one artifact only the one that counts in the end, see consumer.Newest, is carried out: the state after the batch is
// the same, and nothing between is ever seen.
func (u *unit) ingest(ops []operation, next []consumer.Offset) error {
	if err := u.admitAll(ops); err != nil {
		return err
	}
	newest, err := consumer.Newest(len(ops), func(i int) *consumer.Item {
		if ops[i].refusal != nil {
			return nil
		}
		return ops[i].item
	}, u.source)
	if err != nil {
		return err
	}
	for i := range ops {
		op := &ops[i]
		at, counts := newest[op.item.ID]
		var err error
		switch {
		case op.refusal != nil:
			err = u.refuse(op)
		case !counts || at != i:
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
	if err := u.attachArrivals(); err != nil {
		return err
	}
	for _, o := range next {
		if err := u.tx.SetOffset(o.Topic, o.Partition, graphstore.Offset{Next: o.Next, Log: o.Log}); err != nil {
			return err
		}
	}
	return nil
}

// source is where the record came in that an artifact is stored of. Of one that is damaged nobody knows.
func (u *unit) source(id string) (consumer.Source, error) {
	doc, err := u.tx.Head(id)
	if errors.Is(err, graphstore.ErrDamaged) || err == nil && doc == nil {
		return consumer.Source{}, nil
	}
	if err != nil {
		return consumer.Source{}, err
	}
	return consumer.Source{Topic: doc.Topic, Partition: doc.Partition, Time: doc.Timestamp}, nil
}

// admitAll refuses the records that can't be used in this state. One whose effects are in the state already is an error: its
// offset says that it was applied.
func (u *unit) admitAll(ops []operation) error {
	for i := range ops {
		op := &ops[i]
		next, ok, err := u.tx.Offset(op.item.Topic, op.item.Partition)
		if err != nil {
			return err
		}
		if ok && op.item.Offset < next.Next {
			return fmt.Errorf("pipeline: record %s/%d@%d comes again: offsets up to %d are in the state",
				op.item.Topic, op.item.Partition, op.item.Offset, next.Next)
		}
		if op.refusal == nil {
			if op.refusal, err = u.admit(op); err != nil {
				return err
			}
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
	err = u.keys.Admit(op.item.ID, op.extracted.Edges)
	var collision *graphstore.CollisionError
	if errors.As(err, &collision) {
		return &profile.Refusal{Reason: "id_collision", Field: collision.Type.String(), Value: collision.Key,
			Detail: fmt.Sprintf("has the same 64-bit hash as %s %q", collision.OtherType, collision.Other)}, nil
	}
	if err != nil {
		return nil, err
	}
	return u.e.cfg.Encoders.AdmitNames(op.item.Artifact, u.tx)
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
	if errors.Is(err, graphstore.ErrTooLarge) {
		// As the publisher does with a dead letter that Kafka does not take.
		ready = append(ready, rerank.Header{Key: publish.HeaderDropped, Value: []byte(strconv.Itoa(len(value)))})
		_, err = u.tx.Enqueue(rerank.EncodeMessage(u.e.cfg.DeadLetters, key, nil, ready))
	}
	return err
}

func (u *unit) put(op *operation) error {
	e, a := u.e, op.item.Artifact
	before, err := u.forgetTerms(a.ID)
	if err != nil {
		return err
	}
	if err := u.refresh.Detach(op.node); err != nil {
		return err
	}
	change, err := u.tx.PutArtifact(graphstore.Doc{
		ID: a.ID, Raw: a.Raw, Timestamp: op.item.Time, Evidence: op.extracted.Evidence.Marshal(),
		Topic: op.item.Topic, Partition: op.item.Partition,
	}, op.extracted.Edges)
	if err != nil {
		return err
	}
	if err := u.refresh.Forget(change.GoneNodes); err != nil {
		return err
	}
	if err := u.media.Put(before, op.media); err != nil {
		return err
	}
	if err := u.media.Gone(change.Gone); err != nil {
		return err
	}
	if err := u.count(op.extracted, 1); err != nil {
		return err
	}
	u.lists.Arrived(uint64(op.node), op.extracted.Evidence, rerank.Cause{ID: a.ID, Recorded: op.item.Time, TraceParent: op.item.TraceParent})
	u.arrived[op.node] = op.extracted
	e.index.Join(uint64(op.node), op.extracted.Edges)
	u.order = append(u.order, op.node)
	e.clock.Changed(u.tx.Counts().Artifacts, op.item.Time, time.Now())
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
	if err := u.refresh.Detach(op.node); err != nil {
		return err
	}
	change, err := u.tx.DeleteArtifact(id)
	if err != nil {
		return err
	}
	if err := u.refresh.Forget(change.GoneNodes); err != nil {
		return err
	}
	if err := u.media.Put(before, nil); err != nil {
		return err
	}
	if err := u.media.Gone(change.Gone); err != nil {
		return err
	}
	if err := u.refresh.Departed(op.node); err != nil {
		return err
	}
	if err := e.index.Delete(uint64(op.node)); err != nil {
		return err
	}
	e.stale.Remove(uint64(op.node))
	e.clock.Changed(u.tx.Counts().Artifacts, op.item.Time, time.Now())
	if !e.role.standby() {
		if _, err := u.tx.Enqueue(rerank.EncodeTombstone(id, e.clock.Revision, op.item.Time)); err != nil {
			return err
		}
	}
	return u.lists.Departed(uint64(op.node), rerank.Cause{ID: id, Recorded: op.item.Time, TraceParent: op.item.TraceParent})
}

// forgetTerms takes the stored artifact's words out of the document frequencies. It returns its media.
func (u *unit) forgetTerms(id string) ([]encode.Medium, error) {
	a, err := u.record(id)
	if errors.Is(err, graphstore.ErrDamaged) {
		// Nobody knows any more what it said. Its words stay counted, one too many each, which moves weights a little
		// and which check tells; to stop here would be to stop for good, as the record comes again at each start.
		u.e.log.Error("a damaged document is replaced; its words stay counted", "error", err)
		return nil, u.count(&vocabulary.Extracted{Doc: new(text.Doc)}, -1)
	}
	if err != nil || a == nil {
		return nil, err
	}
	x := u.e.words.Extract(a)
	return u.e.cfg.Encoders.MediaOf(a, x.Edges), u.count(x, -1)
}

// count counts an artifact's words in (sign 1) or out (-1).
func (u *unit) count(x *vocabulary.Extracted, sign int) error {
	u.e.words.Count(x, sign)
	return u.tx.AddTerms(x.Doc.Buckets, int32(sign))
}

// record is a stored artifact, nil if there is none of this id.
func (u *unit) record(id string) (*profile.Artifact, error) {
	_, a, err := weave.Read(u.tx, id)
	if errors.Is(err, weave.ErrNoDocument) {
		return nil, nil
	}
	return a, err
}

// attachArrivals computes the features of the newcomers with the document
// frequencies as they are after all of them.
func (u *unit) attachArrivals() error {
	feats := make([]infer.Features, len(u.order))
	media := make([]encode.Vectors, len(u.order))
	for i, id := range u.order {
		var err error
		if media[i], err = u.e.cfg.Encoders.Vectors(u.tx, id); err != nil {
			return err
		}
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, id := range u.order {
		g.Go(func() error {
			feats[i] = u.e.words.Features(u.arrived[id], media[i])
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	inputs := u.e.refresher.Inputs(feats)
	for i, id := range u.order {
		if err := u.attach(id, inputs[i], media[i]); err != nil {
			return err
		}
	}
	return nil
}

func (u *unit) attach(id graphstore.NodeID, inputs []float32, media encode.Vectors) error {
	if err := u.refresh.Hold(u.tx, id, vocabulary.Contents(media)); err != nil {
		return err
	}
	if err := u.refresh.Attach(id, inputs); err != nil {
		return err
	}
	n, err := u.tx.Edit(id)
	if err != nil {
		return err
	}
	n.EncodedAt = u.e.clock.Arrivals
	u.e.stale.Set(uint64(id), n.EncodedAt)
	return nil
}
