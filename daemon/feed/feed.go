package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/segmentio/kafka-go"
	"golang.org/x/time/rate"

	"kilim/consumer/kafkaconn"
	"kilim/consumer/profile"
)

// Options of Run.
type Options struct {
	Topic string
	// Base is the absolute path of the folder that relative uris of media are relative to. Empty
	// leaves them as they are.
	Base string
	// Limits are those of the daemon.
	Limits profile.Limits
	// AllowRefused also feeds an input whose first line is no object, or one without a field of an artifact.
	AllowRefused bool
	// Rate bounds the records a second; 0 does not.
	Rate float64
	// Progress, when set, is told after each chunk of acknowledged records, from one goroutine.
	Progress func(Summary)
	// Log hears of attempts that are repeated. Nil is silent.
	Log *slog.Logger
}

// Summary counts what was acknowledged.
type Summary struct {
	Records int // tombstones and those without a key included
	Deletes int // tombstones
	Keyless int // without an id
	Bytes   int64
	// Refused counts by reason the records that the daemon puts to the dead letters, as far as a record alone tells:
	// what depends on records before it only the daemon knows. FirstRefused says what is wrong with the first.
	Refused      map[string]int
	FirstRefused string
	// Unread counts by name the records with a field that the daemon takes and does not understand, of at most unreadNames names.
	Unread map[string]int
	// Read counts the bytes read from the input, compressed as they are, some of
	// them ahead of what was acknowledged.
	Read    int64
	Elapsed time.Duration
}

// PerSecond is the rate of records.
func (s Summary) PerSecond() float64 {
	if s.Elapsed <= 0 {
		return 0
	}
	return float64(s.Records) / s.Elapsed.Seconds()
}

const (
	chunkRecords = 1000
	// chunkBytes keeps a chunk below the 1 MiB that brokers accept by default;
	// a larger record goes alone.
	chunkBytes = 900 << 10
	// requestBytes only keeps kafka-go from refusing before the broker does.
	requestBytes = 2 * MaxLine
	unreadNames  = 64
	// attempts, up to a second apart, outlast the restart of a broker.
	attempts = 60
)

// Run feeds in, JSON or what an importer makes, to its end. The Summary counts what was acknowledged, also when there is
// an error, which names the first line that was not. Run returns when ctx ends, even
// while a read of in blocks.
func Run(ctx context.Context, in Lines, conn *kafkaconn.Conn, opt Options) (Summary, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := &feeder{opt: opt, in: in, start: time.Now(), most: chunkRecords}
	if opt.Rate > 0 {
		// Small chunks keep a slow pace even.
		f.most = min(max(int(opt.Rate/10), 1), chunkRecords)
		f.limit = rate.NewLimiter(rate.Limit(opt.Rate), f.most)
	}
	transport := conn.Transport()
	defer transport.CloseIdleConnections()
	f.writer = &kafka.Writer{
		Addr: kafka.TCP(conn.Brokers()...), Topic: opt.Topic, Transport: transport,
		// As Java's clients do, so that an artifact is always in one partition.
		Balancer:     kafka.Murmur2Balancer{},
		RequiredAcks: kafka.RequireAll, MaxAttempts: attempts, Compression: kafka.Snappy,
		BatchSize: chunkRecords, BatchBytes: requestBytes, BatchTimeout: time.Millisecond,
	}
	if opt.Log != nil {
		f.writer.ErrorLogger = kafka.LoggerFunc(func(format string, args ...any) {
			opt.Log.Warn("feed: " + fmt.Sprintf(format, args...))
		})
	}
	f.records = make(chan record, 2*chunkRecords)
	// Parsing overlaps with the writing of run.
	go read(ctx, in, &f.opt, f.records)
	err := f.run(ctx)
	if closed := f.writer.Close(); err == nil && closed != nil {
		err = fmt.Errorf("closing the writer: %w", closed)
	}
	return f.sum, err
}

// DryRun does what Run does, but for sending: its Summary counts what would have been sent.
func DryRun(ctx context.Context, in Lines, opt Options) (Summary, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := &feeder{opt: opt, in: in, start: time.Now()}
	f.records = make(chan record, 2*chunkRecords)
	go read(ctx, in, &f.opt, f.records)
	for r := range f.records {
		if r.err != nil {
			return f.sum, r.err
		}
		f.count(&r)
		f.sum.Read, f.sum.Elapsed = in.Read(), time.Since(f.start)
	}
	return f.sum, context.Cause(ctx)
}

