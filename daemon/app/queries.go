package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer/profile"
	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/clock"
	"kilim/daemon/queries"
	"kilim/daemon/ranking"
	"kilim/daemon/web"
	"kilim/graphstore"
	"kilim/rerank"
)

// startQueries makes the topic of the standing queries, and the keeper of what is told of them.
func (a *App) startQueries(_ context.Context, reg *prometheus.Registry) (err error) {
	log := a.log.With("part", "standing queries")
	a.queries = queries.NewLog(a.conn, a.cfg.Kafka.Topics.Queries, reg, log)
	a.down.add("standing queries' connections", func() error { a.queries.Close(); return nil })
	cfg := queries.Config{Linger: a.cfg.Lists.Linger, Tolerance: float32(a.cfg.Lists.Tolerance)}
	a.standing, err = queries.Open(cfg, a.queries, askedOf{a}, toldQueries{served{a.manager}}, queries.NewMetrics(reg), log)
	if err == nil {
		a.parts = append(a.parts, part{"topic of standing queries", a.queries.Run}, part{"standing queries", a.standing.Run})
	}
	return err
}

// encodeTimeout is how long the media of a query may take.
const encodeTimeout = 20 * time.Second

// askedOf is the state that serves, as standing queries are asked of it: queries.Archive.
type askedOf struct{ *App }

// answersVersion changes with all that askedOf.Ask reads: the rank time with each artifact and embedding that changes.
type answersVersion struct {
	generation int
	rank       float64
	learned    uint64
}

func (q askedOf) Version() (any, error) {
	id, _ := q.manager.Instance()
	v := answersVersion{generation: id.Number, learned: q.ranking.Ranker(ranked{served{q.manager}, q.cfg}.State())}
	err := (&service{q.App}).ask(func(*pipeline.Engine) error {
		return q.manager.View(func(r *graphstore.Reader) error {
			now, err := clock.Read(r)
			v.rank = now.Rank
			return err
		})
	})
	return v, err
}

func (q askedOf) Quiet() bool { return q.manager.Engine().Quiet() }

func (q askedOf) Encoders() any {
	id, _ := q.manager.Instance()
	return id.Number
}

func (q askedOf) Encode(ctx context.Context, a *profile.Artifact) error {
	ctx, cancel := context.WithTimeout(ctx, encodeTimeout)
	defer cancel()
	return (&service{q.App}).embed(ctx, a)
}

// Ask answers as service.Ask does, with lists as long as those that are published. Both are of one model.
func (q askedOf) Ask(ctx context.Context, a *profile.Artifact) (*queries.Answer, error) {
	r := ranked{served{q.manager}, q.cfg}
	size := q.cfg.Lists.Size
	for {
		best := size
		if q.ranking.Serves(r.State()) {
			best = max(size, ranking.Best)
		}
		total, state, err := r.stated(ctx, web.Subject{Artifact: a}, best)
		if err != nil {
			return nil, err
		}
		general, err := (&service{q.App}).SimilarTo(ctx, a, rerank.ListGeneral, size)
		if err != nil {
			return nil, err
		}
		if general.Epoch != state.Epoch {
			continue // a cutover came between
		}
		out := &queries.Answer{Epoch: state.Epoch, Lists: rerank.Lists{{Name: rerank.ListTotal, Entries: total.Items}, {Name: rerank.ListGeneral, Entries: general.Items}}}
		ordered, err := q.ranking.Ordered(ranking.Subject{Artifact: a}, state, total.Items, size)
		if err != nil {
			return nil, err
		}
		if ordered != nil {
			out.Ordered, out.Lists = ordered, ordered.Over(out.Lists)
		}
		out.Lists[0].Entries = out.Lists[0].Entries[:min(size, len(out.Lists[0].Entries))]
		return out, nil
	}
}

// toldQueries are the rows in what serves: queries.Store.
type toldQueries struct{ served }

func (t toldQueries) Rows(fn func(name string, row []byte) error) error {
	return t.Manager.View(func(r *graphstore.Reader) error { return r.EachStanding(fn) })
}

