package ranking

import (
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"kilim/daemon/judgments"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/text"
	"kilim/rerank"
	"kilim/rerank/rank"
	"kilim/rerank/rank/pair"
)

// Config is what a Keeper works with.
type Config struct {
	// Folder is where the last Decision is kept. It belongs to the Keeper.
	Folder string
	// Least is how many groups of judged artifacts a model is fitted to, at least; 0: none is fitted.
	Least int
	// Fit says how a model is fitted.
	Fit rank.Config
	// CacheBytes bounds what is kept in memory of the artifacts whose lists are ordered to be published.
	CacheBytes int
}

// State says what a stated order is made by: the state that serves and the weights.
type State struct {
	Generation int                 `json:"generation"`
	Epoch      uint32              `json:"epoch"`
	Weights    rerank.ScoreWeights `json:"weights"`
}

// Judgments are what people say.
type Judgments interface {
	// List is what is said of an artifact, or everything when id is empty.
	List(id string) []judgments.Judgment
	Len() int
	// Changes is how often that has changed, and whether all is known: while a topic is read from its beginning, it is not.
	Changes() (count uint64, complete bool)
}

// Archive is the state that serves, whichever that is.
type Archive interface {
	// View calls fn with the committed documents, once or, when another state begins to serve, more often.
	View(fn func(Documents) error) error
	// Quiet is true while no batches come.
	Quiet() bool
	State() State
	// Artifacts is how many are stored.
	Artifacts() int
	// Stated is the first k of an artifact's list by stated weights, with the State that made it; the error is an ErrNoArtifact for one that is not
	// stored.
	Stated(ctx context.Context, id string, k int) ([]rerank.Entry, State, error)
	// Use has the lists that are published ordered by a Ranker while the State that it is for serves; nil, or another State: they are published as
	// they are stated.
	Use(r *Ranker, of State) error
}

// Documents are the records of a committed state.
type Documents interface {
	weave.Documents
	// ArtifactsAfter returns the ids of artifacts whose nodes are greater than after, by ascending node, at most limit of them.
	ArtifactsAfter(after graphstore.NodeID, limit int) ([]string, error)
}

// ErrNoArtifact is wrapped by an Archive's error for an artifact that is not stored.
var ErrNoArtifact = errors.New("not stored")

// Keeper learns the order of lists and puts lists into it. Run works; all else may be called meanwhile, from any goroutine.
type Keeper struct {
	cfg       Config
	archive   Archive
	judgments Judgments
	reader    *pair.Reader
	metrics   *Metrics
	log       *slog.Logger

	decided atomic.Pointer[decided] // nil: nothing is
	// worked is how long the round at work has, and unkept is true while the file is not what was decided. They are Run's alone.
	worked time.Duration
	unkept bool

	status struct {
		sync.Mutex
		phase string
	}
}

// decided is a Decision with what serves by it, nil when it is refused.
type decided struct {
	Decision
	*learned
}

// learned is a model with what it reads.
type learned struct {
	model  *rank.Model
	counts *pair.Frequencies
	// name tells it from others: those of one name order alike.
	name uint64
}

// newLearned names a model with its frequencies by a hash of their bytes, so that a fit that comes to the same is the same.
func newLearned(model *rank.Model, counts *pair.Frequencies) (*learned, error) {
	h := sha256.New()
	for _, m := range []encoding.BinaryMarshaler{model, counts} {
		b, err := m.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("ranking: name a model: %w", err)
		}
		h.Write(binary.LittleEndian.AppendUint64([]byte{fileFormat}, uint64(len(b))))
		h.Write(b)
	}
	return &learned{model, counts, max(1, binary.LittleEndian.Uint64(h.Sum(nil)))}, nil
}

