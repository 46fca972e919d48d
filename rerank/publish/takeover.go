package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/rerank"
)

// Beat is what the owner of a transactional id says of itself in the topic Topics.Owner: in each of its transactions, and in one of its own when it has said
// nothing for BeatEvery. The key of the message is the transactional id, so that compaction keeps the newest.
type Beat struct {
	// Writer is that of the messages of the transaction.
	Writer string `json:"writer"`
	// Reached are the offsets before which all records are whose effects may be in the topics. A successor applies at least these before it publishes, else
	// it would take back what has been told.
	Reached []Reached `json:"reached"`
	// Left is true of the last Beat of a process that stops: its successor need not wait.
	Left bool `json:"left,omitempty"`
}

// Reached is how far a state has applied a partition of the input.
type Reached struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Next      int64  `json:"next"`
}

// BeatEvery is the time between two Beats of an owner that has nothing else to say.
const BeatEvery = 500 * time.Millisecond

// Take makes this process the owner of the transactional id: whoever was is fenced, and its open transaction aborted, when Take returns. It may be called again
// after an error, but for ErrFenced. Until Run, Beat must be called every BeatEvery.
func (p *Publisher) Take(ctx context.Context, from *Holdings) error {
	p.reached = from.beat.Reached
	if err := p.own(ctx); err != nil {
		return err
	}
	return p.Beat(ctx)
}

// Beat says that this process owns the transactional id, and learns whether it still does.
func (p *Publisher) Beat(ctx context.Context) error { return p.beat(ctx, false) }

// Clear empties the outbox while the state applies what its predecessor had: it publishes the dead letters that are not in their topic. All else is
// in the state's rows, and is compared with the topics later. from must have been read since Take.
func (p *Publisher) Clear(ctx context.Context, from *Holdings) error {
	p.held, p.clearing = from, true
	defer func() { p.held, p.clearing = nil, false }()
	for at, next := range from.next {
		if _, known := p.positions[at]; !known {
			p.positions[at] = next
		}
	}
	err := p.drain(ctx)
	if err != nil && !Final(err) {
		p.failed(err)
	}
	return err
}

// Hold has Run compare the first message of each artifact with what the topics hold: what does not differ is not published, and the changes that
// are told are those against the topic. settled tells when the state has said of each artifact what it has to say, and the Holdings are of no more use.
func (p *Publisher) Hold(from *Holdings, settled func() bool) { p.held, p.settledAll = from, settled }

// Final tells that an error of Take, Beat or Clear is one after which this process can't go on: ErrFenced, or the store's. What else there is may be tried again.
func Final(err error) bool {
	var fatal storeError
	return errors.As(err, &fatal)
}

func (p *Publisher) owning() bool { return p.cfg.Topics.Owner != "" }

// beat is a transaction that has a Beat alone.
func (p *Publisher) beat(ctx context.Context, left bool) error {
	err := p.own(ctx)
	if err == nil {
		err = p.enlist(ctx, []topicPartition{p.ownerPartition()})
	}
	if err == nil {
		err = p.sendBeat(ctx, left)
	}
	if err == nil {
		err = p.end(ctx, true)
	}
	if err != nil {
		p.producer.known = false // a transaction may be open
		return err
	}
	p.beaten = time.Now()
	return nil
}

// leave tells the successor that it need not wait.
func (p *Publisher) leave(ctx context.Context) {
	ctx, cancel := graceful(ctx, p.cfg.Grace)
	defer cancel()
	if err := p.beat(ctx, true); err != nil {
		p.cfg.Log.Warn("who stands by was not told that this process stops", "err", err)
	}
}

// ownerPartition is where Beats are: the topic of the owner has one partition that is written to.
func (p *Publisher) ownerPartition() topicPartition { return topicPartition{p.cfg.Topics.Owner, 0} }

// sendBeat sends a Beat in the open transaction.
func (p *Publisher) sendBeat(ctx context.Context, left bool) error {
	at, pr := p.ownerPartition(), &p.producer
	if pr.partitions[at] == nil {
		pr.partitions[at] = &numbering{}
	}
	now, err := p.cfg.Reached()
	if err != nil {
		return storeError{fmt.Errorf("offsets of the state: %w", err)}
	}
	p.reached = furthest(p.reached, now)
	value, err := json.Marshal(Beat{p.writer, append([]Reached{}, p.reached...), left})
	if err != nil {
		return storeError{err}
	}
	o := &outgoing{msg: kafka.Message{Topic: at.topic, Key: []byte(p.cfg.TransactionalID), Value: value}}
	if _, err := p.produce(ctx, at, []*outgoing{o}, pr.partitions[at]); err != nil {
		return fmt.Errorf("send to %v: %w", at, err)
	}
	return nil
}

// furthest has the greater offset of each partition.
func furthest(a, b []Reached) []Reached {
	out := append([]Reached(nil), a...)
next:
	for _, r := range b {
		for i := range out {
			if out[i].Topic == r.Topic && out[i].Partition == r.Partition {
				out[i].Next = max(out[i].Next, r.Next)
				continue next
			}
		}
		out = append(out, r)
	}
	return out
}

// amend fits what is to be published to what the topics hold, and returns the artifacts of which settle is to be told when it is published. What is not
// to be published counts as delivered.
func (p *Publisher) amend(out []outgoing) (artifacts []string, err error) {
	h := p.held
	if h == nil {
		return nil, nil
	}
	seen := map[string]struct{}{}
	for i := range out {
		o := &out[i]
		switch {
		case o.out.Kind == rerank.KindMessage:
			o.needless = h.holdsDead(o.out.Headers)
		case p.clearing:
			o.needless = true
		case o.out.Kind == rerank.KindUpdate, o.out.Kind == rerank.KindTombstone:
			if _, again := seen[o.out.ID]; again {
				break
			}
			seen[o.out.ID] = struct{}{}
			artifacts = append(artifacts, o.out.ID)
			if err := p.compare(h, o); err != nil {
				return nil, err
			}
		}
		if o.needless {
			p.delivered[o.seq] = struct{}{}
		}
	}
	return artifacts, nil
}

// compare holds the first message of an artifact against what the topic says of it.
func (p *Publisher) compare(h *Holdings, o *outgoing) error {
	was := h.lists[o.out.ID]
	if was == nil {
		was = &held{Latest: Latest{Gone: true}}
	}
	if was.told {
		return nil
	}
	if o.out.Update == nil {
		o.needless = was.Gone
		return nil
	}
	before := was.of(h)
	if !was.Gone && !rerank.Material(before, o.out.Update.Lists, p.cfg.Tolerance) {
		o.needless = true
		return nil
	}
	u := *o.out.Update
	u.Changes = rerank.DiffAll(before, u.Lists)
	o.out.Update = &u
	msg, err := render(&o.out, p.cfg.Topics, p.cfg.Source, p.writer, o.seq)
	if err != nil {
		return fmt.Errorf("outbox entry %d: %w", o.seq, err)
	}
	o.msg = msg
	return nil
}

// settle notes that the first messages of artifacts are published.
func (p *Publisher) settle(artifacts []string) {
	for _, id := range artifacts {
		p.held.lists[id] = &held{told: true}
	}
}
