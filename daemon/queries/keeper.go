package queries

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"kilim/consumer/profile"
	"kilim/internal/pause"
	"kilim/rerank"
)

// Source is which queries there are: a Log.
type Source interface {
	List() (all []Query, changes uint64, complete bool)
}

// Archive is the state that serves, whichever that is.
type Archive interface {
	// Version is another one, comparable by ==, after what answers depend on has changed.
	Version() (any, error)
	// Quiet is true while no batches come.
	Quiet() bool
	// Encoders is another one, comparable by ==, when other encoders serve. Encode puts vectors to the media in an artifact by those that do.
	Encoders() any
	Encode(context.Context, *profile.Artifact) error
	// Ask returns the lists that an artifact would have.
	Ask(context.Context, *profile.Artifact) (*Answer, error)
}

// Answer is what a query is answered with.
type Answer struct {
	Epoch uint32
	Lists rerank.Lists
	// Ordered is the list total in the order that is learned, of which Lists have the entries; nil: by the stated score.
	Ordered *rerank.Ordered
}

// Store keeps what was told, in the state that serves.
type Store interface {
	// Rows calls fn with each row that was Put.
	Rows(fn func(name string, row []byte) error) error
	// Lost is the revision up to which what was published is not known to be in its topic any more.
	Lost() uint64
	// Commit makes all durable at once that write does. It may call write more than once: all but the last are for nothing.
	Commit(ctx context.Context, write func(Writer) error) error
}

// Writer takes up what is durable with one commit.
type Writer interface {
	// Revision numbers the commit; each is greater than those before.
	Revision() uint64
	// Put stores the row of a query, and Delete removes it.
	Put(name string, row []byte) error
	Delete(name string) error
	// Enqueue puts a message into the outbox.
	Enqueue(message []byte) error
}

// Config is how queries are kept.
type Config struct {
	// Linger is how far rounds are apart at least.
	Linger time.Duration
	// Tolerance is the change of a score below which a list of the same entries in the same order is not told again.
	Tolerance float32
}

const (
	// Again is how long after it was asked a query is asked again, if nothing seems to have changed.
	Again = time.Minute
	// AtOnce is how many queries a commit writes at most, lest a batch wait for it.
	AtOnce = 32
	// retryAfter is how long a query that could not be asked waits.
	retryAfter = 30 * time.Second
	// lookEvery is how often Run looks whether anything has changed.
	lookEvery = 100 * time.Millisecond
	// Times of an answer that pass before the next one is asked for, while records come and while none do.
	spacingBusy, spacingQuiet = 19, 3
)

// Keeper keeps what is told of standing queries up to date. Run works; all else may be called meanwhile, from any goroutine.
type Keeper struct {
	cfg     Config
	source  Source
	archive Archive
	store   Store
	metrics *Metrics
	log     *slog.Logger
	now     func() time.Time
	notes   notes
	// asked is what Run knows of each query.
	asked map[string]*asked

	// lock is held for writing by Run alone, while told and failures change.
	lock     sync.RWMutex
	told     map[string]*row
	failures map[string]string
}

// asked is a query as it is asked.
type asked struct {
	digest   string
	encoders any
	artifact *profile.Artifact
	// mark is that of the notes before it was asked last, so that its answer was told.
	mark uint64
	// failure is why it could not be asked, and it is not asked again before retry.
	failure error
	retry   time.Time
}

// Open takes up what was told.
func Open(cfg Config, source Source, archive Archive, store Store, metrics *Metrics, log *slog.Logger) (*Keeper, error) {
	k := &Keeper{cfg: cfg, source: source, archive: archive, store: store, metrics: metrics, log: log, now: time.Now,
		asked: map[string]*asked{}, told: map[string]*row{}, failures: map[string]string{}}
	if err := store.Rows(func(name string, b []byte) error {
		r, err := parseRow(name, b)
		if err != nil {
			// What the topic says is not known then. The row is told again, or taken back, in the first round.
			log.Warn("the row of a standing query can't be read; it is told again", "query", name, "err", err)
			r = &row{Name: name}
		}
		k.told[name] = r
		return nil
	}); err != nil {
		return nil, fmt.Errorf("queries: what was told: %w", err)
	}
	return k, nil
}

