package pipeline

import (
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"

	"golang.org/x/sync/errgroup"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/daemon/pipeline/vocabulary"
	"kilim/graphstore"
	"kilim/learner/encode"
)

// operation is what one record asks for.
type operation struct {
	item      *consumer.Item
	node      graphstore.NodeID
	extracted *vocabulary.Extracted
	media     []encode.Medium
	refusal   *profile.Refusal
}

// preparer does the part of the work on records that needs no state.
type preparer struct {
	words    *vocabulary.Vocabulary
	encoders *encode.Encoders
	log      *slog.Logger
}

func newPreparer(e *Engine) preparer { return preparer{e.words, &e.cfg.Encoders, e.log} }

// all prepares the records of a batch, in parallel.
func (p preparer) all(items []consumer.Item) []operation {
	ops := make([]operation, len(items))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	const chunk = 16
	for from := 0; from < len(ops); from += chunk {
		g.Go(func() error {
			for i := from; i < min(from+chunk, len(ops)); i++ {
				ops[i] = p.one(&items[i])
			}
			return nil
		})
	}
	_ = g.Wait() // the functions return nil
	return ops
}

// one prepares a record. A record that makes it panic is refused, before anything was changed.
func (p preparer) one(item *consumer.Item) (op operation) {
	op = operation{item: item, refusal: item.Refusal}
	if op.refusal != nil {
		return op
	}
	defer func() {
		if r := recover(); r != nil {
			p.log.Error("a record made the encoder panic; it goes to the dead letters",
				"topic", item.Topic, "partition", item.Partition, "offset", item.Offset, "panic", r, "stack", string(debug.Stack()))
			op.refusal = &profile.Refusal{Reason: profile.ReasonPanic, Field: "record", Detail: fmt.Sprint(r)}
		}
	}()
	op.node = graphstore.ID(graphstore.Artifact, item.ID)
	if item.Artifact != nil {
		op.extracted = p.words.Extract(item.Artifact)
		op.media = p.encoders.MediaOf(item.Artifact, op.extracted.Edges)
	}
	return op
}
