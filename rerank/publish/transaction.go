package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/internal/pause"
)

// ErrFenced is returned by Run when the transactional id of the Publisher is another process's. Nothing that is sent after that is
// taken by the brokers.
var ErrFenced = errors.New("fenced: another process publishes under the same transactional id, or this one held a transaction open for longer than the brokers allow")

const (
	// transactionTimeout is after what time the coordinator aborts a transaction whose process has died. Readers that are
	// read_committed wait for that at its first message, if no successor is there before.
	transactionTimeout = 30 * time.Second
	// coordinatorPause is how long a request waits to be repeated while the coordinator still ends the transaction before.
	coordinatorPause = 5 * time.Millisecond
	// leastInitProducerID is the version of the request in which a producer may only go on if it has the newest epoch (KIP-360).
	leastInitProducerID = 3
)

func (p *Publisher) transactional() bool { return p.cfg.TransactionalID != "" }

// own makes sure that this process owns the transactional id, and that none of the id's transactions is open: what the topics hold
// after that is committed or aborted for good, and reconcile finds which. It does nothing unless this is the beginning or something failed.
//
// The first time it takes the id from whoever has it. Later it goes on only as who it was: a process that was cut off from the brokers must not
// take the id back from its successor.
func (p *Publisher) own(ctx context.Context) error {
	pr := &p.producer
	if pr.known {
		return nil
	}
	req := &kafka.InitProducerIDRequest{
		TransactionalID: p.cfg.TransactionalID, TransactionTimeoutMs: int(transactionTimeout.Milliseconds()), ProducerID: -1, ProducerEpoch: -1,
	}
	if pr.owned {
		if err := p.end(ctx, false); err != nil && !errors.Is(err, kafka.InvalidTransactionState) { // none was open
			return err
		}
		req.ProducerID, req.ProducerEpoch = int(pr.id), int(pr.epoch)
	} else if err := p.checkVersion(ctx); err != nil {
		return err
	}
	err := p.coordinate(ctx, "take the transactional id", func() error {
		res, err := p.client.InitProducerID(ctx, req)
		if err != nil {
			return err
		}
		if res.Error == nil {
			pr.id, pr.epoch = int64(res.Producer.ProducerID), int16(res.Producer.ProducerEpoch)
		}
		return res.Error
	})
	if err != nil {
		return err
	}
	pr.known, pr.owned, pr.partitions = true, true, map[topicPartition]*numbering{}
	p.unsettled = false // a request of before carries an epoch that is refused
	return nil
}

// checkVersion refuses brokers that would give the id to a process that was fenced.
func (p *Publisher) checkVersion(ctx context.Context) error {
	const initProducerID = 22 // its key in the protocol
	res, err := p.client.ApiVersions(ctx, &kafka.ApiVersionsRequest{})
	if err != nil {
		return fmt.Errorf("ask for the versions of requests: %w", err)
	}
	for _, key := range res.ApiKeys {
		if key.ApiKey == initProducerID && key.MaxVersion >= leastInitProducerID {
			return nil
		}
	}
	return storeError{fmt.Errorf("the brokers are too old for the transactional id %q: Kafka 2.5 is the first that keeps a fenced process from taking it back", p.cfg.TransactionalID)}
}

// enlist begins a transaction with the partitions that are written to.
func (p *Publisher) enlist(ctx context.Context, partitions []topicPartition) error {
	topics := map[string][]kafka.AddPartitionToTxn{}
	for _, at := range partitions {
		topics[at.topic] = append(topics[at.topic], kafka.AddPartitionToTxn{Partition: at.partition})
	}
	return p.coordinate(ctx, "begin a transaction", func() error {
		res, err := p.client.AddPartitionsToTxn(ctx, &kafka.AddPartitionsToTxnRequest{
			TransactionalID: p.cfg.TransactionalID, ProducerID: int(p.producer.id), ProducerEpoch: int(p.producer.epoch), Topics: topics,
		})
		if err != nil {
			return err
		}
		var errs []error
		for _, answers := range res.Topics {
			for _, a := range answers {
				errs = append(errs, a.Error)
			}
		}
		return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return err == nil })...)
	})
}

// end commits the open transaction, or aborts it.
func (p *Publisher) end(ctx context.Context, commit bool) error {
	what := "abort a transaction"
	if commit {
		what = "commit a transaction"
	}
	return p.coordinate(ctx, what, func() error {
		res, err := p.client.EndTxn(ctx, &kafka.EndTxnRequest{
			TransactionalID: p.cfg.TransactionalID, ProducerID: int(p.producer.id), ProducerEpoch: int(p.producer.epoch), Committed: commit,
		})
		if err != nil {
			return err
		}
		return res.Error
	})
}

// coordinate repeats a request of the transaction coordinator's while that is at the transaction before, for Config.Timeout at most.
// That the process is fenced the coordinator alone decides: a partition's leader may not have heard of the newest epoch.
func (p *Publisher) coordinate(ctx context.Context, what string, request func() error) error {
	deadline := time.Now().Add(p.cfg.Timeout)
	for {
		err := request()
		switch {
		case err == nil:
			return nil
		case isAny(err, kafka.ProducerFenced, kafka.InvalidProducerEpoch):
			return storeError{fmt.Errorf("%s: %w (%q): %w", what, ErrFenced, p.cfg.TransactionalID, err)}
		case !errors.Is(err, kafka.ConcurrentTransactions) || ctx.Err() != nil || time.Now().After(deadline):
			return fmt.Errorf("%s (%q): %w", what, p.cfg.TransactionalID, err)
		}
		pause.For(ctx, coordinatorPause)
	}
}
