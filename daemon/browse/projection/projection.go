package projection

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kilim/annindex"
	"kilim/daemon/pace"
	"kilim/graphstore"
	"kilim/learner/tensor/par"
)

// Config is what a Keeper works with.
type Config struct {
	// Folder is where the map is kept. It belongs to the Keeper.
	Folder string
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
	// Quiet is true while no batches come.
	Quiet() bool
}

// Keeper keeps the map of an archive. Run works; all else may be called meanwhile, from any goroutine.
type Keeper struct {
	cfg     Config
	archive Archive
	pool    *par.Pool
	table   *table
	changes *changes

	// What follows is Run's alone.
	placer *placer // nil: nothing is laid out
	made   made
	last   round
	worked time.Duration // by the round at work
	saved  saved

	progress struct {
		sync.Mutex
		phase string
		ratio float64
		made  made
	}
}

// Open reads the map that is kept in the folder, and makes the folder if it is not there. Run sets the Keeper to work.
func Open(cfg Config, archive Archive) (*Keeper, error) {
	if err := os.MkdirAll(cfg.Folder, 0o755); err != nil {
		return nil, fmt.Errorf("projection: %w", err)
	}
	pool, err := par.New(1) // no goroutine but Run's
	if err != nil {
		return nil, fmt.Errorf("projection: %w", err)
	}
	k := &Keeper{cfg: cfg, archive: archive, pool: pool, table: newTable(), changes: newChanges(), last: round{ended: time.Now()}}
	k.enter(Idle)
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

const (
	// lookEvery is how often Run looks whether it is time for a round: another state may serve.
	lookEvery = 250 * time.Millisecond
	// renewedAtOnce is how many artifacts are placed between two looks, and two steps of a layout: some 20 ms.
	renewedAtOnce = 100
	// saveEvery is how old the file becomes while newcomers are placed.
	saveEvery = time.Minute
)

// Run works until ctx ends. What fails is logged and tried again: the map is never a reason to end the daemon.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	k.reconcile()
	for ctx.Err() == nil {
		if k.due(time.Now()) {
			k.round(ctx)
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
		select {
		case <-ctx.Done():
		case <-k.changes.wake:
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

func (k *Keeper) file() string { return filepath.Join(k.cfg.Folder, "map") }
