package publish

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/cenkalti/backoff/v5"
)

// Found is what the output topics hold of a state's messages, from the stored positions on.
type Found struct {
	// Unknown counts the messages that the store has not written: under a number that it has not given, or has given to another
	// message, which waits in the outbox, or by a writer that it has not become. Above 0 the store is older than what was published of its state: its folder was put back. The numbers
	// that it would give are taken.
	Unknown int
	// Shortened is true if a partition of the topic of lists ends before its stored position. What was published there is gone:
	// the topic was deleted and made again, or the cluster has lost records.
	Shortened bool
	// Numbers are those of the store's own writer.
	Numbers map[uint64]struct{}
	// Latest tells of each artifact with a message in the topic of lists what the newest says.
	Latest map[string]Latest
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
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = p.cfg.MinBackoff, p.cfg.MaxBackoff
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
		wait(ctx, pause.NextBackOff())
	}
}

func (p *Publisher) look(ctx context.Context) (*Found, error) {
	next := p.cfg.Store.Next()
	if len(p.positions) == 0 && next == 1 {
		return new(Found), p.anchor(ctx)
	}
	f := &Found{Numbers: map[uint64]struct{}{}, Latest: map[string]Latest{}}
	first := map[topicPartition]int64{}
	var ends []Position
	var failed error
	for _, name := range []string{p.cfg.Topics.Similar, p.cfg.Topics.DeadLetters} {
		lists := name == p.cfg.Topics.Similar
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
			if lists {
				f.Revision = max(f.Revision, m.revision)
				if id := string(m.key); m.revision >= f.Latest[id].Revision {
					f.Latest[id] = Latest{m.revision, m.value == nil}
				}
			}
		})
		if failed != nil {
			return nil, storeError{failed}
		}
		if err != nil {
			return nil, fmt.Errorf("publish: look into topic %q: %w", name, err)
		}
		f.Shortened = f.Shortened || lists && s.shortened
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
	if topic == p.cfg.Topics.Similar && !m.shortened {
		same = same && bytes.Equal(out[0].msg.Key, m.key) && bytes.Equal(out[0].msg.Value, m.value)
	}
	return same, nil
}
