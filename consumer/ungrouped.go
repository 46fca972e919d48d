package consumer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"
)

// runUngrouped reads all partitions of the topics, in no group, until ctx ends or going on would be wrong. When the topics turn out to have other partitions
// it begins anew with those.
func (c *Consumer) runUngrouped(ctx context.Context) error {
	again := backoff{first: c.cfg.Retry, limit: maxRetry}
	for number := 1; ; number++ {
		parts, err := c.all(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			c.progress.hold(err)
			c.log.Warn("the partitions are not known, trying again until they are", "topics", c.cfg.Topics, "error", err)
			if !again.wait(ctx) {
				return nil
			}
			continue
		}
		again.reset()
		if err := c.readAll(ctx, number, parts); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// readAll reads the partitions until ctx ends, or until there are others.
func (c *Consumer) readAll(ctx context.Context, number int, parts []TopicPartition) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	log := c.log.With("reading", number)
	log.Info("reading all partitions, in no group", "partitions", fmt.Sprint(parts))
	c.progress.assign(parts, time.Now(), nil)
	defer c.progress.revoke()
	go c.watch(ctx, cancel, log, parts)
	if c.cfg.Reading != nil {
		c.cfg.Reading()
	}
	none := newCommitter(func(map[string]map[int]int64) error { return nil }, c.cfg.CommitEvery, log)
	return newGeneration(c, log, parts, none).run(ctx)
}

// all asks for the partitions of the topics.
func (c *Consumer) all(ctx context.Context) (parts []TopicPartition, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.RequestTimeout)
	defer cancel()
	res, err := c.client.Metadata(ctx, &kafka.MetadataRequest{Topics: c.cfg.Topics})
	if err != nil {
		return nil, fmt.Errorf("ask for the partitions of the topics %q: %w", c.cfg.Topics, err)
	}
	for _, t := range res.Topics {
		if t.Error != nil {
			return nil, fmt.Errorf("topic %q: %w", t.Name, t.Error)
		}
		for _, p := range t.Partitions {
			parts = append(parts, TopicPartition{Topic: t.Name, Partition: p.ID})
		}
	}
	if len(parts) == 0 {
		return nil, fmt.Errorf("the topics %q have no partitions", c.cfg.Topics)
	}
	slices.SortFunc(parts, compare)
	return parts, nil
}

// Applied gives the offset before which all records of a partition are applied, for the partitions whose place is known.
func (c *Consumer) Applied() map[TopicPartition]int64 { return c.progress.applied() }
