package publish

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/segmentio/kafka-go"

	"kilim/consumer"
	"kilim/consumer/recordset"
	"kilim/rerank"
)

// Holdings are what the output topics hold, whoever wrote it. A process that stands by reads them on and on, so that when it takes over it knows what
// has been told: it then publishes what differs from that, and nothing twice. They are kept in memory, some 300 bytes an artifact with lists of 10, and read
// anew from the topics' beginning at each start: what was kept on a disk could be of another topic.
//
// Holdings and the Publisher that they are of are used by one goroutine at a time.
type Holdings struct {
	p    *Publisher
	next map[topicPartition]int64
	// numbers gives each artifact that is in a list the number that stands for it in places; ids are the artifacts by number.
	numbers  map[string]uint32
	ids      []string
	lists    map[string]*held
	cells    map[string]Latest
	queries  map[string]Latest
	dead     map[source]struct{}
	revision uint64
	beat     Beat
	beatAt   int64 // the offset of beat, -1 when there is none
}

// held is what the topic of lists says last of an artifact.
type held struct {
	Latest
	lists []heldList
	// told is true once the Publisher has published of the artifact: from then on what the store says of it is right.
	told bool
}

type heldList struct {
	name   string
	places []place
}

type place struct {
	number uint32
	score  float32
}

// source is the record that a dead letter is of.
type source struct {
	topic     string
	partition int
	offset    int64
}

func sourceOf(headers []kafka.Header) source {
	r := consumer.RejectionOf(headers)
	return source{r.Topic, r.Partition, r.Offset}
}

// Holdings reads nothing yet, see Look and Read. Config.Topics must have an Owner.
func (p *Publisher) Holdings() *Holdings {
	h := &Holdings{p: p}
	h.clear()
	return h
}

func (h *Holdings) clear() {
	*h = Holdings{
		p: h.p, next: map[topicPartition]int64{}, numbers: map[string]uint32{}, lists: map[string]*held{}, cells: map[string]Latest{}, queries: map[string]Latest{},
		dead: map[source]struct{}{}, beatAt: -1,
	}
}

// Look reads the topic of the owner to its end, and returns the newest Beat with its offset, which is -1 when there is none.
func (h *Holdings) Look(ctx context.Context) (Beat, int64, error) {
	err := h.read(ctx, h.p.cfg.Topics.Owner, func(r *recordset.Record) error {
		if string(r.Key) != h.p.cfg.TransactionalID {
			return nil // of other topics' owner
		}
		var b Beat
		if err := json.Unmarshal(r.Value, &b); err != nil {
			return fmt.Errorf("offset %d is no beat: %w", r.Offset, err)
		}
		h.beat, h.beatAt = b, r.Offset
		return nil
	})
	return h.beat, h.beatAt, err
}

// Read reads the topics of lists, cells, standing queries and dead letters to their ends.
func (h *Holdings) Read(ctx context.Context) error {
	for name, take := range map[string]func(*recordset.Record) error{
		h.p.cfg.Topics.Similar: h.takeLists, h.p.cfg.Topics.DeadLetters: h.takeDead,
		h.p.cfg.Topics.Cultures: h.takeLatest(h.cells), h.p.cfg.Topics.Queries: h.takeLatest(h.queries),
	} {
		if err := h.read(ctx, name, take); err != nil {
			return err
		}
	}
	return nil
}

// read calls fn for what is committed in a topic and has not been read. After an error some of it is read again, which changes nothing.
func (h *Holdings) read(ctx context.Context, name string, fn func(*recordset.Record) error) error {
	partitions, err := h.p.partitions(ctx, name)
	if err != nil {
		return err
	}
	spans, err := h.p.stable(ctx, name, partitions)
	if err != nil {
		return err
	}
	for _, partition := range partitions {
		at, span := topicPartition{name, partition}, spans[partition]
		from, known := h.next[at]
		if from > span.end {
			h.clear()
			return fmt.Errorf("%v ends at %d, and was read to %d: it was made anew; all topics are read from their beginning", at, span.end, from)
		}
		if !known || from < span.first {
			from = span.first
		}
		var failed error
		if err := h.p.readRecords(ctx, at, from, span.end, func(r *recordset.Record) {
			if failed == nil {
				failed = fn(r)
			}
		}); err != nil {
			return fmt.Errorf("%v: %w", at, err)
		}
		if failed != nil {
			return fmt.Errorf("%v: %w", at, failed)
		}
		h.next[at] = span.end
	}
	return nil
}

