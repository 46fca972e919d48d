package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/config"
	"kilim/daemon/pipeline"
	"kilim/daemon/themes"
	"kilim/daemon/themes/stored"
	"kilim/daemon/web"
	"kilim/graphstore"
	"kilim/learner/train/eval"
	"kilim/rerank"
)

// openThemes opens the themes in a state folder. store keeps their lists, nil: none are kept.
func openThemes(cfg *config.Config, archive themes.Archive, store themes.Store, reg prometheus.Registerer, log *slog.Logger) (*themes.Keeper, error) {
	c := themes.Config{
		Store: store, Lists: stored.Config{Size: cfg.Lists.Size, Tolerance: cfg.Lists.Tolerance, Similar: cfg.Kafka.Topics.Similar},
		Folder: filepath.Join(cfg.Data, "themes"), Weights: map[string]float64{}, Least: cfg.Themes.Least, Works: cfg.Themes.Works, Memory: int(cfg.Memory.Budget().Themes),
		Taken: map[string]string{cfg.Kafka.Topics.Artifacts: "kafka.topics.artifacts", cfg.Kafka.Topics.DeadLetters: "kafka.topics.dead-letters",
			cfg.Kafka.Topics.Judgments: "kafka.topics.judgments", cfg.Kafka.Topics.Cultures: "kafka.topics.cultures",
			cfg.Kafka.Topics.Queries: "kafka.topics.queries", cfg.Kafka.Topics.QueryLists: "kafka.topics.query-lists"},
	}
	for _, text := range cfg.Themes.Weights {
		name, weight, err := themes.ParseWeight(text)
		if err != nil {
			return nil, fmt.Errorf("themes.weights: %w", err)
		}
		c.Weights[name] = weight
	}
	for _, text := range cfg.Themes.Declare {
		d, err := themes.ParseDeclaration(text)
		if err != nil {
			return nil, err
		}
		c.Declared = append(c.Declared, d)
	}
	return themes.Open(c, archive, themes.NewMetrics(reg), log.With("part", "themes"))
}

// startThemes makes the keeper of the themes, which learns in the background.
func (a *App) startThemes(_ context.Context, reg *prometheus.Registry) (err error) {
	if a.themes, err = openThemes(a.cfg, served{a.manager}, themeLists{a.manager, a.conn, &a.cfg.Kafka}, reg, a.log); err != nil {
		return err
	}
	reg.MustRegister(a.themes.Collector())
	a.parts = append(a.parts, part{"themes", a.themes.Run})
	return nil
}

// View shows the themes what serves. A cutover may close the store that fn reads.
func (s served) View(fn func(themes.Documents) error) error {
	for {
		e := s.Engine()
		err := s.Manager.View(func(r *graphstore.Reader) error { return fn(r) })
		if !errors.Is(err, graphstore.ErrClosed) || e == s.Engine() {
			return err
		}
	}
}

func (s served) Quiet() bool { return s.Engine().Quiet() }

// folder shows the themes a state folder that no daemon has open.
type folder struct{ *pipeline.Queries }

func (f folder) View(fn func(themes.Documents) error) error {
	return f.Queries.View(func(r *graphstore.Reader) error { return fn(r) })
}

func (folder) Quiet() bool { return true }

// evaluate judges a list, of a theme too.
func evaluate(ctx context.Context, q *pipeline.Queries, t *themes.Keeper, truth *eval.Truth, list string) (*eval.Report, error) {
	name, themed := strings.CutPrefix(list, "theme:")
	if !themed {
		return q.Evaluate(ctx, truth, list)
	}
	ranker, err := t.Ranker(name, truth.Candidates())
	if err != nil {
		return nil, err
	}
	labelled, err := t.Labelled(ctx, name, truth.Candidates())
	if err != nil {
		return nil, err
	}
	report, err := q.Judge(ctx, truth, list, func(*graphstore.Reader, map[graphstore.NodeID]bool) eval.Ranker { return ranker })
	if err != nil {
		return nil, err
	}
	report.Labelled = labelled
	return report, nil
}

