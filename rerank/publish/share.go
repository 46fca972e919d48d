package publish

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"kilim/rerank"
)

// outgoing is an entry of the outbox and the Kafka message that it becomes.
type outgoing struct {
	seq uint64
	out rerank.OutMessage
	msg kafka.Message
	// cuts counts how often shorten has taken from msg; whole is the length of its value before.
	cuts, whole int
	// needless is true of what the topics say already, see amend.
	needless bool
}

// share is what goes to one partition, in order.
type share struct {
	messages []*outgoing
	// next is the offset after the last message that was acknowledged; -1: none was.
	next int64
}

func (a topicPartition) compare(b topicPartition) int {
	return cmp.Or(strings.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
}

func (a topicPartition) String() string { return fmt.Sprintf("%s/%d", a.topic, a.partition) }

func (o *outgoing) published() Published {
	p := Published{
		Seq: o.seq, Topic: o.msg.Topic, Kind: o.out.Kind,
		ID: o.out.ID, Revision: o.out.Revision, Recorded: o.out.Recorded, Update: o.out.Update,
	}
	if u := o.out.Update; u != nil && o.out.Kind == rerank.KindUpdate { // a standing query may have an artifact's id for its name
		for _, id := range u.Cause {
			p.Own = p.Own || id == u.ID
		}
	}
	return p
}

// render decodes and renders in parallel.
func (p *Publisher) render(entries []Entry) ([]outgoing, error) {
	out := make([]outgoing, len(entries))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	const chunk = 64
	for from := 0; from < len(entries); from += chunk {
		g.Go(func() error {
			for i := from; i < min(from+chunk, len(entries)); i++ {
				m, err := rerank.Decode(entries[i].Value)
				if err != nil {
					return fmt.Errorf("outbox entry %d: %w", entries[i].Seq, err)
				}
				msg, err := render(&m, p.cfg.Topics, p.cfg.Source, p.writer, entries[i].Seq)
				if err != nil {
					return fmt.Errorf("outbox entry %d: %w", entries[i].Seq, err)
				}
				out[i] = outgoing{seq: entries[i].Seq, out: m, msg: msg}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

// share spreads the messages over the partitions, leaving out what is there already.
func (p *Publisher) share(ctx context.Context, out []outgoing) (map[topicPartition]*share, error) {
	shares := map[topicPartition]*share{}
	for i := range out {
		o := &out[i]
		if o.needless {
			continue
		}
		t, err := p.topic(ctx, o.msg.Topic)
		if err != nil {
			return nil, err
		}
		if p.isDelivered(t, o) {
			continue
		}
		at := topicPartition{o.msg.Topic, t.partition(o)}
		s := shares[at]
		if s == nil {
			s = &share{next: -1}
			shares[at] = s
		}
		s.messages = append(s.messages, o)
	}
	return shares, nil
}

func (p *Publisher) isDelivered(t *topic, o *outgoing) bool {
	if _, ok := p.delivered[o.seq]; ok {
		return true
	}
	if o.msg.Key != nil && t.lastOfKey[string(o.msg.Key)] >= o.seq {
		p.delivered[o.seq] = struct{}{}
		p.cfg.Metrics.reconciled.Inc()
		return true
	}
	return false
}

// partition is that of the key, or, without one, of the sequence number: so it is the
// same at every attempt.
func (t *topic) partition(o *outgoing) int {
	if o.msg.Key == nil {
		return t.partitions[o.seq%uint64(len(t.partitions))]
	}
	return kafka.Murmur2Balancer{Consistent: true}.Balance(o.msg, t.partitions...)
}
