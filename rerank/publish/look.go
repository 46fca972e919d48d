package publish

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"

	"kilim/internal/pause"
)

// Found is what the output topics hold of a state's messages, from the stored positions on.
type Found struct {
	// Unknown counts the messages that the store has not written: under a number that it has not given, or has given to another
	// message, which waits in the outbox, or by a writer that it has not become. Above 0 the store is older than what was published of its state: its folder was put back. The numbers
	// that it would give are taken.
	Unknown int
	// Taken is true when another process published, and this one goes on in its place, see Holdings.
	Taken bool
	// Lost is true if a topic of lists, of standing queries too, or that of cells, does not have what was published. Either a partition ends before its stored position: the topic
	// was deleted and made again, or the cluster has lost records. Or no partition has a position, while topics in Left have: another
	// topic is configured than before. Or one of a theme is not there.
	Lost bool
	// Left are the topics with positions that are not configured any more, and those of themes that are not there. Their positions must be forgotten when the lists are
	// published again: the topic may be configured again, and lacks then what was published meanwhile.
	Left []string
	// Numbers are those of the store's own writer.
	Numbers map[uint64]struct{}
	// Latest tells of each artifact with a message in the topic of lists what the newest says, and Themed the same of the topics of themes.
	Latest map[string]Latest
	Themed map[string]map[string]Latest
	// Cells tells the same of each key in the topic of cells, and Queries of each in that of standing queries.
	Cells, Queries map[string]Latest
	// Revision is the highest of lists and tombstones.
	Revision uint64
	// Positions are up to where the topics were read, or, without Unknown, from where they must be read again.
	Positions []Position
}

// Latest is the newest message of an artifact: its revision, and whether it is a tombstone.
type Latest struct {
	Revision uint64
	Gone     bool
}

// Look reads the output topics from the stored positions on. It is for the start of a process, before the store gives a number:
// after that, its own new messages can't be told from those of a later time that a restored store has forgotten. A Publisher
// must be made after what follows from a Found is in the store. Kafka's failures are tried again until ctx ends.
//
// In a store that has never given a number Look stores where the topics end, and reads nothing: the messages there are of others.
func Look(ctx context.Context, cfg Config) (*Found, error) {
	p, err := New(cfg)
	if err != nil {
		return nil, err
	}
	if err := p.loadPositions(); err != nil {
		return nil, err
	}
	delay := backoff.NewExponentialBackOff()
	delay.InitialInterval, delay.MaxInterval = p.cfg.MinBackoff, p.cfg.MaxBackoff
	for {
		f, err := p.look(ctx)
		var fatal storeError
		switch {
		case err == nil:
			return f, nil
		case errors.As(err, &fatal):
			return nil, fmt.Errorf("publish: %w", fatal.error)
		case ctx.Err() != nil:
			return nil, fmt.Errorf("%w; the last error: %w", context.Cause(ctx), err)
		}
		p.cfg.Log.Warn("the topics can't be looked into; trying again", "err", err)
		p.reconnect()
		pause.For(ctx, delay.NextBackOff())
	}
}