func (t toldQueries) Lost() uint64 { return t.Engine().Lost() }

func (t toldQueries) Commit(ctx context.Context, write func(queries.Writer) error) error {
	return t.Beside(ctx, func(tx *graphstore.Tx, revision uint64) error { return write(queryWriter{tx, revision}) })
}

// queryWriter is a unit that writes rows of standing queries: queries.Writer.
type queryWriter struct {
	tx       *graphstore.Tx
	revision uint64
}

func (w queryWriter) Revision() uint64 { return w.revision }

func (w queryWriter) Put(name string, row []byte) error { return w.tx.PutStanding(name, row) }

func (w queryWriter) Delete(name string) error { return w.tx.DeleteStanding(name) }

func (w queryWriter) Enqueue(message []byte) error {
	_, err := w.tx.Enqueue(message)
	return err
}

// checkQueries verifies the stored rows of standing queries, and tells how many wait for the daemon.
func checkQueries(e *pipeline.Engine, fault func(string)) (waiting int, err error) {
	err = e.Queries().View(func(r *graphstore.Reader) error {
		c := queries.Checker{Revision: e.Status().Revision, Fault: fault, Exists: func(id string) (bool, error) {
			n, err := r.Node(graphstore.ID(graphstore.Artifact, id))
			return n.IsArtifact() && n.Key == id, err
		}}
		err := r.EachStanding(c.Row)
		waiting = c.Waiting
		return err
	})
	return waiting, err
}

func (s *service) StandingQueries(context.Context) (*web.StandingQueries, error) {
	all, _, complete := s.app.queries.List()
	out := &web.StandingQueries{Queries: []web.StandingQuery{}, Complete: complete, Most: queries.MostQueries}
	for i := range all {
		q := s.standing(&all[i])
		q.Record, q.Lists = nil, nil
		out.Queries = append(out.Queries, *q)
	}
	return out, nil
}

func (s *service) StandingQuery(_ context.Context, name string) (*web.StandingQuery, error) {
	q, err := s.app.queries.Get(name)
	if err != nil {
		return nil, queryError(err)
	}
	return s.standing(&q), nil
}

func (s *service) AddQuery(ctx context.Context, q *queries.Query) error {
	return queryError(s.app.queries.Add(ctx, q))
}

func (s *service) RemoveQuery(ctx context.Context, name string) error {
	return queryError(s.app.queries.Remove(ctx, name))
}

// standing is a query with what was told of it last.
func (s *service) standing(q *queries.Query) *web.StandingQuery {
	out := &web.StandingQuery{Name: q.Name, By: q.By, Record: q.Record}
	now := s.app.standing.Status(q)
	out.Failure = now.Failure
	if t := now.Told; t != nil {
		out.Revision, out.Epoch, out.Told, out.Changes, out.Cause = t.Revision, t.Epoch, &t.At, t.Changes, t.Cause
		out.Lists = map[string][]web.LearnedItem{}
		for _, l := range t.Lists {
			items := []web.LearnedItem{}
			for _, e := range l.Entries {
				p := e.Parts
				items = append(items, web.LearnedItem{ID: e.ID, Score: float64(e.Score), Parts: map[string]float64{
					"cosine": float64(p.Cosine), "entities": float64(p.Entities), "words": float64(p.Words), "date": float64(p.Date), "link": float64(p.Link)}})
			}
			if t.Ordered != nil && l.Name == rerank.ListTotal {
				for i, e := range t.Ordered.Entries[:len(items)] {
					items[i] = web.LearnedItem{ID: e.ID, Score: e.Score, Parts: map[string]float64{}}
					for _, p := range e.Parts {
						items[i].Parts[p.Name] = p.Value
					}
				}
			}
			out.Lists[l.Name] = items
		}
	}
	return out
}

func queryError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, queries.ErrUnknown):
		return meaning{err, web.ErrNotFound}
	case errors.Is(err, queries.ErrFull):
		return meaning{err, web.ErrConflict}
	}
	return fmt.Errorf("%w: %w", web.ErrUnavailable, err)
}
