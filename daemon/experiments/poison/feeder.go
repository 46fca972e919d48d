package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/experiments/poison/hostile"
)

// mostOfBatch are the bytes after which a batch is sent, and packBytes those above which it must be packed for the broker to take it.
const (
	mostOfBatch = 8 << 20
	packBytes   = 4 << 20
)

// feeder sends the records in batches, those of one id to one partition in their order, and tells the ledger where each is.
type feeder struct {
	client  *kafka.Client
	topic   string
	ledger  *ledger
	rng     *rand.Rand
	pending []batch // by partition
}

type batch struct {
	records []*hostile.Record
	bytes   int
	most    int // records after which it is sent
}

func newFeeder(addr, topic string, o *options, l *ledger) *feeder {
	f := &feeder{
		client: &kafka.Client{Addr: kafka.TCP(addr), Timeout: 2 * time.Minute}, topic: topic, ledger: l,
		rng: rand.New(rand.NewPCG(o.Seed, 2)), pending: make([]batch, o.partitions),
	}
	for p := range f.pending {
		f.pending[p].most = f.someRecords()
	}
	return f
}

func (f *feeder) someRecords() int { return 1 + f.rng.IntN(1+f.rng.IntN(150)) }

// add takes a record, and sends it with those before it when they are enough.
func (f *feeder) add(ctx context.Context, r *hostile.Record) error {
	h := fnv.New32a()
	h.Write([]byte(r.ID))
	p := int(h.Sum32() % uint32(len(f.pending)))
	b := &f.pending[p]
	b.records = append(b.records, r)
	b.bytes += len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		b.bytes += len(h.Key) + len(h.Value)
	}
	if len(b.records) >= b.most || b.bytes > mostOfBatch {
		return f.send(ctx, p)
	}
	return nil
}

// flush sends what is left.
func (f *feeder) flush(ctx context.Context) error {
	for p := range f.pending {
		if err := f.send(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (f *feeder) send(ctx context.Context, partition int) error {
	b := f.pending[partition]
	f.pending[partition] = batch{most: f.someRecords()}
	if len(b.records) == 0 {
		return nil
	}
	codecs := []kafka.Compression{kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd, 0}
	if b.bytes > packBytes {
		codecs = codecs[:4]
	}
	req := &kafka.ProduceRequest{Topic: f.topic, Partition: partition, RequiredAcks: kafka.RequireAll, Compression: codecs[f.rng.IntN(len(codecs))]}
	records := make([]kafka.Record, len(b.records))
	for i, r := range b.records {
		records[i].Headers = r.Headers
		if r.Key != nil {
			records[i].Key = kafka.NewBytes(r.Key)
		}
		if r.Value != nil {
			records[i].Value = kafka.NewBytes(r.Value)
		}
	}
	req.Records = kafka.NewRecordReader(records...)
	res, err := f.client.Produce(ctx, req)
	if err == nil {
		err = res.Error
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause // says why the daemon has ended
	}
	if err != nil {
		return fmt.Errorf("send %d records of %d bytes, codec %v, from %v on: %w", len(records), b.bytes, req.Compression, b.records[0], err)
	}
	for i, r := range b.records {
		f.ledger.sent(r, place{partition, res.BaseOffset + int64(i)})
	}
	return nil
}