func (p *Publisher) look(ctx context.Context) (*Found, error) {
	next := p.cfg.Store.Next()
	if len(p.positions) == 0 && next == 1 {
		return new(Found), p.anchor(ctx)
	}
	f := &Found{Numbers: map[uint64]struct{}{}, Latest: map[string]Latest{}, Themed: map[string]map[string]Latest{}, Cells: map[string]Latest{},
		Queries: map[string]Latest{}, Left: p.left()}
	themed, err := p.lookForThemes(ctx, f)
	if err != nil {
		return nil, err
	}
	first := map[topicPartition]int64{}
	var ends []Position
	var failed error
	for _, name := range append(p.cfg.Topics.all(), themed...) {
		latest := f.Themed[name]
		switch name {
		case p.cfg.Topics.Similar:
			latest = f.Latest
		case p.cfg.Topics.Cultures:
			latest = f.Cells
		case p.cfg.Topics.Queries:
			latest = f.Queries
		}
		s, err := p.read(ctx, name, p.spans, func(at topicPartition, m *message) {
			known := m.writer == p.writer && m.seq < next
			if known {
				same, err := p.waitsAs(at.topic, m)
				failed = cmp.Or(failed, err)
				known = same
			}
			if !known {
				f.Unknown++
			} else {
				f.Numbers[m.seq] = struct{}{}
				if _, ok := first[at]; !ok {
					first[at] = m.offset
				}
			}
			if latest != nil {
				f.Revision = max(f.Revision, m.revision)
				if id := string(m.key); m.revision >= latest[id].Revision {
					latest[id] = Latest{m.revision, m.value == nil}
				}
			}
		})
		if failed != nil {
			return nil, storeError{failed}
		}
		if err != nil {
			return nil, fmt.Errorf("publish: look into topic %q: %w", name, err)
		}
		f.Lost = f.Lost || latest != nil && s.shortened || p.cfg.Topics.told(name) && !p.positioned(name) && len(f.Left) > 0
		for _, partition := range s.partitions {
			ends = append(ends, Position{Topic: name, Partition: partition, Next: s.spans[partition].end})
		}
	}
	f.Positions = ends
	if f.Unknown == 0 {
		for i, at := range ends {
			if offset, ok := first[topicPartition{at.Topic, at.Partition}]; ok {
				f.Positions[i].Next = offset
			}
		}
	}
	return f, nil
}

// lookForThemes returns the topics of themes that are there, rising, also those that the store does not know: it may be older than they are. What it
// has published to and is not there was deleted, and is made again when there is something to say in it.
func (p *Publisher) lookForThemes(ctx context.Context, f *Found) (themed []string, err error) {
	all, err := p.client.Metadata(ctx, new(kafka.MetadataRequest))
	if err != nil {
		return nil, fmt.Errorf("publish: look for topics of themes: %w", err)
	}
	for _, t := range all.Topics {
		if p.cfg.Topics.themed(t.Name) && len(t.Partitions) > 0 {
			f.Themed[t.Name] = map[string]Latest{}
			themed = append(themed, t.Name)
		}
	}
	slices.Sort(themed)
	for at := range p.positions {
		if p.cfg.Topics.themed(at.topic) && f.Themed[at.topic] == nil && !slices.Contains(f.Left, at.topic) {
			f.Lost, f.Left = true, append(f.Left, at.topic)
		}
	}
	return themed, nil
}

func (p *Publisher) positioned(topic string) bool {
	for at := range p.positions {
		if at.topic == topic {
			return true
		}
	}
	return false
}

// left are the topics with positions that are not written to, rising.
func (p *Publisher) left() (topics []string) {
	for at := range p.positions {
		if !slices.Contains(p.cfg.Topics.all(), at.topic) && !p.cfg.Topics.themed(at.topic) {
			topics = append(topics, at.topic)
		}
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// waitsAs is false when another message waits in the outbox under the number of the one that is in the topic: work on a folder
// that was put back has given numbers while nobody looked, as a training by hand does. A list is compared in full; a dead letter
// and what was shortened for its topic are less than what waits, and the topic is all that is compared.
func (p *Publisher) waitsAs(topic string, m *message) (bool, error) {
	waiting, err := p.cfg.Store.Outbox(m.seq-1, 1)
	if err != nil {
		return false, fmt.Errorf("read message %d of the outbox: %w", m.seq, err)
	}
	if len(waiting) == 0 || waiting[0].Seq != m.seq {
		return true, nil // acknowledged
	}
	out, err := p.render(waiting)
	if err != nil {
		return false, err
	}
	same := out[0].msg.Topic == topic
	if topic != p.cfg.Topics.DeadLetters && !m.shortened {
		same = same && bytes.Equal(out[0].msg.Key, m.key) && bytes.Equal(out[0].msg.Value, m.value)
	}
	return same, nil
}