// Open opens what is kept in the folder, and makes it if it is not there. What is kept and can't be used costs a fit. words cuts texts into words.
func Open(cfg Config, archive Archive, said Judgments, words *text.Encoder, metrics *Metrics, log *slog.Logger) (*Keeper, error) {
	if cfg.Least != 0 && cfg.Least < rank.LeastQueries {
		return nil, fmt.Errorf("ranking: a model of %d groups of judged artifacts: want %d at least, or 0 for none", cfg.Least, rank.LeastQueries)
	}
	if err := os.MkdirAll(cfg.Folder, 0o755); err != nil {
		return nil, fmt.Errorf("ranking: %w", err)
	}
	k := &Keeper{cfg: cfg, archive: archive, judgments: said, reader: pair.NewReader(words), metrics: metrics, log: log}
	k.status.phase = Idle
	d, err := read(k.file())
	switch {
	case err != nil:
		log.Warn("the learned order that was kept can't be used; another one is fitted", "err", err)
	case d != nil && d.Settings == k.settings():
		k.decided.Store(d)
	}
	if err := k.use(k.decided.Load()); err != nil {
		return nil, err
	}
	return k, nil
}

// use has lists published in the order of what is decided, nil: nothing is.
func (k *Keeper) use(d *decided) error {
	var ranker *Ranker
	var of State
	if d != nil {
		ranker, of = newRanker(d.learned, k.reader, k.cfg.CacheBytes, k.metrics), d.State
	}
	if err := k.archive.Use(ranker, of); err != nil {
		return fmt.Errorf("ranking: have lists published in another order: %w", err)
	}
	return nil
}

func (k *Keeper) file() string { return fileIn(k.cfg.Folder) }

func fileIn(folder string) string { return filepath.Join(folder, "decision") }

func (k *Keeper) settings() Settings {
	fit := k.cfg.Fit
	fit.Threads = 0 // changes no result
	return Settings{Least: k.cfg.Least, Fit: fit}
}

const (
	// lookEvery is how often Run looks whether judgments or the archive have changed.
	lookEvery = 250 * time.Millisecond
	// spacing is how many times as long as a round took the next one is put off: a quarter of one processor is taken, at most.
	spacing = 3
	// againAfter is how long after a round that failed the next one is tried, at least.
	againAfter = time.Minute
	// grown is the share by which the number of artifacts has changed when a model is fitted anew for that alone.
	grown = 0.2
)

// rounds is what is known of the last one.
type rounds struct {
	any, failed bool
	ended       time.Time
	// cost is how long it worked, changes and state what it began with.
	cost    time.Duration
	changes uint64
	state   State
	// counted are the changes up to which it is known that what serves has judgments enough.
	counted uint64
}

// Run works until ctx ends. What fails is logged and tried again: an order that is not learned is never a reason to end the daemon.
func (k *Keeper) Run(ctx context.Context) error {
	if k.cfg.Least == 0 {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var last rounds
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if k.due(&last, time.Now()) {
			k.round(ctx, &last)
		}
	}
}

// Learn is a round now, whose result it tells. Run does so itself; it is for who has no Run at work.
func (k *Keeper) Learn(ctx context.Context) (result string) { return k.round(ctx, new(rounds)) }

// due tells whether something else may be decided than was.
func (k *Keeper) due(last *rounds, now time.Time) bool {
	changes, complete := k.judgments.Changes()
	idle := now.Sub(last.ended)
	switch {
	case !complete:
		return false
	case !last.any:
		return true
	case k.isWithdrawn(last, changes):
		return true
	case idle < spacing*last.cost:
		return false
	case last.failed:
		return idle >= againAfter
	}
	return changes != last.changes || k.archive.State() != last.state || k.hasGrown()
}

// isWithdrawn tells whether too few judgments are left of what serves: it is not to serve until a fit might be made again, which they don't take.
func (k *Keeper) isWithdrawn(last *rounds, changes uint64) bool {
	if changes == last.counted || !k.Serves(k.archive.State()) {
		return false
	}
	all, ok := k.all(changes)
	if !ok {
		return false
	}
	last.counted = changes
	return groupCount(questions(all, k.cfg.Fit.Seed)) < k.cfg.Least
}

