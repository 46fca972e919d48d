package projection

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Themes are the maps of themes, beside that of the archive: of those that somebody looks at. They may be asked for from any goroutine.
type Themes struct {
	cfg     Config
	general *Keeper
	archive func(theme string) Archive

	lock sync.Mutex
	open map[string]*themed
	// dropped counts the layouts of maps that are there no more.
	dropped struct{ made, failed int64 }
	wake    chan struct{} // has room for one signal
}

// themed is a map of a theme. end is nil before Run has set it to work.
type themed struct {
	*Keeper
	end context.CancelFunc
}

const (
	// MostThemes have a map at the same time.
	MostThemes = 2
	// forgottenAfter is how long nobody looks at a theme's map until it is dropped.
	forgottenAfter = 2 * time.Minute
)

// ErrBusy says that as many maps of themes as there may be are looked at.
var ErrBusy = errors.New("as many maps of themes as there may be are looked at")

// NewThemes makes maps beside general of what archive gives for a theme. Of cfg, Memory is that of all of them.
func NewThemes(cfg Config, general *Keeper, archive func(theme string) Archive) *Themes {
	cfg.Folder, cfg.Beside = "", general
	cfg.Memory /= MostThemes
	return &Themes{cfg: cfg, general: general, archive: archive, open: map[string]*themed{}, wake: make(chan struct{}, 1)}
}

// Look is the map of a theme that there is. Somebody looks at it: when it is not there it is made, for which the one that nobody has looked at for longest may have to go.
func (t *Themes) Look(theme string) (*Keeper, error) {
	t.general.Look() // its points are where a theme's begin, and where who looks returns to
	t.lock.Lock()
	defer t.lock.Unlock()
	m := t.open[theme]
	if m == nil {
		if err := t.room(); err != nil {
			return nil, err
		}
		k, err := Open(t.cfg, t.archive(theme))
		if err != nil {
			return nil, fmt.Errorf("the map of theme %q: %w", theme, err)
		}
		m = &themed{Keeper: k}
		t.open[theme] = m
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
	m.Look()
	return m.Keeper, nil
}

// room drops a map if another one would be too many. It is called with the lock held.
func (t *Themes) room() error {
	if len(t.open) < MostThemes {
		return nil
	}
	oldest := ""
	for theme, m := range t.open {
		if oldest == "" || m.looked.Load().Before(*t.open[oldest].looked.Load()) {
			oldest = theme
		}
	}
	if time.Since(*t.open[oldest].looked.Load()) < lookedFor {
		return fmt.Errorf("projection: %w: %d", ErrBusy, MostThemes)
	}
	t.drop(oldest)
	return nil
}

// drop is called with the lock held.
func (t *Themes) drop(theme string) {
	m := t.open[theme]
	if m.end != nil {
		m.end()
	}
	t.dropped.made += m.counts.made.Load()
	t.dropped.failed += m.counts.failed.Load()
	delete(t.open, theme)
}

// Run works at the maps until ctx ends, and drops those that nobody looks at any more.
func (t *Themes) Run(ctx context.Context) error {
	var working sync.WaitGroup
	defer working.Wait()
	tick := time.NewTicker(lookedFor)
	defer tick.Stop()
	for {
		t.turn(ctx, &working, time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-t.wake:
		case <-tick.C:
		}
	}
}

// turn sets those to work that are new, and drops those that are forgotten.
func (t *Themes) turn(ctx context.Context, working *sync.WaitGroup, now time.Time) {
	t.lock.Lock()
	defer t.lock.Unlock()
	for theme, m := range t.open {
		if now.Sub(*m.looked.Load()) >= forgottenAfter {
			t.drop(theme)
		} else if m.end == nil {
			var until context.Context
			until, m.end = context.WithCancel(ctx)
			working.Go(func() {
				if err := m.Run(until); err != nil {
					t.cfg.Log.Error("the map of a theme is not worked at any more", "theme", theme, "err", err)
				}
			})
		}
	}
}
