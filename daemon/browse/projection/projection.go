package projection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"kilim/annindex"
	"kilim/daemon/pace"
	"kilim/graphstore"
	"kilim/learner/tensor/par"
)

// Config is what a Keeper works with.
type Config struct {
	// Folder is where the map is kept. It belongs to the Keeper.
	Folder string
	// Beside is the map of the archive when this one is of a theme: see Themes. It is kept in no Folder, its first layout starts from the places of Beside, it is
	// worked at only while somebody looks, and follows its Vectors without being told what has changed.
	Beside *Keeper
	// Memory is about how many bytes all of it may take.
	Memory int
	Log    *slog.Logger
}

const (
	// laidBytes is what a point takes that is laid out, with its neighbours and without its vector, drawnBytes what any point does.
	laidBytes, drawnBytes = 512, 60
	// mostLaid bounds the time of a layout, mostDrawn what a browser is given to draw.
	mostLaid, mostDrawn = 50_000, 300_000
)

func (c *Config) laid(dim int) int { return min(mostLaid, c.Memory/2/(laidBytes+4*dim)) }
func (c *Config) drawn() int       { return min(mostDrawn, c.Memory/2/drawnBytes) }

// Vectors are the unit vectors of a state by the node ids of its artifacts; an annindex.Index is.
type Vectors interface {
	IDs() []uint64 // ascending
	Len() int
	Dim() int
	Vector(id uint64, out []float32) bool
	Search(vec []float32, k int, keep func(uint64) bool) ([]annindex.Hit, error)
}

// Archive is the state that serves, whichever that is.
type Archive interface {
	// Vectors are those of the state, and the number of the state: those of another have nothing to do with them.
	Vectors() (v Vectors, state int)
	// Quiet is true while no batches come, and nothing is left to do of those that came.
	Quiet() bool
}

// Keeper keeps the map of an archive. Run works; all else may be called meanwhile, from any goroutine.
type Keeper struct {
	cfg     Config
	archive Archive
	pool    *par.Pool
	table   *table
	changes *changes

	// turn is that of who makes a layout: one of the map of the archive and those of themes at a time.
	turn *semaphore.Weighted
	// looked is when somebody last looked at the map, nil: nobody did.
	looked atomic.Pointer[time.Time]
	// counts are what was done since the start, for metrics.
	counts struct{ placed, made, failed atomic.Int64 }

	// What follows is Run's alone.
	placer *placer // nil: nothing is laid out
	// newcomers are to be placed. With the points they are no more than Config.drawn.
	newcomers map[uint64]struct{}
	made      made
	last      round
	worked    time.Duration // by the round at work
	laying    int           // the state that it is of
	saved     saved
	followed  Vectors // that changes were looked for in, of a theme's map

	progress struct {
		sync.Mutex
		phase string
		ratio float64
		made  made
	}
}

// Open reads the map that is kept in the folder, and makes the folder if it is not there. Run sets the Keeper to work.
func Open(cfg Config, archive Archive) (*Keeper, error) {
	pool, err := par.New(1) // no goroutine but Run's
	if err != nil {
		return nil, fmt.Errorf("projection: %w", err)
	}
	k := &Keeper{cfg: cfg, archive: archive, pool: pool, table: newTable(), changes: newChanges(), newcomers: map[uint64]struct{}{}, last: round{ended: time.Now()}}
	k.enter(Idle)
	if cfg.Beside != nil {
		k.turn = cfg.Beside.turn
		return k, nil
	}
	k.turn = semaphore.NewWeighted(1)
	if err := os.MkdirAll(cfg.Folder, 0o755); err != nil {
		return nil, fmt.Errorf("projection: %w", err)
	}
	if err := k.restore(); err != nil {
		cfg.Log.Warn("the map of the archive that was kept can't be used; another one is made", "err", err)
	}
	return k, nil
}

// Changed says that records of these artifacts, or that they are gone, were committed. It does not wait for the Keeper.
func (k *Keeper) Changed(ids []string) {
	nodes := make([]uint64, len(ids))
	for i, id := range ids {
		nodes[i] = uint64(graphstore.ID(graphstore.Artifact, id))
	}
	k.changes.note(nodes)
}

