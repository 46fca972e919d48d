package topk

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"kilim/internal/waiting"
	"kilim/rerank"
	"kilim/rerank/topk/bound"
	"kilim/rerank/topk/stale"
)

// mostExact is enough to bound the scores of some 110,000 artifacts of real archives. For more, going over all of them would be most of
// what a newcomer takes. leastExact is for caches that are smaller than any archive.
const (
	mostExact  = 160 << 20
	leastExact = 16 << 20
)

// Share divides the bytes that lists may take into Config.CacheBytes and Config.ExactBytes.
func Share(bytes int) (cache, exact int) {
	exact = min(max(bytes/2, leastExact), mostExact)
	return max(bytes-exact, bytes/2), exact
}

// Config says how long lists are, where candidates come from, and how eagerly lists are made anew.
type Config struct {
	// Size is the length of each list.
	Size int
	// Candidates is the number of nearest artifacts that stage 2 looks at, and the most that shared rare entities and
	// links may add.
	Candidates int
	// RareMembers is the most artifacts that share a rare entity.
	RareMembers int
	// Tolerance is the change of a score below which a list is not published again.
	Tolerance float32
	// Sweep is how far the archive may change, in archives, before lists made earlier are stale.
	Sweep float64
	// Settings numbers what the lists are made by: all of the above but Sweep. Whoever changes any of it gives another number
	// than any before, but for a coarser Tolerance: what a finer one has told apart serves it too. Lists of another number are
	// due as if they had never been computed. 0 is a number as others.
	Settings uint32
	// CacheBytes bounds the evidence and the rows that are kept decoded in memory, beside the evidence that a few queries at
	// work are scored with.
	CacheBytes int
	// ExactBytes is how much memory may be taken by what bounds the scores of all artifacts with each other. An archive for which
	// that is enough has lists that nobody is missing from; 0: candidates make all lists.
	ExactBytes int
	// Outgrown is called when an archive of so many artifacts takes more than ExactBytes; nil: nobody wants to know.
	Outgrown func(artifacts int)
}

// Time is where the archive's clocks stand. They never go back; Encode and Rank count how much of the archive has changed, in archives.
type Time struct {
	// Encode follows what document frequencies depend on: arrivals and departures.
	Encode float64
	// Rank follows what lists depend on: these, and embeddings that move.
	Rank float64
	// Recorded is the newest time stamp of a record that came: what is published is dated with it, see Row.History. It is no clock of
	// the machine's, so that whoever reads the same records anew comes to the same dates.
	Recorded time.Time
}

// Lists is what is known of all lists from one unit of work to the next. Search and Holders may be called concurrently with everything;
// for all else, the one unit at work (a Pass) and who asks between units must exclude each other.
type Lists struct {
	cfg    Config
	scorer *rerank.Scorer
	index  Index
	words  Words
	// reading is held while a search, which runs beside a unit that changes words, reads them.
	reading sync.Locker
	// names are those of the lists that each artifact has, in their order.
	names [listCount]string

	// cache and rows are of the state that the unit at work sees; a search reads evidence from the cache, and nothing else.
	cache *cache
	rows  *rowCache
	// comparisons and scans are those that nobody works with.
	comparisons, scans sync.Pool
	// everyone bounds scores; nil when that would take more than Config.ExactBytes.
	everyone *everyone

	// ranked has the rank time of every artifact's lists.
	ranked stale.Queue
	// unpublished are the artifacts whose lists were not published since: those made in a state that does not publish, and all
	// that were published up to the revision lost.
	unpublished stale.Queue
	lost        uint64
	// lingering are the artifacts whose lists have changed since they were published.
	lingering lingering
	// unlisted are those of which no list was ever computed.
	unlisted map[uint64]struct{}
	// following is the Order that lists are published in.
	following following
	// holders are those who list an artifact, by the rows of the state that the unit at work sees.
	holders holders
}

// listCount is the number of an artifact's lists.
const listCount = 2

// New returns the lists of an empty archive. reading is locked while a search reads words.
func New(cfg Config, scorer *rerank.Scorer, index Index, words Words, reading sync.Locker) (*Lists, error) {
	if cfg.Size < 1 || cfg.Candidates < 1 {
		return nil, fmt.Errorf("topk: lists of %d entries from %d candidates: want 1 or more", cfg.Size, cfg.Candidates)
	}
	l := &Lists{
		cfg: cfg, scorer: scorer, index: index, words: words, reading: reading,
		names:       [...]string{rerank.ListTotal, rerank.ListGeneral},
		comparisons: sync.Pool{New: func() any { return new(rerank.Comparison) }},
		scans:       sync.Pool{New: func() any { return new(bound.Scan) }},
		// Half and half: evidence takes 1.1 kB an artifact and a row 1.8 kB (3,000 records of Walters), so that more evidence
		// is kept. It is read for hundreds of candidates of each newcomer, a row for the few that are within reach.
		cache: newCache(cfg.CacheBytes/2, cfg.Sweep), rows: newRowCache(cfg.CacheBytes / 2),
		unlisted: map[uint64]struct{}{}, holders: holders{of: map[uint64][]uint64{}, beyond: map[uint64]int{}}, following: following{rows: map[uint64]ordering{}}, everyone: newEveryone(cfg, scorer, index, words),
	}
	return l, nil
}

