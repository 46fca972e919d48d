package cultures

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"kilim/daemon/pipeline/atlas"
	"kilim/internal/pause"
	"kilim/rerank/maps"
)

// Archive is the state that serves, whichever that is.
type Archive interface {
	// Version is another one, comparable by ==, after anything that Read shows has changed.
	Version() any
	// Quiet is true while no batches come.
	Quiet() bool
	// Themes are those that can be asked about. known is false while it is not known yet which they are.
	Themes() (names []string, known bool)
	// Read compares groups, in a theme if the question names one.
	Read(atlas.Question) (*atlas.Answer, error)
}

// Store keeps what was told, in the state that serves.
type Store interface {
	// Rows calls fn with each row that was Put.
	Rows(fn func(key string, row []byte) error) error
	// Lost is the revision up to which what was published is not known to be in its topic any more.
	Lost() uint64
	// Commit makes all durable at once that write does. It may call write more than once: all but the last are for nothing.
	Commit(ctx context.Context, write func(Writer) error) error
}

// Writer takes up what is durable with one commit.
type Writer interface {
	// Revision numbers the commit; each is greater than those before.
	Revision() uint64
	// Put stores the row of a cell, and Delete removes it.
	Put(key string, row []byte) error
	Delete(key string) error
	// Tell puts the message of a cell into the outbox; nil: it is not there any more.
	Tell(key string, value []byte) error
}

// Keeper keeps the cells that are told up to date. Run works; Told may be called meanwhile, from any goroutine.
type Keeper struct {
	linger  time.Duration
	archive Archive
	store   Store
	metrics *Metrics
	log     *slog.Logger
	now     func() time.Time

	// lock is held for writing by Run alone, while told changes.
	lock sync.RWMutex
	told map[string]*row
	// comparers are by kind and theme.
	comparers map[[2]string]*maps.Comparer
}

// Open takes up what was told. Rounds are linger apart at least.
func Open(linger time.Duration, archive Archive, store Store, metrics *Metrics, log *slog.Logger) (*Keeper, error) {
	k := &Keeper{linger: linger, archive: archive, store: store, metrics: metrics, log: log, now: time.Now,
		told: map[string]*row{}, comparers: map[[2]string]*maps.Comparer{}}
	if err := store.Rows(func(key string, b []byte) error {
		r, err := parse(key, b)
		if err != nil {
			// What the topic says is not known then. The row is told again, or taken back, in the first round.
			log.Warn("the row of a cell can't be read; it is told again", "cell", key, "err", err)
			r = new(row)
		}
		k.told[key] = r
		return nil
	}); err != nil {
		return nil, fmt.Errorf("cultures: the cells that are stored: %w", err)
	}
	metrics.cells.Set(float64(len(k.told)))
	return k, nil
}

// Told is a cell as it was told last, nil when it was not.
func (k *Keeper) Told(field, theme, a, b string) *Cell {
	k.lock.RLock()
	defer k.lock.RUnlock()
	if r := k.told[Key(field, theme, a, b)]; r != nil && r.Cell.Revision > 0 {
		return &r.Cell
	}
	return nil
}

const (
	// AtOnce is how many cells a commit writes at most, lest a batch wait for it.
	AtOnce = 128
	// lookEvery is how often Run looks whether anything has changed.
	lookEvery = 250 * time.Millisecond
	// Times of a round that pass before the next one begins, while records come and while none do.
	spacingBusy, spacingQuiet = 19, 3
)

// Run works until ctx ends. What fails is logged and tried again: maps are never a reason to end the daemon.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var seen any
	var cost time.Duration
	ended := k.now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		spacing := time.Duration(spacingBusy)
		if k.archive.Quiet() {
			spacing = spacingQuiet
		}
		now := k.version()
		if now == seen || k.now().Sub(ended) < max(k.linger, spacing*cost) {
			continue
		}
		start := k.now()
		err := k.round(ctx, func(took time.Duration) { pause.For(ctx, spacingQuiet*took) })
		ended = k.now()
		cost = ended.Sub(start)
		switch {
		case err == nil:
			seen = now
		case ctx.Err() == nil:
			k.metrics.failures.Inc()
			k.log.Warn("how near cultures are can't be told now; it is tried again", "err", err)
		}
	}
}