func (s *service) SimilarByTheme(ctx context.Context, of web.Subject, theme string, k int) (*web.ThemeAnswer, error) {
	found, err := s.byTheme(ctx, of, theme, k)
	if err != nil {
		return nil, webError(err)
	}
	out := &web.ThemeAnswer{
		ID: found.ID, List: "theme:" + theme, Presence: found.Presence, Applies: found.Applies, Partial: found.Partial,
		Model: web.ThemeModel{ID: found.Made.IDOf(theme), Made: found.Made.At, Works: found.Made.Works}, Epoch: s.app.manager.Status().Serving.Epoch, Items: []web.ThemeItem{},
	}
	for _, item := range found.Items {
		to := web.ThemeItem{ID: item.ID, Score: item.Score, Parts: web.ThemeParts(item.Parts), Shared: []web.SharedTerm{}}
		for _, term := range item.Shared {
			to.Shared = append(to.Shared, web.SharedTerm(term))
		}
		out.Items = append(out.Items, to)
	}
	return out, nil
}

func (s *service) byTheme(ctx context.Context, of web.Subject, theme string, k int) (*themes.Answer, error) {
	if of.Artifact != nil {
		return s.app.themes.SimilarTo(ctx, of.Artifact, theme, k)
	}
	return s.app.themes.Similar(ctx, of.ID, theme, k)
}

// weighted is how many of the list total are ordered by themes.
const weighted = 200

func (s *service) SimilarByWeights(ctx context.Context, of web.Subject, weights map[string]float64, k int) (*web.WeightedAnswer, error) {
	artifact, total := of.Artifact, (*web.Answer)(nil)
	var err error
	if artifact != nil {
		total, err = s.SimilarTo(ctx, artifact, rerank.ListTotal, weighted)
	} else if artifact, err = s.app.themes.Stored(of.ID); err == nil {
		total, err = s.Similar(ctx, of.ID, rerank.ListTotal, weighted)
	}
	if err != nil {
		return nil, webError(err)
	}
	if len(weights) == 0 {
		if weights, err = s.app.themes.Alphas(ctx, artifact); err != nil {
			return nil, webError(err)
		}
	}
	candidates := make([]themes.Candidate, len(total.Items))
	for i, e := range total.Items {
		candidates[i] = themes.Candidate{ID: e.ID, Evidence: float64(e.Score)}
	}
	best, applies, err := s.app.themes.Weigh(ctx, artifact, weights, candidates, k)
	if err != nil {
		return nil, webError(err)
	}
	out := &web.WeightedAnswer{ID: artifact.ID, List: rerank.ListTotal, Applies: append([]string{}, applies...), Weights: weights, Epoch: total.Epoch, Items: []web.WeightedItem{}}
	for _, b := range best {
		parts := map[string]float64{"evidence": b.Evidence}
		for name, score := range b.Themes {
			parts["theme:"+name] = score
		}
		out.Items = append(out.Items, web.WeightedItem{ID: b.ID, Score: b.Score, Parts: parts})
	}
	return out, nil
}

func (s *service) Themes(context.Context) (*web.Themes, error) {
	now := s.app.themes.Status()
	out := &web.Themes{ThemesStatus: *themesStatusOf(now), Model: themeModelOf(now.Made), Themes: []web.Theme{}}
	for _, t := range now.Themes {
		out.Themes = append(out.Themes, web.Theme(t))
	}
	return out, nil
}

func (s *service) DeclareTheme(_ context.Context, name string, weak []string) error {
	if s.app.cfg.Themes.Works == 0 {
		return fmt.Errorf("%w: themes.works is 0, so no theme is learned", web.ErrConflict)
	}
	return webError(s.app.themes.Declare(themes.Declaration{Name: name, Weak: weak}))
}

func themeModelOf(m *themes.Made) *web.ThemeModel {
	if m == nil {
		return nil
	}
	return &web.ThemeModel{ID: m.ID(), Made: m.At, Works: m.Works}
}

func themesStatusOf(s themes.Status) *web.ThemesStatus {
	out := &web.ThemesStatus{Phase: s.Phase, Ratio: s.Ratio, Profiles: s.Profiles, Waiting: s.Waiting, Lists: s.Lists, Due: s.Due}
	for _, t := range s.Themes {
		if t.State == themes.Served {
			out.Served++
		}
	}
	if s.Made != nil {
		out.Age = max(0, time.Since(s.Made.At).Seconds())
	}
	return out
}
