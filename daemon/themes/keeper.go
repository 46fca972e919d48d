package themes

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"kilim/consumer/profile"
	"kilim/daemon/themes/stored"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/theme"
	"kilim/rerank"
)

// Config is what a Keeper works with.
type Config struct {
	// Folder is where the model and what was declared are kept. It belongs to the Keeper.
	Folder string
	// Declared are the themes of the configuration.
	Declared []Declaration
	// Least is how many artifacts must have labels of a theme that nobody declared.
	Least int
	// Works is how many artifacts with labels are fitted at most; 0: nothing is.
	Works int
	// Memory is about how many bytes all of it may take: a sixth the profiles of the artifacts, as much those by the next model while it takes over,
	// and the rest the fit.
	Memory int
	// Lists says of what size the lists are that are stored and published, and where; nil as Store: none are.
	Lists stored.Config
	Store Store
	// Weights are what themes count where nobody says it; none: what the gate says.
	Weights map[string]float64
	// Taken are the topics that are configured for something else, with the settings that name them. No theme may be declared whose topic is one.
	Taken map[string]string
}

// workMemory is what a work takes while a model is fitted: 8,000 works of the Tate took 19 KiB each.
const workMemory = 25 << 10

func (c *Config) profileBytes() int { return c.Memory / 6 }

func (c *Config) works() int { return min(c.Works, c.Memory*2/3/workMemory) }

// Archive is the state that serves, whichever that is.
type Archive interface {
	// View calls fn with a committed state, once or, when another state begins to serve, more often.
	View(fn func(Documents) error) error
	// Quiet is true while no batches come.
	Quiet() bool
}

// Documents are the records of a committed state.
type Documents interface {
	weave.Documents
	// ArtifactsAfter returns the ids of artifacts whose nodes are greater than after, by ascending node, at most limit of them.
	ArtifactsAfter(after graphstore.NodeID, limit int) ([]string, error)
}

// Keeper keeps the themes of a state: which there are, the model that tells them, and the profiles of the artifacts. Run works; all else may
// be called meanwhile, from any goroutine.
type Keeper struct {
	cfg      Config
	archive  Archive
	log      *slog.Logger
	metrics  *Metrics
	declared *declared
	changes  *changes
	// scans bounds the comparisons with all artifacts that go on at once: each takes a processor for milliseconds.
	scans *semaphore.Weighted
	// weighs bounds how many parts of weighed lists are made at once, see weighedTogether.
	weighs *semaphore.Weighted

	serving atomic.Pointer[serving] // nil: there is no model
	// early answers for the themes of a model that serve not yet, by the artifacts with labels alone; nil: there is no such model.
	early atomic.Pointer[serving]
	// next is the model whose profiles are being made, nil: none's are. It is Run's alone.
	next  *serving
	known atomic.Bool // serving is what is to serve
	// basis was made of the works of these sums. It is Run's alone.
	basis     *theme.Basis
	basisSums string
	// worked is how long the round at work has, and solved how many terms its fit. They are Run's alone.
	worked time.Duration
	solved int
	// wanted: something was declared. hurried: the round at work is for that, and has not answered for it yet. It is Run's alone.
	wanted  atomic.Bool
	hurried bool
	lists   keeping

	status struct {
		sync.Mutex
		progress
	}
}

// Open opens what is kept in the folder, and makes it if it is not there. Run sets the Keeper to work.
func Open(cfg Config, archive Archive, metrics *Metrics, log *slog.Logger) (*Keeper, error) {
	if err := os.MkdirAll(cfg.Folder, 0o755); err != nil {
		return nil, fmt.Errorf("themes: %w", err)
	}
	d, err := openDeclared(filepath.Join(cfg.Folder, "declared.json"), cfg.Declared)
	if err != nil {
		return nil, err
	}
	k := &Keeper{cfg: cfg, archive: archive, log: log, metrics: metrics, declared: d, changes: newChanges(),
		scans: semaphore.NewWeighted(int64(max(1, runtime.GOMAXPROCS(0)-1))), weighs: semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0)))}
	k.cfg.Lists.Themes = mostLists
	k.lists.lists = stored.New(k.cfg.Lists)
	k.status.phase = Idle
	for _, declaration := range cfg.Declared {
		if err := k.free(declaration.Name); err != nil {
			return nil, fmt.Errorf("themes.declare: %w", err)
		}
	}
	return k, nil
}