// Applying notes artifacts that a batch is about to change; ended says that it has. It waits for nothing.
func (k *Keeper) Applying(some []Changed) (ended func()) { return k.notes.begin(some) }

// Run works until ctx ends. What fails is logged and tried again: queries are never a reason to end the daemon.
func (k *Keeper) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var seen any
	ended, due := time.Time{}, time.Time{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := k.version()
		if err == nil && now == seen && k.now().Before(due) || k.now().Sub(ended) < k.cfg.Linger {
			continue
		}
		failed := 0
		if err == nil {
			failed, err = k.round(ctx, func(took time.Duration) { pause.For(ctx, k.spacing()*took) })
		}
		ended = k.now()
		due = ended.Add(Again)
		switch {
		case err == nil:
			if seen = now; failed > 0 {
				due = ended.Add(retryAfter)
			}
		case ctx.Err() == nil:
			k.metrics.failures.Inc()
			k.log.Warn("standing queries can't be told now; it is tried again", "err", err)
		}
	}
}

func (k *Keeper) spacing() time.Duration {
	if k.archive.Quiet() {
		return spacingQuiet
	}
	return spacingBusy
}

// version is another one after all that a round depends on, as far as that can be seen.
func (k *Keeper) version() (any, error) {
	_, changes, complete := k.source.List()
	of, err := k.archive.Version()
	return [4]any{of, k.store.Lost(), changes, complete}, err
}

// change is a query that is to be told; without a row it is to be taken back.
type change struct {
	name string
	row  *row
	by   *asked
	mark uint64
}

// round asks all queries, and tells what is not what was told. It returns how many could not be asked. rest is called after each answer, with how long it took.
// Until it is known which queries there are, it does nothing: what seems to be gone may be there.
func (k *Keeper) round(ctx context.Context, rest func(time.Duration)) (failed int, err error) {
	all, _, complete := k.source.List()
	if !complete {
		return 0, nil
	}
	oldest := k.notes.mark()
	lost := k.store.Lost()
	there := map[string]struct{}{}
	var changes []change
	var since time.Time // the first of them was found
	for i := range all {
		q := &all[i]
		there[q.Name] = struct{}{}
		start := time.Now()
		c, err := k.ask(ctx, q, lost)
		if ctx.Err() != nil {
			return failed, ctx.Err()
		}
		k.fails(q.Name, err)
		if err != nil {
			failed++
		}
		if c != nil {
			if len(changes) == 0 {
				since = k.now()
			}
			changes = append(changes, *c)
		}
		if len(changes) == AtOnce || len(changes) > 0 && k.now().Sub(since) >= k.cfg.Linger { // with many queries a round is long
			if err := k.tell(ctx, changes); err != nil {
				return failed, err
			}
			changes = nil
		}
		rest(time.Since(start))
	}
	for name := range k.told {
		if _, ok := there[name]; !ok {
			changes = append(changes, change{name: name})
		}
	}
	for len(changes) > 0 {
		some := changes[:min(AtOnce, len(changes))]
		if err := k.tell(ctx, some); err != nil {
			return failed, err
		}
		changes = changes[len(some):]
	}
	for name, a := range k.asked {
		if _, ok := there[name]; !ok {
			delete(k.asked, name)
			k.fails(name, nil)
		} else {
			oldest = min(oldest, a.mark)
		}
	}
	k.notes.forget(oldest)
	return failed, nil
}

// fails notes why a query can't be asked, nil: it can.
func (k *Keeper) fails(name string, err error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	was, failed := k.failures[name]
	if err == nil {
		delete(k.failures, name)
	} else if k.failures[name] = err.Error(); !failed || was != err.Error() {
		k.log.Warn("a standing query can't be asked; it is tried again", "query", name, "err", err)
	}
	k.metrics.failing.Set(float64(len(k.failures)))
}

