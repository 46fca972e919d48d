package queries

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer/compacted"
	"kilim/consumer/kafkaconn"
)

var (
	// ErrFull is wrapped by what is said of a Query that there is no room for.
	ErrFull = errors.New("no room for the query")
	// ErrUnknown is wrapped by what is said of a name that no Query has.
	ErrUnknown = errors.New("no standing query has this name")
)

// Log is the topic of the queries, and which there are.
type Log struct {
	topic *compacted.Log
	set   *set
}

// NewLog makes the Log of a topic, which must exist when it is used. reg hears how many queries there are, and how many records were refused.
func NewLog(conn *kafkaconn.Conn, topic string, reg prometheus.Registerer, log *slog.Logger) *Log {
	l := &Log{set: newSet(MostQueries, mostBytes)}
	refused := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "kilim_queries_refused_total", Help: "Records of the topic of standing queries that can't be used; the log says which and why.",
	})
	l.topic = compacted.New(conn, compacted.Config{Topic: topic, What: "standing queries", Set: l.set, RecordBytes: 2 * MostRecord, Refused: refused, Log: log})
	reg.MustRegister(refused, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kilim_queries", Help: "Standing queries.",
	}, func() float64 { return float64(l.set.len()) }))
	return l
}

// Close lets go of the connections.
func (l *Log) Close() { l.topic.Close() }

// Run follows the topic until ctx ends. Kafka's failures are retried for ever.
func (l *Log) Run(ctx context.Context) error { return l.topic.Run(ctx) }

// List tells which queries there are, by name, how often they have become others, and whether these are all that the topic says.
func (l *Log) List() (all []Query, changes uint64, complete bool) {
	// A partition that is read anew is forgotten first. To take what is left meanwhile for all there is would end queries that stand: so nothing may have
	// happened between one look and the other.
	before := l.topic.Complete()
	all, changes = l.set.list()
	complete = before && l.topic.Complete()
	_, now := l.set.list()
	return all, changes, complete && now == changes
}

// Get returns the query of a name.
func (l *Log) Get(name string) (Query, error) {
	q, ok := l.set.get(name)
	if !ok {
		return q, fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	return q, nil
}

// Add has a query stand, in the place of another one of its name, and returns when the Log that runs has read it back.
func (l *Log) Add(ctx context.Context, q *Query) error {
	own := *q
	if err := own.Check(); err != nil {
		return err
	}
	if err := l.set.refuses(&own); err != nil {
		return err
	}
	value, err := json.Marshal(&own)
	if err != nil {
		return fmt.Errorf("queries: %w", err)
	}
	if err := l.topic.Write(ctx, own.Name, value); err != nil {
		return err
	}
	if now, ok := l.set.get(own.Name); !ok || now.digest() != own.digest() {
		// Others were added meanwhile, or this one again.
		return fmt.Errorf("%w: name: %q: others came first", ErrFull, own.Name)
	}
	return nil
}

// Remove ends a query, and returns as Add does.
func (l *Log) Remove(ctx context.Context, name string) error {
	if _, err := l.Get(name); err != nil {
		return err
	}
	return l.topic.Write(ctx, name, nil)
}
