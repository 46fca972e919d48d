package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
)

// headerSeq carries an op's place in the plan.
const headerSeq = "feed_seq"

// feeder sends the plan's records in order, each once, to a broker that may be gone
// at any moment.
type feeder struct {
	client *kafka.Client
	topic  string
	ops    []op
	rng    *rand.Rand
	pause  time.Duration // at most, between two requests

	next    int     // ops before this one are acknowledged, or found in the topic
	ends    []int64 // per partition: the offset after the last record known
	unclear []op    // sent without an answer
}

func newFeeder(addr, topic string, partitions int, ops []op, seed uint64, pause time.Duration) *feeder {
	return &feeder{
		client: &kafka.Client{Addr: kafka.TCP(addr), Transport: &kafka.Transport{DialTimeout: time.Second}, Timeout: 10 * time.Second},
		topic:  topic, ops: ops, rng: rand.New(rand.NewPCG(seed, 1)), pause: pause, ends: make([]int64, partitions),
	}
}

// feed sends until upto ops are in the topic or ctx ends. The broker may be absent.
func (f *feeder) feed(ctx context.Context, upto int) error {
	for f.next < upto && ctx.Err() == nil {
		if err := f.step(ctx, upto); err != nil {
			var fatal *fatalError
			if errors.As(err, &fatal) {
				return err
			}
			// A connection to the broker that died must not carry anything further.
			f.client.Transport.(*kafka.Transport).CloseIdleConnections()
			sleep(ctx, 20*time.Millisecond)
			continue
		}
		if f.pause > 0 {
			sleep(ctx, time.Duration(f.rng.Int64N(int64(f.pause))))
		}
	}
	return nil
}

// fatalError is one that trying again can't help.
type fatalError struct{ error }

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// step sends one request: some records of one partition, next in the plan.
func (f *feeder) step(ctx context.Context, upto int) error {
	if len(f.unclear) > 0 {
		if err := f.clear(ctx); err != nil {
			return err
		}
		if f.next >= upto {
			return nil
		}
	}
	// One request at a time and one partition a request: it is in the topic as
	// a whole or not at all.
	from, size := f.next, 1+f.rng.IntN(20)
	to := from + 1
	for to < min(upto, from+size) && f.ops[to].partition == f.ops[from].partition {
		to++
	}
	f.unclear = f.ops[from:to]
	base, err := f.produce(ctx, f.unclear)
	if err != nil {
		return err
	}
	p := f.ops[from].partition
	if base != f.ends[p] {
		return &fatalError{fmt.Errorf("feeder: partition %d: records went to offset %d, expected %d: another producer?", p, base, f.ends[p])}
	}
	f.ends[p] = base + int64(len(f.unclear))
	f.next, f.unclear = to, nil
	return nil
}

func (f *feeder) produce(ctx context.Context, ops []op) (base int64, err error) {
	records := make([]kafka.Record, len(ops))
	for i, o := range ops {
		records[i] = kafka.Record{Headers: []kafka.Header{{Key: headerSeq, Value: strconv.AppendInt(nil, int64(o.seq), 10)}}}
		if o.key != nil {
			records[i].Key = kafka.NewBytes(o.key)
		}
		if o.value != nil {
			records[i].Value = kafka.NewBytes(o.value)
		}
	}
	res, err := f.client.Produce(ctx, &kafka.ProduceRequest{
		Topic: f.topic, Partition: ops[0].partition, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...),
	})
	if err != nil {
		return 0, err
	}
	return res.BaseOffset, res.Error
}

// settled is how long the topic's end must stay before an unanswered request is
// taken as not carried out. A killed broker carries nothing out later; this is for
// one that lives and was slow.
const settled = 100 * time.Millisecond

// clear finds out whether the unanswered request was carried out.
func (f *feeder) clear(ctx context.Context) error {
	p := f.unclear[0].partition
	end, err := f.end(ctx, p)
	if err != nil {
		return err
	}
	sleep(ctx, settled)
	again, err := f.end(ctx, p)
	if err != nil {
		return err
	}
	if end != again {
		return errors.New("feeder: the topic's end is moving")
	}
	switch end {
	case f.ends[p]:
	case f.ends[p] + int64(len(f.unclear)):
		f.ends[p] = end
		f.next += len(f.unclear)
	default:
		return &fatalError{fmt.Errorf("feeder: partition %d ends at %d; %d were acknowledged, %d more sent: the broker lost or tore records", p, end, f.ends[p], len(f.unclear))}
	}
	f.unclear = nil
	return nil
}

func (f *feeder) end(ctx context.Context, partition int) (int64, error) {
	res, err := f.client.ListOffsets(ctx, &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{f.topic: {kafka.LastOffsetOf(partition)}},
	})
	if err != nil {
		return 0, err
	}
	for _, o := range res.Topics[f.topic] {
		if o.Partition == partition {
			return o.LastOffset, o.Error
		}
	}
	return 0, fmt.Errorf("feeder: no answer for partition %d", partition)
}