// ask returns what is to be told of a query, nil: nothing. lost is that of the Store.
func (k *Keeper) ask(ctx context.Context, q *Query, lost uint64) (*change, error) {
	by := k.asked[q.Name]
	if by == nil || by.digest != q.digest() {
		by = &asked{digest: q.digest()}
		k.asked[q.Name] = by
	}
	if k.now().Before(by.retry) {
		return nil, by.failure
	}
	mark := k.notes.mark()
	answer, err := k.answer(ctx, q, by)
	if err != nil {
		by.failure, by.retry = err, k.now().Add(retryAfter)
		return nil, err
	}
	is := &row{Name: q.Name, Digest: by.digest, Epoch: answer.Epoch, Lists: answer.Lists, Ordered: answer.Ordered}
	was := k.told[q.Name]
	if was != nil && was.Revision > lost && !is.differs(was, k.cfg.Tolerance) {
		by.mark = mark
		return nil, nil
	}
	var before rerank.Lists
	if was != nil {
		before = was.Lists
	}
	is.At = k.now().UTC().Truncate(time.Millisecond)
	is.Changes = rerank.DiffAll(before, is.Lists)
	is.Cause, is.recorded = k.notes.cause(by.mark, before, is.Lists)
	return &change{q.Name, is, by, mark}, nil
}

// answer asks the archive, by the record as the encoders that serve see it.
func (k *Keeper) answer(ctx context.Context, q *Query, by *asked) (*Answer, error) {
	start := time.Now()
	defer func() { k.metrics.asking.Add(time.Since(start).Seconds()) }()
	if now := k.archive.Encoders(); by.artifact == nil || by.encoders != now {
		a, err := q.Artifact()
		if err != nil {
			return nil, err
		}
		if err := k.archive.Encode(ctx, a); err != nil {
			return nil, err
		}
		by.artifact, by.encoders = a, now
	}
	k.metrics.asked.Inc()
	return k.archive.Ask(ctx, by.artifact)
}

// tell makes changes durable, with the messages that tell of them.
func (k *Keeper) tell(ctx context.Context, changes []change) error {
	if err := k.store.Commit(ctx, func(w Writer) error {
		for i := range changes {
			if err := changes[i].write(w); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		names := make([]string, len(changes))
		for i := range changes {
			names[i] = changes[i].name
		}
		return fmt.Errorf("queries: store %s: %w", strings.Join(names, ", "), err)
	}
	k.lock.Lock()
	defer k.lock.Unlock()
	for _, c := range changes {
		if c.row == nil {
			delete(k.told, c.name)
			continue
		}
		k.told[c.name] = c.row
		c.by.mark = c.mark
	}
	k.metrics.told.Add(float64(len(changes)))
	return nil
}

func (c *change) write(w Writer) error {
	if c.row == nil {
		if err := w.Delete(c.name); err != nil {
			return err
		}
		return w.Enqueue(rerank.EncodeQueryGone(c.name, w.Revision()))
	}
	r := c.row
	r.Revision = w.Revision()
	b, err := r.marshal()
	if err != nil {
		return err
	}
	if err := w.Put(c.name, b); err != nil {
		return err
	}
	return w.Enqueue(rerank.EncodeQuery(&rerank.Update{
		ID: c.name, Revision: r.Revision, Epoch: r.Epoch, Lists: r.Lists, Ordered: r.Ordered, Changes: r.Changes, Cause: r.Cause, Recorded: r.recorded,
	}))
}

// Status is what is known of a query beside what it is.
type Status struct {
	// Failure says why it can't be asked, empty: it can.
	Failure string
	// Told is what was told last, nil: nothing yet, of the query as it is.
	Told *Told
}

// Told is an answer as it was told.
type Told struct {
	Answer
	Revision uint64
	At       time.Time
	// Changes and Cause are against what was told before.
	Changes map[string]rerank.Changes
	Cause   []string
}

// Status tells where a query stands.
func (k *Keeper) Status(q *Query) Status {
	k.lock.RLock()
	defer k.lock.RUnlock()
	s := Status{Failure: k.failures[q.Name]}
	if r := k.told[q.Name]; r != nil && r.Revision > 0 && r.Digest == q.digest() {
		s.Told = &Told{Answer{r.Epoch, r.Lists, r.Ordered}, r.Revision, r.At, r.Changes, r.Cause}
	}
	return s
}
