package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/cultures"
	"kilim/daemon/pipeline"
	"kilim/daemon/pipeline/atlas"
	"kilim/daemon/themes"
	"kilim/daemon/themes/groups"
	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/maps"
)

// startCultures makes the keeper of what is told of how near cultures, periods and places are.
func (a *App) startCultures(_ context.Context, reg *prometheus.Registry) (err error) {
	a.cultures, err = cultures.Open(a.cfg.Lists.Linger, mapped{a}, toldCells{served{a.manager}}, cultures.NewMetrics(reg), a.log.With("part", "cultures"))
	if err == nil {
		a.parts = append(a.parts, part{"cultures", a.cultures.Run})
	}
	return err
}

// mapped are the maps of the state that serves, and of its themes: cultures.Archive.
type mapped struct{ *App }

// mapsVersion changes with all that mapped.Read reads.
type mapsVersion struct {
	all    *maps.Map
	of     uint64
	themes *groups.Sums
	summed uint64
}

func (m mapped) Version() any {
	v := mapsVersion{all: m.manager.Engine().Index().Map()}
	v.of = v.all.Version()
	if v.themes, _ = m.themes.Summed(); v.themes != nil {
		v.summed = v.themes.Version()
	}
	return v
}

func (m mapped) Quiet() bool { return m.manager.Engine().Quiet() }

func (m mapped) Themes() (names []string, known bool) {
	s, known := m.themes.Summed()
	if s == nil {
		return nil, known
	}
	return s.Names(), known
}

// Read asks the engine that serves, as service.ask does.
func (m mapped) Read(q atlas.Question) (a *atlas.Answer, err error) {
	err = (&service{app: m.App}).ask(func(e *pipeline.Engine) error {
		a, err = readMaps(e, m.themes, q)
		return err
	})
	return a, err
}

// readMaps compares groups by the embeddings of an engine or, if the question names a theme, by the profiles in it.
func readMaps(e *pipeline.Engine, t *themes.Keeper, q atlas.Question) (*atlas.Answer, error) {
	if q.Theme == "" {
		return e.Atlas(q, nil)
	}
	theme, model, err := t.Sums(q.Theme)
	if err != nil {
		return nil, err
	}
	q.Model = model
	return e.Atlas(q, theme)
}

// toldCells are those in what serves: cultures.Store.
type toldCells struct{ served }

func (t toldCells) Rows(fn func(key string, row []byte) error) error {
	return t.Manager.View(func(r *graphstore.Reader) error { return r.EachCell(fn) })
}

func (t toldCells) Lost() uint64 { return t.Engine().Lost() }

func (t toldCells) Commit(ctx context.Context, write func(cultures.Writer) error) error {
	return t.Beside(ctx, func(tx *graphstore.Tx, revision uint64) error { return write(cellWriter{tx, revision}) })
}

// cellWriter is a unit that writes cells: cultures.Writer.
type cellWriter struct {
	tx       *graphstore.Tx
	revision uint64
}

func (w cellWriter) Revision() uint64 { return w.revision }

func (w cellWriter) Put(key string, row []byte) error { return w.tx.PutCell(key, row) }

func (w cellWriter) Delete(key string) error { return w.tx.DeleteCell(key) }

func (w cellWriter) Tell(key string, value []byte) error {
	_, err := w.tx.Enqueue(rerank.EncodeCell(key, w.revision, value))
	return err
}

// Cultures answers with what the maps say now, and with since when what was told holds.
func (s *service) Cultures(_ context.Context, kind, theme string, k int) (any, error) {
	a, err := mapped{s.app}.Read(atlas.Question{Kind: kind, Theme: theme, Most: k})
	if err != nil {
		return nil, webError(err)
	}
	for i := range a.Cells {
		c := &a.Cells[i]
		if told := s.app.cultures.Told(kind, theme, c.A, c.B); told != nil {
			c.Since = &told.Since
		}
	}
	return a, nil
}

// checkCultures verifies the stored cells of a folder, and tells how many wait for the daemon. Those of themes are compared by the model that the folder keeps.
func checkCultures(e *pipeline.Engine, t *themes.Keeper, fault func(string)) (waiting int, err error) {
	c := cultures.Checker{Revision: e.Status().Revision, Fault: fault}
	if s, _ := t.Summed(); s != nil {
		c.Themes = s.Names()
	}
	c.Read = func(q atlas.Question) (*atlas.Answer, error) { return readMaps(e, t, q) }
	if err := e.Queries().View(func(r *graphstore.Reader) error { return r.EachCell(c.Row) }); err != nil {
		return 0, err
	}
	return c.Waiting()
}
