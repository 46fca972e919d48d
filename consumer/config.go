package consumer

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"kilim/consumer/profile"
)

// Config of a Consumer. Zero fields take the defaults named here.
type Config struct {
	Group  string   // required, unless Ungrouped
	Topics []string // required, not empty
	Limits profile.Limits
	// Alone is for a Sink that must have all partitions: nothing is read while the group has another member.
	Alone bool
	// Ungrouped is for a Sink that has all partitions whoever else reads them: no group is joined, and no offset committed to one.
	Ungrouped bool
	// Reading, when set, is called whenever the partitions begin to be read: with Alone, when this member is the only one.
	Reading func()

	BatchRecords  int   // records of a batch at most; 512
	BatchBytes    int64 // bytes of a batch, exceeded by its last record only; 8 MiB
	InFlightBytes int64 // records fetched and not yet applied; 64 MiB
	FetchBytes    int   // asked of the broker at once for a partition; 1 MiB
	Decoders      int   // decoding in parallel; GOMAXPROCS

	// FetchWait is how long the broker holds a fetch when there is nothing
	// new. It does not delay a record: the broker answers at its arrival. 1 s.
	FetchWait time.Duration
	// RequestTimeout is how long an answer may take beyond FetchWait. 10 s.
	RequestTimeout time.Duration
	// Heartbeat bounds how long it takes to notice a rebalance. 1 s.
	Heartbeat time.Duration
	// SessionTimeout is how long a killed member holds back the others, and
	// its own successor. 10 s.
	SessionTimeout time.Duration
	// RebalanceTimeout is how long an Apply in progress may hold back a
	// rebalance. 60 s.
	RebalanceTimeout time.Duration
	// Retry is the pause before what failed is tried again for the first time; for
	// requests it doubles from try to try, up to 2 s. 100 ms.
	Retry time.Duration
	// CommitEvery is the least time between commits to the group. 1 s.
	CommitEvery time.Duration

	// Observe, when set, is told the durations of the stages "fetch" (one
	// request that had records to give) and "decode" (one chunk of records).
	// It is called from several goroutines.
	Observe func(stage string, d time.Duration)
}

func (c Config) withDefaults() Config {
	orElse(&c.BatchRecords, 512)
	orElse(&c.BatchBytes, 8<<20)
	orElse(&c.InFlightBytes, 64<<20)
	orElse(&c.FetchBytes, 1<<20)
	orElse(&c.Decoders, runtime.GOMAXPROCS(0))
	orElse(&c.FetchWait, time.Second)
	orElse(&c.RequestTimeout, 10*time.Second)
	orElse(&c.Heartbeat, time.Second)
	orElse(&c.SessionTimeout, 10*time.Second)
	orElse(&c.RebalanceTimeout, time.Minute)
	orElse(&c.Retry, 100*time.Millisecond)
	orElse(&c.CommitEvery, time.Second)
	if c.Observe == nil {
		c.Observe = func(string, time.Duration) {}
	}
	return c
}

func orElse[T int | int64 | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// validate names all faults together; c has its defaults.
func (c Config) validate() error {
	var errs []error
	if c.Group == "" && !c.Ungrouped {
		errs = append(errs, errors.New("no group"))
	}
	if c.Ungrouped && (c.Alone || c.Group != "") {
		errs = append(errs, fmt.Errorf("ungrouped, with group %q, alone %v: want neither", c.Group, c.Alone))
	}
	if len(c.Topics) == 0 || slices.Contains(c.Topics, "") {
		errs = append(errs, fmt.Errorf("topics %q: want at least one, none empty", c.Topics))
	}
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"batch records", int64(c.BatchRecords)}, {"batch bytes", c.BatchBytes}, {"in-flight bytes", c.InFlightBytes},
		{"fetch bytes", int64(c.FetchBytes)}, {"decoders", int64(c.Decoders)}, {"fetch wait", int64(c.FetchWait)},
		{"request timeout", int64(c.RequestTimeout)}, {"heartbeat", int64(c.Heartbeat)},
		{"session timeout", int64(c.SessionTimeout)}, {"rebalance timeout", int64(c.RebalanceTimeout)},
		{"retry", int64(c.Retry)}, {"commit every", int64(c.CommitEvery)},
	} {
		if f.value < 0 {
			errs = append(errs, fmt.Errorf("%s %d: want a positive number", f.name, f.value))
		}
	}
	if c.Heartbeat >= c.SessionTimeout {
		errs = append(errs, fmt.Errorf("heartbeat %v: want less than the session timeout, %v", c.Heartbeat, c.SessionTimeout))
	}
	if len(errs) > 0 {
		return fmt.Errorf("consumer: configuration: %w", errors.Join(errs...))
	}
	return nil
}
