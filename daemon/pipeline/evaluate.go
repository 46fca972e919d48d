package pipeline

import (
	"context"
	"errors"
	"fmt"

	"kilim/daemon/pipeline/listgraph"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/train/eval"
)

// evaluationSeed chooses the queries of a truth that has too many, and the resamples: two
// evaluations ask the same.
const evaluationSeed = 1

// Evaluate judges a list against a truth, beside BM25 over all fields among the same candidates. It reads
// committed state and changes nothing.
func (q *Queries) Evaluate(ctx context.Context, truth *eval.Truth, list string) (*eval.Report, error) {
	if err := q.lists.Known(list); err != nil {
		return nil, err
	}
	return q.Judge(ctx, truth, list, func(r *graphstore.Reader, keep map[graphstore.NodeID]bool) eval.Ranker {
		return &ranker{q, r, list, keep}
	})
}

// Judge is Evaluate of a list that is not the state's own: ranking makes its ranker, of the artifacts in keep, nil: of all.
func (q *Queries) Judge(ctx context.Context, truth *eval.Truth, list string, ranking func(r *graphstore.Reader, keep map[graphstore.NodeID]bool) eval.Ranker) (*eval.Report, error) {
	var keep map[graphstore.NodeID]bool
	for _, id := range truth.Candidates() {
		if keep == nil {
			keep = map[graphstore.NodeID]bool{}
		}
		keep[graphstore.ID(graphstore.Artifact, id)] = true
	}
	var report *eval.Report
	err := q.store.View(func(r *graphstore.Reader) error {
		words, err := q.bm25(ctx, r, keep)
		if err != nil {
			return err
		}
		report, err = eval.Compare(ctx, truth, list, evaluationSeed,
			eval.System{Name: "kilim", Ranker: ranking(r, keep)}, eval.System{Name: "BM25", Ranker: words})
		return err
	})
	if err != nil && !errors.Is(err, eval.ErrNoQueries) { // which is about the question
		err = fmt.Errorf("pipeline: evaluate: %w", err)
	}
	if err != nil {
		return nil, err
	}
	return report, nil
}

// ranker is a list of the state as eval.Ranker.
type ranker struct {
	q    *Queries
	r    *graphstore.Reader
	list string
	keep map[graphstore.NodeID]bool
}

func (l *ranker) Rank(ctx context.Context, id string, k int) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n, err := stored(l.r, id)
	if err != nil {
		return nil, err
	}
	if n == nil {
		return nil, eval.ErrUnknown
	}
	query, _, err := l.q.lists.Query(listgraph.Reader{R: l.r}, uint64(n.ID))
	if err != nil {
		return nil, err
	}
	var keep func(uint64) bool
	if l.keep != nil {
		keep = func(node uint64) bool { return l.keep[graphstore.NodeID(node)] }
	}
	entries, err := l.q.lists.Search(listgraph.Reader{R: l.r}, query, l.list, k, keep)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(entries))
	for i := range entries {
		out[i] = entries[i].ID
	}
	return out, nil
}

// bm25 indexes the artifacts in keep, or all, but for those whose documents are damaged. In a large archive that takes minutes,
// for which a daemon that is stopped must not wait.
func (q *Queries) bm25(ctx context.Context, r *graphstore.Reader, keep map[graphstore.NodeID]bool) (*eval.Stored, error) {
	var ids []string
	err := r.EachNode(func(n *graphstore.Node) bool {
		if n.IsArtifact() && (keep == nil || keep[n.ID]) {
			ids = append(ids, n.Key)
		}
		return ctx.Err() == nil
	})
	if err != nil {
		return nil, err
	}
	w := eval.NewStored()
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		_, a, err := weave.Read(r, id)
		if errors.Is(err, graphstore.ErrDamaged) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var terms []eval.Term
		for _, t := range q.words.Extract(a).Doc.Words {
			terms = append(terms, eval.Term{Word: t.Bucket, Count: int(t.Count)})
		}
		w.Add(id, terms)
	}
	return w, ctx.Err()
}
