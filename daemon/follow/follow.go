package follow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"kilim/consumer"
	"kilim/internal/pause"
	"kilim/rerank/publish"
)

// Roles of a daemon.
const (
	Following  = "follower"
	TakingOver = "taking over"
	Owning     = "owner"
)

// Config is what a Follower works with.
type Config struct {
	Publisher *publish.Publisher
	// Stored returns the offsets of the state, and Applied those before which all records are applied: greater where the log has gaps.
	Stored  func() ([]publish.Reached, error)
	Applied func() map[consumer.TopicPartition]int64
	// Republish has all lists count as not published, and Settled tells when all are again.
	Republish func(*publish.Found) error
	Settled   func() bool
	// Silence is how long the owner may say nothing; 3 s. Poll is how often a follower looks; 200 ms.
	Silence, Poll time.Duration
	Metrics       *Metrics
	Log           *slog.Logger
}

// Follower follows, takes over and owns, in this order.
type Follower struct {
	cfg  Config
	held *publish.Holdings

	lock   sync.Mutex
	status Status
}

// Status is where a Follower is.
type Status struct {
	Role string
	// Since is when the role began.
	Since time.Time
	// Behind are the records that the owner has applied and this daemon has not.
	Behind int64
}

// New makes a Follower. It reads nothing yet.
func New(cfg Config) *Follower {
	if cfg.Silence == 0 {
		cfg.Silence = 3 * time.Second
	}
	if cfg.Poll == 0 {
		cfg.Poll = 200 * time.Millisecond
	}
	f := &Follower{cfg: cfg, held: cfg.Publisher.Holdings()}
	f.is(Following)
	return f
}

// Status tells the role.
func (f *Follower) Status() Status {
	f.lock.Lock()
	defer f.lock.Unlock()
	return f.status
}

func (f *Follower) is(role string) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.status = Status{Role: role, Since: time.Now()}
	f.cfg.Metrics.role(role)
}

