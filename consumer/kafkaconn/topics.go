package kafkaconn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go"
)

// TopicSpec is a topic that must exist.
type TopicSpec struct {
	Name        string
	Partitions  int // at least 1
	Replication int // at least 1
	// Config is the topic's own settings at creation, e.g. "cleanup.policy": "compact".
	Config map[string]string
}

func (t TopicSpec) validate() error {
	switch {
	case t.Name == "":
		return errors.New("a topic without a name")
	case t.Partitions < 1:
		return fmt.Errorf("topic %q: kafka.partitions is %d, must be at least 1", t.Name, t.Partitions)
	case t.Replication < 1:
		return fmt.Errorf("topic %q: kafka.replication is %d, must be at least 1", t.Name, t.Replication)
	}
	return nil
}

// EnsureTopics creates the topics that are missing and returns once each one has
// a leader for every partition. A topic that exists is left as it is, whatever
// its partitions and settings: those are its owner's decision.
//
// It retries while the brokers start, for at most Config.StartTimeout. Several
// instances may call it at the same time.
func (c *Conn) EnsureTopics(ctx context.Context, specs []TopicSpec) error {
	for _, s := range specs {
		if err := s.validate(); err != nil {
			return err
		}
	}
	if len(specs) == 0 {
		return nil
	}
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	return c.retry(ctx, "topics "+strings.Join(names, ", "), func(ctx context.Context, cl *kafka.Client) error {
		missing, err := missingTopics(ctx, cl, specs)
		if err != nil || len(missing) == 0 {
			return err
		}
		// The answer to a creation may come before the leaders do; the client
		// waits until its metadata has the topics, so this reads the new state.
		if err := c.create(ctx, cl, missing); err != nil {
			return err
		}
		return led(ctx, cl, missing)
	})
}

// missingTopics returns those topics that the cluster does not have. One that it
// has but that has no leader yet is an error worth a retry.
func missingTopics(ctx context.Context, cl *kafka.Client, specs []TopicSpec) ([]TopicSpec, error) {
	topics, err := describe(ctx, cl, specs)
	if err != nil {
		return nil, err
	}
	var missing []TopicSpec
	for _, s := range specs {
		t, ok := topics[s.Name]
		if !ok || errors.Is(t.Error, kafka.UnknownTopicOrPartition) {
			missing = append(missing, s)
			continue
		}
		if err := leaders(t); err != nil {
			return nil, err
		}
	}
	return missing, nil
}

func led(ctx context.Context, cl *kafka.Client, specs []TopicSpec) error {
	topics, err := describe(ctx, cl, specs)
	if err != nil {
		return err
	}
	for _, s := range specs {
		t, ok := topics[s.Name]
		if !ok {
			return fmt.Errorf("topic %q: %w", s.Name, kafka.UnknownTopicOrPartition)
		}
		if err := leaders(t); err != nil {
			return err
		}
	}
	return nil
}

func leaders(t kafka.Topic) error {
	if t.Error != nil {
		return fmt.Errorf("topic %q: %w", t.Name, t.Error)
	}
	for _, p := range t.Partitions {
		if p.Error != nil {
			return fmt.Errorf("topic %q partition %d: %w", t.Name, p.ID, p.Error)
		}
	}
	return nil
}

func describe(ctx context.Context, cl *kafka.Client, specs []TopicSpec) (map[string]kafka.Topic, error) {
	req := &kafka.MetadataRequest{}
	for _, s := range specs {
		req.Topics = append(req.Topics, s.Name)
	}
	res, err := cl.Metadata(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("asking for topics: %w", err)
	}
	byName := make(map[string]kafka.Topic, len(res.Topics))
	for _, t := range res.Topics {
		byName[t.Name] = t
	}
	return byName, nil
}

func (c *Conn) create(ctx context.Context, cl *kafka.Client, specs []TopicSpec) error {
	req := &kafka.CreateTopicsRequest{}
	for _, s := range specs {
		topic := kafka.TopicConfig{Topic: s.Name, NumPartitions: s.Partitions, ReplicationFactor: s.Replication}
		for _, key := range slices.Sorted(maps.Keys(s.Config)) {
			topic.ConfigEntries = append(topic.ConfigEntries, kafka.ConfigEntry{ConfigName: key, ConfigValue: s.Config[key]})
		}
		req.Topics = append(req.Topics, topic)
	}
	res, err := cl.CreateTopics(ctx, req)
	if err != nil {
		return fmt.Errorf("creating topics: %w", err)
	}
	var errs []error
	for _, s := range specs {
		switch err := res.Errors[s.Name]; {
		case err == nil:
			c.log.InfoContext(ctx, "topic created", "topic", s.Name, "partitions", s.Partitions, "replication", s.Replication)
		case errors.Is(err, kafka.TopicAlreadyExists): // another instance was faster
		default:
			errs = append(errs, fmt.Errorf("creating topic %q (partitions %d, replication %d): %w", s.Name, s.Partitions, s.Replication, err))
		}
	}
	return errors.Join(errs...)
}
