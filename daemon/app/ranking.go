package app

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/browse"
	"kilim/daemon/config"
	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/listgraph"
	"kilim/daemon/ranking"
	"kilim/daemon/themes"
	"kilim/daemon/web"
	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/rank"
	"kilim/rerank/topk"
)

// startRanking makes the keeper of the order that is learned from judgments, which learns in the background.
func (a *App) startRanking(_ context.Context, reg *prometheus.Registry) error {
	words, err := wordsOf(a.encoders)
	if err != nil {
		return err
	}
	cfg := ranking.Config{Folder: rankingFolder(a.cfg), Least: a.cfg.Rank.Least, Fit: rank.DefaultConfig(), CacheBytes: int(a.cfg.Memory.Budget().Facts)}
	a.ranking, err = ranking.Open(cfg, ranked{served{a.manager}, a.cfg}, a.judgments, words, ranking.NewMetrics(reg), a.log.With("part", "ranking"))
	if err != nil {
		return err
	}
	reg.MustRegister(a.ranking.Collector())
	a.parts = append(a.parts, part{"ranking", a.ranking.Run})
	return nil
}

func rankingFolder(cfg *config.Config) string { return filepath.Join(cfg.Data, "ranking") }

// keptOrder has an engine that nobody works with know the ranker that was kept beside its state, if it is for the state. It reads words as the
// state does: by other spellings it would order otherwise than was published.
func keptOrder(cfg *config.Config, e *pipeline.Engine) error {
	words, err := wordsOf(e.Media().Encoders())
	if err != nil {
		return err
	}
	ranker, of, err := ranking.Kept(rankingFolder(cfg), words, int(cfg.Memory.Budget().Facts))
	if err != nil {
		return err
	}
	if ranker == nil || of.Epoch != e.Status().Epoch || of.Weights != e.Settings().Score {
		return e.SetOrders(nil)
	}
	return e.SetOrders(publishedBy{ranker})
}

// ranked shows the ranking what serves.
type ranked struct {
	served
	cfg *config.Config
}

func (r ranked) View(fn func(ranking.Documents) error) error {
	return r.served.View(func(d themes.Documents) error { return fn(d) })
}

func (r ranked) Artifacts() int { return r.Engine().Archive().Artifacts() }

func (r ranked) State() ranking.State {
	state, _ := r.now()
	return state
}

// now is what serves, with what its lists are made by.
func (r ranked) now() (ranking.State, *pipeline.Engine) {
	id, engine := r.Instance()
	return ranking.State{Generation: id.Number, Epoch: id.Epoch, Weights: score(&r.cfg.Lists.Weights)}, engine
}

func (r ranked) Stated(ctx context.Context, id string, k int) ([]rerank.Entry, ranking.State, error) {
	found, state, err := r.stated(ctx, web.Subject{ID: id}, k)
	if errors.Is(err, pipeline.ErrNotFound) {
		err = meaning{err, ranking.ErrNoArtifact}
	}
	if err != nil {
		return nil, state, err
	}
	return found.Items, state, nil
}

// stated is a list total, of an artifact that is not stored too. A cutover may close the store that is asked, see service.ask.
func (r ranked) stated(ctx context.Context, of web.Subject, k int) (*pipeline.Answer, ranking.State, error) {
	for {
		state, engine := r.now()
		var found *pipeline.Answer
		var err error
		if of.Artifact != nil {
			found, err = engine.Queries().SimilarTo(ctx, of.Artifact, rerank.ListTotal, k)
		} else {
			found, err = engine.Queries().Similar(ctx, of.ID, rerank.ListTotal, k)
		}
		switch {
		case err == nil:
			return found, state, nil
		case !errors.Is(err, graphstore.ErrClosed) || engine == r.Engine():
			return nil, ranking.State{}, err
		}
	}
}

// Use has the engine that serves publish lists in the order of a ranker. A cutover meanwhile ends its use: what serves then is of another State.
func (r ranked) Use(ranker *ranking.Ranker, of ranking.State) error {
	for {
		state, engine := r.now()
		var orders listgraph.Orders
		if ranker != nil && of == state {
			orders = publishedBy{ranker}
		}
		if err := engine.SetOrders(orders); !errors.Is(err, pipeline.ErrRetired) || engine == r.Engine() {
			return err
		}
	}
}

// publishedBy has a ranker order what a unit publishes: listgraph.Orders.
type publishedBy struct{ *ranking.Ranker }

func (p publishedBy) Over(state *graphstore.Reader) topk.Order { return p.Ranker.Over(state) }

func (s *service) SimilarLearned(ctx context.Context, of web.Subject, k int) (*web.LearnedAnswer, error) {
	r := ranked{served{s.app.manager}, s.app.cfg}
	if !s.app.ranking.Serves(r.State()) {
		return nil, nil
	}
	found, state, err := r.stated(ctx, of, max(k, ranking.Best))
	if err != nil {
		return nil, webError(err)
	}
	o, err := s.app.ranking.Order(ranking.Subject(of), state, found.Items)
	if err != nil || o == nil { // nil: it serves no more
		return nil, webError(err)
	}
	d := &o.Decision
	out := &web.LearnedAnswer{
		ID: of.ID, List: rerank.ListTotal, Staleness: web.Staleness(found.Staleness), Epoch: state.Epoch, Items: []web.LearnedItem{},
		Order: web.LearnedOrder{Learned: d.At, Questions: d.Questions, Groups: d.Groups, Best: ranking.Best},
	}
	if of.Artifact != nil {
		out.ID = of.Artifact.ID
	}
	for _, e := range o.Entries[:min(k, len(o.Entries))] {
		out.Items = append(out.Items, web.LearnedItem(e))
	}
	return out, nil
}

// learnedList is such an answer as the page shows it, nil of nil.
func learnedList(a *web.LearnedAnswer) *browse.List {
	if a == nil {
		return nil
	}
	list := &browse.List{Name: a.List, Learned: a.Order.Questions, Items: []browse.Item{}}
	for _, i := range a.Items {
		list.Items = append(list.Items, browse.Item{ID: i.ID, Score: i.Score, Parts: i.Parts})
	}
	return list
}

func (s *service) Ranking(context.Context) (*web.Ranking, error) {
	now := s.app.ranking.Status()
	out := &web.Ranking{RankingStatus: rankingStatusOf(now), Phase: now.Phase, Least: now.Least}
	if d := now.Last; d != nil {
		out.Last = &web.RankingDecision{
			At: d.At, Epoch: d.State.Epoch, Generation: d.State.Generation, Questions: d.Questions, Groups: d.Groups, Useful: d.Useful,
			Artifacts: d.Artifacts, Trees: d.Trees, Serves: d.Serves,
		}
		if d.Gate != nil {
			gate := web.RankingGate(*d.Gate)
			out.Last.Gate = &gate
		}
	}
	return out, nil
}

func rankingStatusOf(s ranking.Status) web.RankingStatus {
	return web.RankingStatus{Serving: s.Serving, Reason: s.Reason, Judgments: s.Judgments}
}
