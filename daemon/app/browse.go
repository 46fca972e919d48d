package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"kilim/consumer"
	"kilim/daemon/browse"
	"kilim/daemon/browse/live"
	"kilim/daemon/browse/media"
	"kilim/daemon/browse/projection"
	"kilim/daemon/browse/search"
	"kilim/daemon/pipeline"
	"kilim/daemon/queries"
	"kilim/daemon/themes"
	"kilim/daemon/web"
	"kilim/graphstore"
	"kilim/learner/encode/image"
	"kilim/rerank"
	"kilim/rerank/publish"
)

// shelves are the parts that show artifacts to people.
type shelves struct {
	cards *browse.Shelf
	words *search.Index
	media *media.Desk
	live  *live.Hub
	plane *projection.Keeper
	// themed are the maps of themes beside it.
	themed *projection.Themes
	// palettes are what its points are coloured by.
	palettes palettes
}

// newShelves makes them over the state that serves.
func (a *App) newShelves() (s *shelves, err error) {
	archive, s := serving{a}, &shelves{}
	if s.cards, err = browse.NewShelf(archive); err != nil {
		return nil, err
	}
	words, err := wordsOf(a.encoders)
	if err != nil {
		return nil, err
	}
	s.words = search.New(archive, words)
	limits := image.Limits{Bytes: int(a.cfg.Media.MaxBytes), Pixels: a.cfg.Media.MaxPixels, Memory: int64(a.cfg.Media.MaxMemory)}
	if s.media, err = media.NewDesk(archive, a.encoding.fetcher, limits); err != nil {
		return nil, err
	}
	if s.live, err = live.New(s.cards, score(&a.cfg.Lists.Weights), a.log.With("part", "live")); err != nil {
		return nil, err
	}
	drawing := projection.Config{Memory: int(a.cfg.Memory.Budget().ThemeMaps), Log: a.log.With("part", "map")}
	whole := drawing
	whole.Folder, whole.Memory = filepath.Join(a.cfg.Data, "map"), int(a.cfg.Memory.Budget().Map)
	if s.plane, err = projection.Open(whole, drawn{a.manager}); err != nil {
		return nil, err
	}
	s.themed = projection.NewThemes(drawing, s.plane, func(theme string) projection.Archive { return &drawnTheme{app: a, theme: theme} })
	return s, nil
}

// changed hears of artifacts whose records were committed. It waits for nothing.
func (s *shelves) changed(ids []string) {
	s.cards.Changed(ids)
	s.words.Changed(ids)
	s.plane.Changed(ids)
}

// noted is the consumer's Sink: it tells the shelves what was committed, and the standing queries what is about to be.
type noted struct {
	consumer.Sink
	shelves  *shelves
	standing *queries.Keeper
}

func (n noted) Apply(ctx context.Context, b *consumer.Batch) error {
	ids, changed := make([]string, 0, len(b.Items)), make([]queries.Changed, 0, len(b.Items))
	for i := range b.Items {
		if id := b.Items[i].ID; id != "" {
			ids, changed = append(ids, id), append(changed, queries.Changed{ID: id, Recorded: b.Items[i].Time})
		}
	}
	defer n.standing.Applying(changed)()
	if err := n.Sink.Apply(ctx, b); err != nil {
		return err
	}
	n.shelves.changed(ids)
	return nil
}

// published tells who looks, and the engine that serves, what has left the outbox.
func (a *App) published(messages []publish.Published) {
	now := time.Now()
	for i := range messages {
		if m := &messages[i]; m.Own {
			a.metrics.Slowest.Published(m.Revision, m.Recorded, now)
		}
	}
	a.shelves.live.Published(messages)
	a.manager.Engine().Published()
}

// serving is the store of the state that serves.
type serving struct{ app *App }

func (s serving) View(fn func(*graphstore.Reader) error) error {
	return (&service{s.app}).ask(func(*pipeline.Engine) error { return s.app.manager.View(fn) })
}

func (s *service) Lists(context.Context) ([]web.ListInfo, error) {
	var out []web.ListInfo
	for _, name := range []string{rerank.ListTotal, rerank.ListGeneral} {
		out = append(out, web.ListInfo{Name: name, Weights: browse.Weights(score(&s.app.cfg.Lists.Weights), name)})
	}
	for _, t := range s.app.themes.Status().Themes {
		if t.State == themes.Served {
			out = append(out, web.ListInfo{Name: themeList(t.Name)})
		}
	}
	return out, nil
}

// Titles are those of the artifacts that are stored and have one, for a terminal.
func (a *App) Titles(ids []string) map[string]string {
	cards, err := a.shelves.cards.Cards(ids)
	if err != nil {
		a.log.Warn("titles are not shown", "error", err)
	}
	titles := make(map[string]string, len(cards))
	for id, c := range cards {
		titles[id] = c.Title
	}
	return titles
}

func themeList(theme string) string { return "theme:" + theme }

// List is a list with the cards of its entries.
func (s *service) List(ctx context.Context, id, name string, weights map[string]float64, k int) (list *browse.List, err error) {
	if weights != nil {
		list, err = s.weighed(ctx, id, weights, k)
	} else {
		list, err = s.list(ctx, id, name, k)
	}
	if err != nil {
		return nil, err
	}
	return list, s.fill(list)
}