// ErrUnknownList is wrapped by what is said of the list that was asked for.
var ErrUnknownList = errors.New("unknown list")

// Known is an error, which wraps ErrUnknownList, unless artifacts have a list of this name.
func (l *Lists) Known(list string) error {
	if slices.Contains(l.names[:], list) {
		return nil
	}
	if name, ok := strings.CutPrefix(list, "theme:"); ok {
		return fmt.Errorf("%w: theme %q: the seeded model has no themes", ErrUnknownList, name)
	}
	return fmt.Errorf("%w: %q: want total or general", ErrUnknownList, list)
}

// Stale is the number of artifacts whose lists are stale at a rank time.
func (l *Lists) Stale(rank float64) int { return l.ranked.Count(rank, l.cfg.Sweep) }

// Waits has since when lists are stale; it is asked as the other queues are.
func (l *Lists) Waits() *waiting.Since { return &l.ranked.Waits }

// TakeStale returns up to n of them, the most urgent first. They are stale until a pass has computed their lists.
func (l *Lists) TakeStale(n int, rank float64) []uint64 { return l.ranked.Take(n, rank, l.cfg.Sweep) }

// Lost says, before Load, that what was published up to a revision is not known to be there any more: these lists count as not
// published. One number does for all rows, so that to lose them is a small change of a store of any size.
func (l *Lists) Lost(upto uint64) { l.lost = upto }

func (l *Lists) isPublished(r *Row) bool { return r.Revision > l.lost }

// Unpublished is the number of artifacts whose lists wait to be published: those of a state that does not publish, and of
// one that began to, or that lost what it had published, until all are.
func (l *Lists) Unpublished() int { return l.unpublished.Len() }

// Lingering is the number of artifacts whose lists have changed since they were published.
func (l *Lists) Lingering() int { return l.lingering.Len() }

// Lingered is how long, at a time as in Unit.At, until the first of these has waited for a linger: 0 or less when it has, ok is
// false when there is none.
func (l *Lists) Lingered(at, linger time.Duration) (left time.Duration, ok bool) {
	since, ok := l.lingering.oldest()
	return linger - (at - since), ok
}

// Unlisted is the number of artifacts of which no list was ever computed.
func (l *Lists) Unlisted() int { return len(l.unlisted) }

// dueAt is the stamp of lists computed at rankedAt, of an artifact that has moved by drift since others were told: when
// that could show in a score, it is due, however new its own lists are.
func (l *Lists) dueAt(rankedAt, drift float64) float64 {
	if drift > float64(l.cfg.Tolerance) {
		return stale.Never
	}
	return rankedAt
}

// Loader fills the queues of Lists from the rows of a store.
type Loader struct {
	l                   *Lists
	g                   Reader
	ranked, unpublished []stale.Stamp
	pending             []uint64
}

// Load begins to fill empty Lists with those of g.
func (l *Lists) Load(g Reader) *Loader { return &Loader{l: l, g: g} }

// Artifact takes up a stored artifact, in any order, with its lists.
func (ld *Loader) Artifact(node uint64, drift float64) error {
	b, err := ld.g.Lists(node)
	if err != nil {
		return err
	}
	var r Row
	if err := r.Unmarshal(b); err != nil {
		return err
	}
	if err := ld.l.everyone.load(ld.g, node, ld.l.leastOf(&r)); err != nil {
		return err
	}
	ld.l.following.note(node, &r)
	r.Lists.Members(func(id string) { ld.l.holders.set(ld.g.NodeOf(id), node, true) })
	ld.l.holders.count(&r, ld.g.NodeOf, 1)
	at := ld.l.dueAt(ld.l.current(&r).RankedAt, drift)
	ld.ranked = append(ld.ranked, stale.Stamp{ID: node, At: at})
	if ld.l.isPublished(&r) {
		if r.Pending != nil {
			ld.pending = append(ld.pending, node)
		}
		return nil
	}
	ld.unpublished = append(ld.unpublished, stale.Stamp{ID: node, At: stale.Never})
	if r.Size == 0 {
		ld.l.unlisted[node] = struct{}{}
	}
	return nil
}

// Done must be called after the last artifact.
func (ld *Loader) Done() {
	ld.l.everyone.loaded(ld.g.Artifacts())
	ld.l.ranked.Load(ld.ranked)
	ld.l.unpublished.Load(ld.unpublished)
	ld.l.lingering.load(ld.pending)
}