type feeder struct {
	opt     Options
	in      Lines
	start   time.Time
	writer  *kafka.Writer
	limit   *rate.Limiter
	most    int // records in a chunk
	records chan record
	held    *record // read, but did not fit
	sum     Summary
}

func (f *feeder) run(ctx context.Context) error {
	for {
		chunk, last := f.chunk(ctx)
		if len(chunk) > 0 {
			if err := f.write(ctx, chunk); err != nil {
				return err
			}
		}
		if last != nil {
			return last
		}
		if len(chunk) == 0 {
			return context.Cause(ctx)
		}
	}
}

// chunk waits for a record and takes those that are there with it, as far as
// they fit. It is empty at the end; err is that of the input.
func (f *feeder) chunk(ctx context.Context) (chunk []record, err error) {
	size := 0
	add := func(r record) (full bool) {
		if r.err != nil {
			err = r.err
			return true
		}
		if len(chunk) > 0 && size+r.bytes > chunkBytes {
			f.held = &r
			return true
		}
		size += r.bytes
		chunk = append(chunk, r)
		return len(chunk) == f.most
	}
	if f.held != nil {
		r := *f.held
		f.held = nil
		if add(r) {
			return chunk, err
		}
	} else {
		select {
		case r, ok := <-f.records:
			if !ok || add(r) {
				return chunk, err
			}
		case <-ctx.Done():
			return nil, nil
		}
	}
	for {
		select {
		case r, ok := <-f.records:
			if !ok || add(r) {
				return chunk, err
			}
		default:
			return chunk, nil
		}
	}
}

func (f *feeder) write(ctx context.Context, chunk []record) error {
	if f.limit != nil {
		if err := f.limit.WaitN(ctx, len(chunk)); err != nil {
			return f.unacknowledged(chunk[0].line, err)
		}
	}
	failed := f.send(ctx, chunk)
	f.sum.Read = f.in.Read()
	f.sum.Elapsed = time.Since(f.start)
	if f.opt.Progress != nil {
		f.opt.Progress(f.sum)
	}
	return failed
}

// send counts what is acknowledged. A broker that takes less than chunkBytes refuses a
// whole request for its size: what was refused for that goes again in halves, in order,
// until it is a single record that is too large.
func (f *feeder) send(ctx context.Context, chunk []record) error {
	msgs := make([]kafka.Message, len(chunk))
	for i := range chunk {
		msgs[i] = chunk[i].msg
	}
	err := f.writer.WriteMessages(ctx, msgs...)
	var each kafka.WriteErrors
	if err != nil && !errors.As(err, &each) {
		return f.unacknowledged(chunk[0].line, err)
	}
	var failed error
	var large []record
	for i := range chunk {
		switch {
		case each == nil || each[i] == nil:
			f.count(&chunk[i])
		case len(chunk) > 1 && errors.Is(each[i], kafka.MessageSizeTooLarge):
			large = append(large, chunk[i])
		case failed == nil:
			failed = f.unacknowledged(chunk[i].line, each[i])
		}
	}
	if failed != nil || len(large) == 0 {
		return failed
	}
	half := (len(large) + 1) / 2
	if err := f.send(ctx, large[:half]); err != nil || half == len(large) {
		return err
	}
	return f.send(ctx, large[half:])
}

func (f *feeder) unacknowledged(line int, err error) error {
	return fmt.Errorf("line %d: not acknowledged by topic %q: %w", line, f.opt.Topic, err)
}

func (f *feeder) count(r *record) {
	f.sum.Records++
	f.sum.Bytes += int64(r.bytes)
	if r.msg.Key == nil {
		f.sum.Keyless++
	} else if r.msg.Value == nil {
		f.sum.Deletes++
	}
	for _, name := range r.unread {
		if _, known := f.sum.Unread[name]; known || len(f.sum.Unread) < unreadNames {
			if f.sum.Unread == nil {
				f.sum.Unread = make(map[string]int)
			}
			f.sum.Unread[name]++
		}
	}
	if r.refusal != nil {
		if f.sum.Refused == nil {
			f.sum.Refused = make(map[string]int)
			f.sum.FirstRefused = fmt.Sprintf("line %d: %v", r.line, r.refusal)
		}
		f.sum.Refused[r.refusal.Reason]++
	}
}