// version is another one after all that a round depends on.
func (k *Keeper) version() any {
	names, known := k.archive.Themes()
	return [4]any{k.archive.Version(), k.store.Lost(), len(names), known}
}

// change is a cell that is to be told; without a row it is to be taken back.
type change struct {
	key string
	row *row
}

// round tells what is not what was told. rest is called between two commits, with how long the first took.
func (k *Keeper) round(ctx context.Context, rest func(time.Duration)) error {
	start := time.Now()
	changes, err := k.changes()
	k.metrics.reading.Add(time.Since(start).Seconds())
	k.metrics.rounds.Inc()
	if err != nil {
		return err
	}
	for i := 0; i < len(changes); i += AtOnce {
		some := changes[i:min(i+AtOnce, len(changes))]
		start := time.Now()
		if err := k.store.Commit(ctx, func(w Writer) error { return write(w, some) }); err != nil {
			return fmt.Errorf("cultures: store %d cells: %w", len(some), err)
		}
		k.took(some)
		if i+AtOnce < len(changes) {
			rest(time.Since(start))
		}
	}
	return nil
}

// changes are those of the archive against what was told, by key.
func (k *Keeper) changes() ([]change, error) {
	themes, known := k.archive.Themes()
	lost, now := k.store.Lost(), k.now()
	cells, read := map[string]struct{}{}, map[[2]string]*maps.Comparer{}
	var out []change
	for _, theme := range append([]string{""}, themes...) {
		for _, field := range atlas.Kinds() {
			comparer := k.comparers[[2]string{field, theme}]
			if comparer == nil {
				comparer = new(maps.Comparer)
			}
			read[[2]string{field, theme}] = comparer
			answer, err := k.archive.Read(atlas.Question{Kind: field, Theme: theme, Most: Groups, Comparer: comparer})
			if err != nil {
				return nil, fmt.Errorf("cultures: compare each %s, theme %q: %w", field, theme, err)
			}
			for _, c := range cellsOf(answer) {
				key := c.key()
				cells[key] = struct{}{}
				if was := k.told[key]; was == nil || was.Cell.Revision <= lost || c.differs(&was.Cell) {
					out = append(out, change{key, c.after(was, now)})
				}
			}
		}
	}
	k.comparers = read
	for key, was := range k.told {
		if _, there := cells[key]; !there && (known || was.Cell.Theme == "") {
			out = append(out, change{key: key})
		}
	}
	slices.SortFunc(out, func(a, b change) int { return strings.Compare(a.key, b.key) })
	return out, nil
}

func write(w Writer, changes []change) error {
	for _, c := range changes {
		if c.row == nil {
			if err := w.Delete(c.key); err != nil {
				return err
			}
			if err := w.Tell(c.key, nil); err != nil {
				return err
			}
			continue
		}
		c.row.Cell.Revision = w.Revision()
		b, err := c.row.marshal()
		if err != nil {
			return err
		}
		if err := w.Put(c.key, b); err != nil {
			return err
		}
		value, err := json.Marshal(c.row.Cell)
		if err != nil {
			return fmt.Errorf("cultures: cell %q: %w", c.key, err)
		}
		if err := w.Tell(c.key, value); err != nil {
			return err
		}
	}
	return nil
}

// took says that changes are durable.
func (k *Keeper) took(changes []change) {
	k.lock.Lock()
	defer k.lock.Unlock()
	for _, c := range changes {
		if c.row == nil {
			delete(k.told, c.key)
		} else {
			k.told[c.key] = c.row
		}
	}
	k.metrics.cells.Set(float64(len(k.told)))
}