func (k *Keeper) modelFile() string { return filepath.Join(k.cfg.Folder, "model") }

// Declare adds a theme, durably. It is learned at once, without waiting for more labels.
func (k *Keeper) Declare(d Declaration) error {
	if err := k.free(d.Name); err != nil {
		return err
	}
	s := k.serving.Load()
	d.Apart = s != nil && !slices.Contains(s.model.Themes(), d.Name)
	if err := k.declared.add(d); err != nil {
		return err
	}
	k.log.Info("a theme was declared", "theme", d.Name, "weak", d.Weak)
	k.wanted.Store(true)
	k.changes.signal()
	return nil
}

const (
	// lookEvery is how often Run looks whether it is time for a round.
	lookEvery = 250 * time.Millisecond
	// busyFor is how long a round waits for a feed to end, so that labels that come together are learned together, and how long after
	// one that failed the next is tried.
	busyFor = time.Minute
	// renewedAtOnce is how many profiles are renewed between two looks, and between two parts of a fit: some 100 ms, and with lists of 12,000 artifacts
	// that are stored some 300.
	renewedAtOnce = 32
)

// Run works until ctx ends. What fails is logged and tried again: lists of themes are never a reason to end the daemon.
func (k *Keeper) Run(ctx context.Context) error {
	if err := k.loadLists(); err != nil {
		return err
	}
	if k.cfg.Works == 0 {
		k.replaced() // no theme is learned any more: all lists go
	} else if err := k.Restore(ctx); err != nil && ctx.Err() == nil {
		k.log.Warn("the model of themes that was kept can't be used; another one is fitted", "err", err)
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last := rounds{ended: time.Now()}
	for ctx.Err() == nil {
		if k.cfg.Works > 0 && k.due(last) {
			k.round(ctx, &last)
			continue
		}
		more, err := k.renew(ctx)
		if err != nil && ctx.Err() == nil {
			k.metrics.failures.Inc()
			k.log.Warn("profiles and lists of themes can't be renewed now; they are tried again", "err", err)
			more = false
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
		case <-k.changes.wake:
		case <-tick.C:
		}
	}
	return nil
}

// Restore has the model serve that was kept, if one was. Run does so itself; it is for who reads a folder that no daemon has open.
func (k *Keeper) Restore(ctx context.Context) error {
	defer k.enter(Idle)
	made, m, err := read(k.modelFile())
	if err != nil || m == nil {
		return err
	}
	return k.serve(ctx, m.Apart(slices.Collect(maps.Keys(made.Apart))...), made)
}

// renew renews profiles of artifacts that batches have changed, and their lists, and tells whether others may wait. Rounds call it between the parts of their
// work, so that lists follow records meanwhile.
func (k *Keeper) renew(ctx context.Context) (more bool, err error) {
	changed := k.changes.take(renewedAtOnce)
	start := time.Now()
	if err := k.reprofile(changed); err != nil {
		k.changes.again(changed)
		return true, err
	}
	told, err := k.relist(ctx, changed)
	if err != nil {
		k.changes.again(changed)
		return true, err
	}
	k.changes.renewed(changed)
	if len(changed) == 0 && told == 0 {
		return false, nil
	}
	return true, k.rest(ctx, time.Since(start))
}

// reprofile makes the profiles of artifacts what their documents say, those of the model that serves and of the one that is to.
func (k *Keeper) reprofile(changed []rerank.Cause) error {
	var all []*serving
	for _, s := range []*serving{k.serving.Load(), k.next, k.early.Load()} {
		if s != nil {
			all = append(all, s)
		}
	}
	if len(all) == 0 || len(changed) == 0 {
		return nil
	}
	var artifacts []*profile.Artifact // nil where there is none
	err := k.archive.View(func(r Documents) error {
		artifacts = artifacts[:0]
		for _, c := range changed {
			a, err := weave.ReadIfSound(r, c.ID)
			if err != nil {
				return err
			}
			artifacts = append(artifacts, a)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, a := range artifacts {
		for _, s := range all {
			switch {
			case a == nil:
				s.remove(changed[i].ID)
			case s.takes(a.ID):
				s.put(a)
			default:
				s.changed(a.ID)
			}
		}
	}
	return nil
}
