package judgments

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer/compacted"
	"kilim/consumer/kafkaconn"
)

// Log is the topic, and what it says.
type Log struct {
	topic   *compacted.Log
	set     *set
	refused prometheus.Counter
}

// New makes the Log of a topic, which must exist when it is used. reg hears how many judgments hold, and how many records were refused.
func New(conn *kafkaconn.Conn, topic string, reg prometheus.Registerer, log *slog.Logger) *Log {
	l := &Log{set: newSet(mostJudgments, mostBytes), refused: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "kilim_judgments_refused_total", Help: "Records of the topic of judgments that can't be used; the log says which and why.",
	})}
	l.topic = compacted.New(conn, compacted.Config{Topic: topic, What: "judgments", Set: l.set, Refused: l.refused, Log: log})
	reg.MustRegister(l.refused, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "kilim_judgments", Help: "Judgments that hold.",
	}, func() float64 { return float64(l.set.len()) }))
	return l
}

// Close lets go of the connections.
func (l *Log) Close() { l.topic.Close() }

// Run follows the topic until ctx ends. Kafka's failures are retried for ever.
func (l *Log) Run(ctx context.Context) error { return l.topic.Run(ctx) }

// List returns what is said of an artifact, or everything when id is empty, in the order of keys.
func (l *Log) List(id string) []Judgment { return l.set.list(id) }

// Len is how many judgments hold.
func (l *Log) Len() int { return l.set.len() }

// Changes is how often what List tells has changed, and whether it is all that the topic says: not before Run has read each partition as far as it
// went when that began, nor while it is read anew.
func (l *Log) Changes() (count uint64, complete bool) {
	complete = l.topic.Complete()
	return l.set.changed(), complete
}

// Write has a judgment hold, and returns when the Log that runs has read it back: List tells it then.
func (l *Log) Write(ctx context.Context, j *Judgment) error {
	key, value, err := j.record()
	if err != nil {
		return err
	}
	return l.topic.Write(ctx, key, value)
}

// Undo takes back what was said of a pair in a theme, or in general, and returns as Write does.
func (l *Log) Undo(ctx context.Context, a, b, theme string) error {
	if err := checkPair(&a, &b, theme); err != nil {
		return err
	}
	return l.topic.Write(ctx, keyOf(a, b, theme), nil)
}

// Send is Write without a Log that runs: it returns when all in-sync replicas have the record.
func (l *Log) Send(ctx context.Context, j *Judgment) error {
	key, value, err := j.record()
	if err != nil {
		return err
	}
	_, _, err = l.topic.Send(ctx, key, value)
	return err
}

// SendUndo is Undo without a Log that runs.
func (l *Log) SendUndo(ctx context.Context, a, b, theme string) error {
	if err := checkPair(&a, &b, theme); err != nil {
		return err
	}
	_, _, err := l.topic.Send(ctx, keyOf(a, b, theme), nil)
	return err
}

// record is that of a Judgment, which may have its pair in any order.
func (j *Judgment) record() (key string, value []byte, err error) {
	own := *j
	if err := own.Check(); err != nil {
		return "", nil, err
	}
	if value, err = own.value(); err != nil {
		return "", nil, fmt.Errorf("judgments: %w", err)
	}
	return own.Key(), value, nil
}

// Export reads what a topic says now, in the order of keys.
func Export(ctx context.Context, conn *kafkaconn.Conn, topic string, log *slog.Logger) ([]Judgment, error) {
	l := New(conn, topic, prometheus.NewRegistry(), log)
	defer l.Close()
	if err := l.topic.Read(ctx); err != nil {
		return nil, err
	}
	return l.List(""), nil
}