// takeLists takes up a message of the topic of lists. One without lists that can be read, as one that was shortened may be, is none that equals any.
func (h *Holdings) takeLists(r *recordset.Record) error {
	m := messageOf(r)
	if m == nil {
		return nil
	}
	now := &held{Latest: Latest{Revision: m.revision, Gone: m.value == nil}}
	h.revision = max(h.revision, m.revision)
	var value struct {
		Lists map[string][]struct {
			ID    string  `json:"id"`
			Score float32 `json:"score"`
		} `json:"lists"`
	}
	if len(m.value) > 0 && json.Unmarshal(m.value, &value) == nil {
		for name, entries := range value.Lists {
			list := heldList{name, make([]place, len(entries))}
			for i, e := range entries {
				list.places[i] = place{h.number(e.ID), e.Score}
			}
			now.lists = append(now.lists, list)
		}
	}
	h.lists[string(m.key)] = now
	return nil
}

// takeLatest takes up messages of a topic of which all is told again: what of each key was told last is enough.
func (h *Holdings) takeLatest(by map[string]Latest) func(*recordset.Record) error {
	return func(r *recordset.Record) error {
		if m := messageOf(r); m != nil {
			h.revision = max(h.revision, m.revision)
			by[string(m.key)] = Latest{m.revision, m.value == nil}
		}
		return nil
	}
}

func (h *Holdings) takeDead(r *recordset.Record) error {
	if messageOf(r) != nil {
		h.dead[sourceOf(r.Headers)] = struct{}{}
	}
	return nil
}

func (h *Holdings) number(id string) uint32 {
	n, ok := h.numbers[id]
	if !ok {
		n = uint32(len(h.ids))
		h.numbers[id], h.ids = n, append(h.ids, id)
	}
	return n
}

// of returns the lists of an artifact as the topic has them, with ids and scores alone.
func (h *held) of(all *Holdings) (lists rerank.Lists) {
	for _, l := range h.lists {
		entries := make([]rerank.Entry, len(l.places))
		for i, p := range l.places {
			entries[i] = rerank.Entry{ID: all.ids[p.number], Score: p.score}
		}
		lists = append(lists, rerank.List{Name: l.name, Entries: entries})
	}
	return lists
}

// Found is what the topics hold, in the form by which the lists of a state are published again: the state is to become another writer, for
// its numbers say nothing of what the topics hold.
func (h *Holdings) Found() *Found {
	f := &Found{Taken: true, Unknown: 1, Numbers: map[uint64]struct{}{}, Latest: make(map[string]Latest, len(h.lists)), Cells: h.cells, Queries: h.queries, Revision: h.revision}
	for id, l := range h.lists {
		f.Latest[id] = l.Latest
	}
	for at, next := range h.next {
		if at.topic != h.p.cfg.Topics.Owner {
			f.Positions = append(f.Positions, Position{Topic: at.topic, Partition: at.partition, Next: next})
		}
	}
	return f
}

// Discard takes out of the outbox what another process publishes, or has: all up to the first dead letter that is not in its topic. Lists are compared
// with the topic's when this process takes over; a dead letter is in no row of the state, and so it stays until it is told. reached are the
// offsets of the state, of before the call.
func (h *Holdings) Discard(reached []Reached) error {
	store := h.p.cfg.Store
	for after := uint64(0); ; {
		entries, err := store.Outbox(after, page)
		if err != nil {
			return storeError{fmt.Errorf("read the outbox: %w", err)}
		}
		upto := after
		stopped := false
		for _, e := range entries {
			m, err := rerank.Decode(e.Value)
			if err != nil {
				return storeError{fmt.Errorf("outbox entry %d: %w", e.Seq, err)}
			}
			if stopped = m.Kind == rerank.KindMessage && !h.holdsDead(m.Headers); stopped {
				break
			}
			upto = e.Seq
		}
		if upto > after {
			if err := store.Ack(upto, nil); err != nil {
				return storeError{fmt.Errorf("take messages up to %d out of the outbox: %w", upto, err)}
			}
			after = upto
			if h.p.cfg.OnPublished != nil {
				h.p.cfg.OnPublished(nil) // there is room
			}
		}
		if stopped {
			return nil
		}
		if len(entries) == 0 {
			break
		}
	}
	// Of the records that the state has, all dead letters have been in the outbox, and none is any more.
	for _, r := range reached {
		for s := range h.dead {
			if s.topic == r.Topic && s.partition == r.Partition && s.offset < r.Next {
				delete(h.dead, s)
			}
		}
	}
	return nil
}

func (h *Holdings) holdsDead(headers []rerank.Header) bool {
	kept := make([]kafka.Header, len(headers))
	for i, x := range headers {
		kept[i] = kafka.Header(x)
	}
	_, ok := h.dead[sourceOf(kept)]
	return ok
}

// stable is spans up to the first open transaction of each partition.
func (p *Publisher) stable(ctx context.Context, name string, partitions []int) (map[int]span, error) {
	return p.spansOf(ctx, name, partitions, kafka.ReadCommitted)
}