func (s *service) weighed(ctx context.Context, id string, weights map[string]float64, k int) (*browse.List, error) {
	found, err := s.SimilarByWeights(ctx, web.Subject{ID: id}, weights, k)
	if err != nil {
		return nil, err
	}
	list := &browse.List{Name: rerank.ListTotal, Items: []browse.Item{}}
	for _, i := range found.Items {
		list.Items = append(list.Items, browse.Item{ID: i.ID, Score: i.Score, Parts: i.Parts})
	}
	return list, nil
}

// fill puts to the entries of a list what they are, and who else has them.
func (s *service) fill(list *browse.List) error {
	s.hold(list)
	return browseError(s.app.shelves.cards.Fill(list))
}

func (s *service) hold(list *browse.List) {
	q := s.app.manager.Engine().Queries()
	for i := range list.Items {
		list.Items[i].Holders = q.Holders(list.Items[i].ID)
	}
}

func (s *service) list(ctx context.Context, id, name string, k int) (*browse.List, error) {
	theme, themed := strings.CutPrefix(name, themeList(""))
	if name == rerank.ListTotal {
		found, err := s.SimilarLearned(ctx, web.Subject{ID: id}, k)
		if err != nil || found != nil {
			return learnedList(found), err
		}
	}
	if !themed {
		found, err := s.Similar(ctx, id, name, k)
		if err != nil {
			return nil, err
		}
		list := browse.ListOf(score(&s.app.cfg.Lists.Weights), rerank.List{Name: name, Entries: found.Items})
		return &list, nil
	}
	found, err := s.byTheme(ctx, web.Subject{ID: id}, theme, k)
	if err != nil {
		return nil, webError(err)
	}
	return themedList(theme, found), nil
}

// themedList is a list of a theme, to be shown.
func themedList(theme string, found *themes.Answer) *browse.List {
	list := &browse.List{Name: themeList(theme), Items: []browse.Item{}}
	for _, i := range found.Items {
		item := browse.Item{ID: i.ID, Score: i.Score, Parts: map[string]float64{
			"terms": i.Parts.Terms, "neighbours": i.Parts.Neighbours, "profile": i.Parts.Profile, "theme_words": i.Parts.Words,
		}}
		for _, shared := range i.Shared {
			item.Shared = append(item.Shared, shared.Term)
		}
		list.Items = append(list.Items, item)
	}
	return list
}

func (s *service) View(ctx context.Context, id string, k int) (v *browse.View, err error) {
	total, err := s.list(ctx, id, rerank.ListTotal, k)
	if err != nil {
		return nil, err
	}
	general, err := s.list(ctx, id, rerank.ListGeneral, k)
	if err != nil {
		return nil, err
	}
	s.hold(total)
	s.hold(general)
	if v, err = s.app.shelves.cards.View(id, *total, *general); err != nil {
		return nil, browseError(err)
	}
	v.Holders = s.app.manager.Engine().Queries().Holders(id)
	return v, nil
}

func (s *service) Card(_ context.Context, id string) (*browse.Card, error) {
	c, err := s.app.shelves.cards.Card(id)
	return &c, browseError(err)
}

func (s *service) Search(_ context.Context, q search.Query) (*web.Found, error) {
	a := s.app.shelves.words.Find(q)
	cards, err := s.app.shelves.cards.Cards(a.IDs)
	if err != nil {
		return nil, browseError(err)
	}
	found := &web.Found{Items: []browse.Card{}, Total: a.Total, Indexed: a.Indexed, Ready: a.Ready}
	for _, id := range a.IDs {
		if c, ok := cards[id]; ok { // else it is gone, and the index has not heard of it yet
			found.Items = append(found.Items, c)
		}
	}
	if a.More {
		found.Next = a.IDs[len(a.IDs)-1]
	}
	return found, nil
}

// shownValues is how many cultures, periods and types a search offers each.
const shownValues = 100

func (s *service) Values(context.Context) (map[string][]search.Value, error) {
	return s.app.shelves.words.Values(shownValues), nil
}

func (s *service) Medium(ctx context.Context, id string, place int) (*media.Medium, error) {
	m, err := s.app.shelves.media.Medium(ctx, id, place)
	return m, s.app.mediaError(err)
}

func (s *service) Picture(ctx context.Context, id string, place, side int) (*media.Medium, error) {
	m, err := s.app.shelves.media.Picture(ctx, id, place, side)
	return m, s.app.mediaError(err)
}

func (s *service) Look(after string, in live.Interest) (*live.Viewer, error) {
	v, err := s.app.shelves.live.Open(after, in)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", web.ErrUnavailable, err)
	}
	return v, nil
}

// mediaError is browseError, but for why a medium is not shown: that may name files and hosts of the daemon's own network.
func (a *App) mediaError(err error) error {
	if errors.Is(err, media.ErrUnfit) {
		a.log.Debug("a medium is not shown", "error", err)
		return fmt.Errorf("%w: it is no picture or recording that is read here, or can't be had", web.ErrUnfit)
	}
	return browseError(err)
}

// browseError is webError with the errors of who shows artifacts.
func browseError(err error) error {
	switch {
	case errors.Is(err, browse.ErrNotFound), errors.Is(err, media.ErrNotFound), errors.Is(err, projection.ErrNotFound):
		return meaning{err, web.ErrNotFound}
	case errors.Is(err, media.ErrBusy), errors.Is(err, projection.ErrBusy):
		return meaning{err, web.ErrUnavailable}
	}
	return webError(err)
}