// all are the judgments after so many changes; ok is false if there were more meanwhile. A partition that is read anew is forgotten first: what is left then
// must not be taken for all there is.
func (k *Keeper) all(changes uint64) (all []judgments.Judgment, ok bool) {
	all = k.judgments.List("")
	now, complete := k.judgments.Changes()
	return all, complete && now == changes
}

// hasGrown tells whether the archive is another than that of the last fit.
func (k *Keeper) hasGrown() bool {
	d := k.decided.Load()
	return d != nil && d.Artifacts > 0 && math.Abs(float64(k.archive.Artifacts()-d.Artifacts)) > grown*float64(d.Artifacts)
}

// Results of a round.
const (
	served    = "served"    // another model serves
	refused   = "refused"   // what was fitted is not better than the stated order
	few       = "few"       // there are too few judgments to fit anything
	unchanged = "unchanged" // it is decided already
	failed    = "failed"
)

// round decides anew if judgments, state or archive are others than those that were decided on.
func (k *Keeper) round(ctx context.Context, last *rounds) (result string) {
	defer k.enter(Idle)
	changes, _ := k.judgments.Changes()
	*last = rounds{any: true, changes: changes, counted: changes, state: k.archive.State()}
	k.worked = 0
	result, err := k.decide(ctx, last.state, changes)
	last.ended, last.cost = time.Now(), k.worked
	switch {
	case errors.Is(err, errMoved):
		last.state = State{} // whichever serves now, it is another
		return unchanged
	case err != nil && ctx.Err() != nil:
		last.failed = true
		return failed // it is the stop's fault, and no failure to tell
	case err != nil:
		result, last.failed = failed, true
		k.log.Error("the order of lists can't be learned now; what serves goes on", "err", err)
	}
	if counted := k.metrics.fits[result]; counted != nil {
		counted.Inc()
	}
	return result
}

func (k *Keeper) decide(ctx context.Context, state State, changes uint64) (result string, err error) {
	said, ok := k.all(changes)
	if !ok {
		return "", errMoved
	}
	asked := questions(said, k.cfg.Fit.Seed)
	now := Decision{Format: fileFormat, At: time.Now().UTC(), State: state, Settings: k.settings(), Judgments: sumOf(asked), Questions: len(asked), Groups: groupCount(asked)}
	was := k.decided.Load()
	if now.Groups < k.cfg.Least {
		now.Reason = fmt.Sprintf("%d groups of artifacts are judged alike, and rank.least is %d", now.Groups, k.cfg.Least)
		if was == nil && now.Groups == 0 {
			return few, nil // nothing was ever judged
		}
		return few, k.take(&decided{Decision: now})
	}
	if was != nil && was.State == state && was.Judgments == now.Judgments && was.Artifacts > 0 && !k.hasGrown() {
		if k.unkept {
			return unchanged, k.take(was)
		}
		return unchanged, nil
	}
	d, err := k.fit(ctx, now, asked)
	if err != nil {
		return "", err
	}
	if err := k.take(d); err != nil {
		return "", err
	}
	k.log.Info("the order of lists was learned", "serves", d.Serves, "why", d.Reason, "judged", d.Questions, "groups", d.Groups, "artifacts", d.Artifacts)
	switch {
	case d.Serves:
		return served, nil
	case d.Gate == nil:
		return few, nil
	}
	return refused, nil
}

// take has a Decision hold: first in memory, since what is withdrawn must not serve because a disk is full.
func (k *Keeper) take(d *decided) error {
	used := k.use(d) // first, so that who is told that it serves finds the lists due
	k.decided.Store(d)
	err := errors.Join(used, write(k.file(), d))
	k.unkept = err != nil
	return err
}

func (k *Keeper) enter(phase string) {
	k.status.Lock()
	defer k.status.Unlock()
	k.status.phase = phase
}