// Run follows until the owner is gone, then takes over and publishes until ctx ends, or until another process has taken over: then it returns
// publish.ErrFenced.
func (f *Follower) Run(ctx context.Context) error {
	why, err := f.follow(ctx)
	if err != nil || ctx.Err() != nil {
		return err
	}
	began := time.Now()
	f.cfg.Log.Info("taking over", "why", why)
	f.is(TakingOver)
	if err := f.takeOver(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	f.cfg.Publisher.Hold(f.held, f.cfg.Settled)
	f.held = nil // it is the Publisher's to forget
	f.is(Owning)
	took := time.Since(began)
	f.cfg.Metrics.tookOver(took)
	f.cfg.Log.Info("publishing as the owner", "took", took.Round(time.Millisecond))
	return f.cfg.Publisher.Run(ctx)
}

// follow returns why the owner is taken to be gone. An error is the store's.
func (f *Follower) follow(ctx context.Context) (why string, err error) {
	tick := time.NewTicker(f.cfg.Poll)
	defer tick.Stop()
	s := silence{most: f.cfg.Silence / 3}
	failing := false
	for {
		beat, at, err := f.held.Look(ctx)
		switch {
		case err == nil:
			if s.heard(at, time.Now()); at >= 0 && beat.Left {
				return "the owner has left", nil
			}
			f.behind(beat.Reached)
			if err = f.read(ctx); publish.Final(err) {
				return "", err
			}
		default:
			s.deaf()
		}
		switch {
		case ctx.Err() != nil:
			return "", nil
		case err != nil && !failing:
			f.cfg.Log.Warn("the topics can't be followed, trying again until they can", "err", err)
		case err == nil && failing:
			f.cfg.Log.Info("following again")
		}
		failing = err != nil
		if s.quiet >= f.cfg.Silence {
			if at < 0 {
				return "there is no owner", nil
			}
			return fmt.Sprintf("the owner has said nothing for %v", s.quiet.Round(10*time.Millisecond)), nil
		}
		select {
		case <-ctx.Done():
			return "", nil
		case <-tick.C:
		}
	}
}

// read reads what the owner has published, and takes that out of the outbox.
func (f *Follower) read(ctx context.Context) error {
	stored, err := f.cfg.Stored() // of before the topics are read
	if err != nil {
		return err
	}
	if err := f.held.Read(ctx); err != nil {
		return err
	}
	return f.held.Discard(stored)
}

// silence adds up for how long an owner was listened to and said nothing. Times in which nobody listened, since this process was stopped or the topic could
// not be read, do not count.
type silence struct {
	most  time.Duration // of one step
	at    int64
	last  time.Time // zero: not listening
	quiet time.Duration
}

func (s *silence) heard(at int64, now time.Time) {
	if !s.last.IsZero() {
		s.quiet += min(now.Sub(s.last), s.most)
	}
	if s.last.IsZero() || at != s.at {
		s.quiet = 0
	}
	s.at, s.last = at, now
}

func (s *silence) deaf() { s.last, s.quiet = time.Time{}, 0 }

// behind notes how many records the owner has applied and this daemon has not.
func (f *Follower) behind(reached []publish.Reached) (records int64) {
	applied := f.cfg.Applied()
	for _, r := range reached {
		records += max(0, r.Next-applied[consumer.TopicPartition{Topic: r.Topic, Partition: r.Partition}])
	}
	f.lock.Lock()
	f.status.Behind = records
	f.lock.Unlock()
	f.cfg.Metrics.behind.Set(float64(records))
	return records
}

// takeOver makes this process the owner, as the package comment says. It returns nil too when ctx ended.
func (f *Follower) takeOver(ctx context.Context) error {
	p := f.cfg.Publisher
	// The first reading may take long, and nobody is the owner meanwhile.
	if err := f.again(ctx, "read the topics", func() error { return f.held.Read(ctx) }); err != nil || ctx.Err() != nil {
		return err
	}
	if err := f.again(ctx, "take the transactional id", func() error { return p.Take(ctx, f.held) }); err != nil || ctx.Err() != nil {
		return err
	}
	reached := []publish.Reached(nil)
	if err := f.again(ctx, "read the topics", func() error {
		beat, _, err := f.held.Look(ctx)
		reached = beat.Reached
		return errors.Join(err, f.held.Read(ctx))
	}); err != nil || ctx.Err() != nil {
		return err
	}
	beaten := time.Now()
	for first := true; first || f.behind(reached) > 0; first = false {
		if err := f.again(ctx, "publish dead letters", func() error { return p.Clear(ctx, f.held) }); err != nil || ctx.Err() != nil {
			return err
		}
		if time.Since(beaten) >= publish.BeatEvery {
			if err := f.again(ctx, "say that this process owns", func() error { return p.Beat(ctx) }); err != nil || ctx.Err() != nil {
				return err
			}
			beaten = time.Now()
		}
		if !first {
			pause.For(ctx, f.cfg.Poll/4)
		}
	}
	// What this process has just told was told by the writer that it is no more when it publishes on. A transaction that was committed may be read
	// a moment later; the next one does not begin before.
	if err := f.again(ctx, "read the topics", func() error { return errors.Join(p.Beat(ctx), f.held.Read(ctx)) }); err != nil || ctx.Err() != nil {
		return err
	}
	return f.republish(ctx)
}

// republish makes all lists count as not published, and says meanwhile that this process owns.
func (f *Follower) republish(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- f.cfg.Republish(f.held.Found()) }()
	tick := time.NewTicker(publish.BeatEvery)
	defer tick.Stop()
	var beating error
	for {
		select {
		case err := <-done:
			return errors.Join(err, beating)
		case <-tick.C:
			if err := f.cfg.Publisher.Beat(ctx); publish.Final(err) {
				beating = err
			}
		}
	}
}

// again tries something until it works, ctx ends, which is no error, or the error is final.
func (f *Follower) again(ctx context.Context, what string, try func() error) error {
	for first := true; ; first = false {
		err := try()
		switch {
		case err == nil, ctx.Err() != nil:
			return nil
		case publish.Final(err):
			return fmt.Errorf("take over: %s: %w", what, err)
		case first:
			f.cfg.Log.Warn("taking over: trying again until it works", "what", what, "err", err)
		}
		pause.For(ctx, f.cfg.Poll)
	}
}
