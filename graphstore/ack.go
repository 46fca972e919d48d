package graphstore

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// ackRows is the most messages whose rows one transaction removes, with memtables large enough for it.
	ackRows = 4096
	// ackWait is how long an acknowledgement waits for a commit to take it along.
	ackWait = time.Second
)

// Ack takes the messages up to and including upto out of the outbox, with positions. It waits for no commit and is seen at once by all who ask
// the Store, a Reader of an earlier state too. Acknowledging what is gone already only changes positions; what was never committed is an error.
//
// Ack is durable with the commit that comes next, or, where none comes, by a write of its own after ackWait, at the latest with Close. So the disk syncs
// once for a unit, and not a second time for what was published of the unit before. A crash may take back the last acknowledgements, never one without those
// after it, and the positions with them: the outbox is as if the process had died before Kafka's answer came, and its messages are looked up in the topic from
// the older positions on. Positions are never ahead of the rows: of very many messages, which take several transactions, they go with the last.
func (s *Store) Ack(upto uint64, positions []Position) error {
	for _, p := range positions {
		if err := p.check(); err != nil {
			return fmt.Errorf("graphstore: acknowledge up to %d: %w", upto, err)
		}
	}
	if err := s.enter(); err != nil { // Close waits for the end
		return err
	}
	defer s.leave()
	if err := s.opts.room(s.dir, s.Margin()/4); err != nil {
		return fmt.Errorf("graphstore: acknowledge up to %d: %w", upto, err)
	}
	if err := s.box.ack(upto, positions, s.laterWriteAcks); err != nil {
		return fmt.Errorf("graphstore: acknowledge up to %d: %w", upto, err)
	}
	s.box.wake()
	return nil
}

func (p Position) check() error {
	err := checkPartition(p.Topic, p.Partition)
	if err == nil && p.Next < 0 {
		err = fmt.Errorf("next %d of %s/%d is negative", p.Next, p.Topic, p.Partition)
	}
	if err != nil {
		return fmt.Errorf("position: %w", err)
	}
	return nil
}

func (p Position) key() []byte { return partitionKey(keyPosition, p.Topic, p.Partition) }

// ack notes an acknowledgement. later is to have it written, if nothing is to do so yet.
func (o *outbox) ack(upto uint64, positions []Position, later func() *time.Timer) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if upto >= o.next {
		return fmt.Errorf("the last message is %d", o.next-1)
	}
	for o.acked < upto {
		o.bytes -= int64(o.sizes[0])
		o.sizes = o.sizes[1:]
		o.acked++
	}
	for len(o.times) > 1 && o.times[1].seq <= o.acked+1 {
		o.times = o.times[1:]
	}
	if o.acked+1 == o.next {
		o.times = nil
	}
	o.positions = withPositions(o.positions, positions)
	if o.writing == nil && (o.written < o.acked || len(o.positions) > 0) {
		o.writing = later()
	}
	return nil
}

// withPositions returns positions in the order of Positions, with others in the place of those of the same partitions.
func withPositions(positions, others []Position) []Position {
	out := slices.Clone(positions)
	for _, p := range others {
		i, there := slices.BinarySearchFunc(out, p, func(a, b Position) int { return bytes.Compare(a.key(), b.key()) })
		if there {
			out[i] = p
		} else {
			out = slices.Insert(out, i, p)
		}
	}
	return out
}

func (o *outbox) unwrittenPositions() []Position {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.positions
}

// acks are acknowledgements to be written: of the messages up to upto.
type acks struct {
	upto      uint64
	positions []Position
	ops       []op
}

// unwritten are those that one transaction writes at most, the oldest. It is for who holds Store.writer.
func (s *Store) unwritten() acks {
	o, rows := &s.box, min(ackRows, uint64(s.db.MaxBatchCount()/2))
	o.mu.Lock()
	defer o.mu.Unlock()
	a := acks{upto: min(o.acked, o.written+rows)}
	for seq := o.written + 1; seq <= a.upto; seq++ {
		a.ops = append(a.ops, op{key: seqKey(seq)})
	}
	if a.upto == o.acked {
		a.positions = o.positions
		for _, p := range a.positions {
			a.ops = append(a.ops, op{key: p.key(), value: encodeNumber(uint64(p.Next))})
		}
	}
	return a
}

// wrote says that acknowledgements are durable and that the current snapshot has them.
func (o *outbox) wrote(a acks) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.written = a.upto
	o.positions = slices.DeleteFunc(slices.Clone(o.positions), func(p Position) bool { return slices.Contains(a.positions, p) })
	if o.writing != nil && o.written == o.acked && len(o.positions) == 0 {
		o.writing.Stop()
		o.writing = nil
	}
}

func (s *Store) laterWriteAcks() *time.Timer { return time.AfterFunc(s.opts.ackWait, s.writeAcks) }

// writeAcks makes acknowledgements durable that no commit has taken along.
func (s *Store) writeAcks() {
	if err := s.enter(); err != nil {
		return // Close writes them; a store that has failed writes nothing
	}
	defer s.leave()
	s.writer.Lock()
	defer s.writer.Unlock()
	if err := s.writeUnwritten(); errors.Is(err, ErrNoSpace) {
		s.log.Warn("acknowledgements of messages are not durable yet; they are written when the disk has room", "error", err)
	}
	s.box.again(s.laterWriteAcks)
}

// again has what is not written yet tried again, or begins to wait for the next acknowledgement.
func (o *outbox) again(later func() *time.Timer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writing = nil; o.written < o.acked || len(o.positions) > 0 {
		o.writing = later()
	}
}

// writeUnwritten wants Store.writer. An error that is no ErrNoSpace has made the store fail.
func (s *Store) writeUnwritten() error {
	for a := s.unwritten(); len(a.ops) > 0; a = s.unwritten() {
		if err := s.commitRoom(a.ops, s.Margin()/4); err != nil {
			return err
		}
		if err := s.write("ack", a.ops); err != nil {
			s.poison(err)
			return err
		}
		s.refresh()
		s.box.wrote(a)
	}
	return nil
}

// Positions returns those of the last acknowledgements, by topic and partition.
func (s *Store) Positions() ([]Position, error) {
	s.box.mu.Lock() // what is not written is what the snapshot doesn't have
	unwritten := s.box.positions
	snap, err := s.acquire()
	s.box.mu.Unlock()
	if err != nil {
		return nil, err
	}
	defer s.release(snap)
	var out []Position
	r := &Reader{s: s, snap: snap}
	if err := r.rows([]byte{keyPosition}, func(k, v []byte) error {
		topic, partition, err := parsePartitionKey(k)
		if err != nil {
			return err
		}
		next, err := decodeNumber(v)
		out = append(out, Position{topic, partition, int64(next)})
		return err
	}); err != nil {
		return nil, fmt.Errorf("graphstore: read positions: %w", err)
	}
	return withPositions(out, unwritten), nil
}
