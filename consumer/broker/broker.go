package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// maxBatchBytes is the largest batch that a producer may send. It is well over
// kilim's own limit for a record, so that a record over that limit arrives and is
// refused with its reason, rather than by the broker at its producer's.
const maxBatchBytes = 16 << 20

// segmentBytes is the size at which a segment ends. Smaller than kfake's 100 MiB, since
// only whole old segments are compacted; much larger than what the publisher sends at
// once, see newestKept.
const segmentBytes = 32 << 20

// neverMs is 100 years: the longest sleep between cleanings that does not overflow
// a time.Duration after a few additions. See the package comment on why.
const neverMs = 100 * 365 * 24 * 3600 * 1000

// Broker is a running embedded broker.
type Broker struct {
	addr    string
	cluster *kfake.Cluster
	lock    *os.File
	log     *kfakeLog
	closing sync.Once
	err     error
}

// Start opens the log in dir (made if missing) and serves it on addr, which must be
// host:port with a loopback host; port 0 takes a free one. It returns once
// clients can connect.
//
// The errors tell a taken address, a folder that another process has open, and a
// folder that can't be read apart.
func Start(addr, dir string, log *slog.Logger) (*Broker, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	log = log.With("part", "broker")
	lock, err := lockDir(dir)
	if err != nil {
		return nil, fmt.Errorf("embedded broker: %w", err)
	}
	b, err := start(addr, dir, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("embedded broker: %w", err), lock.Close())
	}
	b.lock = lock
	return b, nil
}

func start(addr, dir string, log *slog.Logger) (*Broker, error) {
	// Listen first: it is the quicker test, and nothing has been touched when it fails.
	ln, err := listen(addr)
	if err != nil {
		return nil, err
	}
	if err := repair(dir, log); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	if err := compact(dir, time.Now(), log); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	b := &Broker{addr: ln.Addr().String(), log: &kfakeLog{log: log}}
	b.cluster, err = kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return newGuard(ln, usualPatience, log), nil }),
		kfake.MaxVersions(versions()),
		kfake.ClusterID("kilim-embedded"),
		kfake.DataDir(dir),
		kfake.SyncWrites(),
		kfake.DefaultNumPartitions(1),
		kfake.BrokerConfigs(map[string]string{
			"message.max.bytes":      strconv.Itoa(maxBatchBytes),
			"log.segment.bytes":      strconv.Itoa(segmentBytes),
			"log.retention.ms":       "-1",
			"log.cleaner.backoff.ms": strconv.Itoa(neverMs),
		}),
		kfake.WithLogger(b.log),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("data folder %q: %w", dir, err), ignoreClosed(ln.Close()))
	}
	return b, nil
}

// Addr returns the address that clients connect to, with the port that was taken.
func (b *Broker) Addr() string { return b.addr }

// Close saves the state that makes the next start quick and ends all connections.
// Later calls return what the first one did.
func (b *Broker) Close() error {
	b.closing.Do(func() {
		b.log.collect()
		b.cluster.Close()
		var errs []error
		for _, msg := range b.log.collected() {
			errs = append(errs, fmt.Errorf("closing the embedded broker: %s", msg))
		}
		errs = append(errs, b.lock.Close())
		b.err = errors.Join(errs...)
	})
	return b.err
}

func listen(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("address %q: not of the form host:port", addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("address %q: must be a loopback address such as 127.0.0.1, for this broker lets everyone in", addr)
	}
	ln, err := net.Listen("tcp", addr)
	switch {
	case err == nil:
		return ln, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is taken: is another kilim or a Kafka running here? %w", addr, err)
	}
	return nil, fmt.Errorf("address %q: %w", addr, err)
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// kfakeLog passes kfake's lines on. What kfake calls Info is a line a request.
type kfakeLog struct {
	log *slog.Logger

	mu    sync.Mutex
	keep  bool
	lines []string
}

func (l *kfakeLog) Logf(level kfake.LogLevel, format string, args ...any) {
	to := slog.LevelDebug
	switch level {
	case kfake.LogLevelError:
		to = slog.LevelError
	case kfake.LogLevelWarn:
		to = slog.LevelWarn
	}
	ctx := context.Background()
	if to != slog.LevelError && !l.log.Enabled(ctx, to) {
		return
	}
	msg := fmt.Sprintf(format, args...)
	l.log.Log(ctx, to, msg)
	if to == slog.LevelError {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.keep {
			l.lines = append(l.lines, msg)
		}
	}
}

// collect keeps error lines from now on: kfake's Close has no other way to say
// that it could not save.
func (l *kfakeLog) collect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep = true
}

func (l *kfakeLog) collected() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines
}