// Look says that somebody looks at the map: for a while it is kept up while batches come too.
func (k *Keeper) Look() {
	now := time.Now() // with the reading of the monotonic clock
	k.looked.Store(&now)
}

// lookedFor is how long after Look the map is kept up: the page asks again every two seconds.
const lookedFor = 10 * time.Second

// wanted is false while batches come, or the lists that they change are made, and nobody looks: then these are worth more than a map. A theme's is wanted by who looks alone.
func (k *Keeper) wanted() bool {
	at := k.looked.Load()
	return at != nil && time.Since(*at) < lookedFor || k.cfg.Beside == nil && k.archive.Quiet()
}

// errGivenUp ends a round that has waited until another state served, and one of a theme at which nobody looks: others wait for their turn.
var errGivenUp = errors.New("the layout is not wanted any more")

// await returns when work is wanted. It has a round end that would hold the vectors of a state which serves no more.
func (k *Keeper) await(ctx context.Context) error {
	for !k.wanted() {
		if k.cfg.Beside != nil {
			return errGivenUp
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookEvery):
		}
		k.hear()
		if _, state := k.archive.Vectors(); state != k.laying {
			return errGivenUp
		}
	}
	return nil
}

const (
	// lookEvery is how often Run looks whether it is time for a round: another state may serve, and somebody look.
	lookEvery = 250 * time.Millisecond
	// renewedAtOnce is how many artifacts are placed between two looks, and two steps of a layout: some 20 ms.
	renewedAtOnce = 50
	// saveEvery is how old the file becomes while newcomers are placed.
	saveEvery = time.Minute
)

// Run works until ctx ends. What fails is logged and tried again: the map is never a reason to end the daemon.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	k.reconcile()
	for ctx.Err() == nil {
		k.follow()
		if k.due(time.Now()) && k.turn.TryAcquire(1) {
			k.round(ctx)
			k.turn.Release(1)
			continue
		}
		more, err := k.renew(ctx)
		if err != nil && ctx.Err() == nil {
			k.cfg.Log.Warn("artifacts can't be placed on the map now; they are tried again", "err", err)
			more = false
		}
		if more {
			continue
		}
		k.save(saveEvery)
		wake := k.changes.wake
		if !k.wanted() {
			wake = nil // what changes is looked at by each tick
		}
		select {
		case <-ctx.Done():
		case <-wake:
		case <-tick.C:
		}
	}
	k.save(0)
	return nil
}

// reconcile takes what the map and the state disagree about for changed: a crash may have lost what was told.
func (k *Keeper) reconcile() {
	v, _ := k.archive.Vectors()
	k.changes.note(k.table.disagree(v.IDs()))
}

// follow hears of who has come to a theme and who is gone, of which nobody tells. Whose vector is another one there counts as no change.
func (k *Keeper) follow() {
	v, _ := k.archive.Vectors()
	if k.cfg.Beside == nil || v == k.followed {
		return
	}
	k.followed = v
	k.changes.note(slices.DeleteFunc(k.table.disagree(v.IDs()), func(id uint64) bool {
		_, waits := k.newcomers[id]
		return waits
	}))
}

// restEvery is how long a Keeper works without a rest.
const restEvery = 20 * time.Millisecond

// rest leaves the machine to others, if there was work since a time for restEvery, and returns since when the next work is counted.
func (k *Keeper) rest(ctx context.Context, since time.Time) (time.Time, error) {
	worked := time.Since(since)
	if worked < restEvery {
		return since, ctx.Err()
	}
	k.worked += worked
	if err := pace.Rest(ctx, worked, k.archive.Quiet()); err != nil {
		return since, err
	}
	return time.Now(), nil
}

// breathe is rest for a round, which goes on when it is wanted.
func (k *Keeper) breathe(ctx context.Context, since time.Time) (time.Time, error) {
	rested, err := k.rest(ctx, since)
	if err != nil || rested.Equal(since) || k.wanted() {
		return rested, err
	}
	err = k.await(ctx)
	return time.Now(), err
}

func (k *Keeper) file() string { return filepath.Join(k.cfg.Folder, "map") }
