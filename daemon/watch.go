package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/config"
	"kilim/daemon/themes/stored"
	"kilim/daemon/watch"
)

type watchCommand struct {
	config.Client
	address
	Topic         string `xor:"topic" placeholder:"NAME" help:"Topic to follow, instead of --kafka.topics.similar."`
	Theme         string `xor:"topic" placeholder:"NAME" help:"Follow the lists of this theme, which are in a topic of their own."`
	Cultures      bool   `xor:"topic" help:"Follow how near cultures, periods and places are, instead of lists."`
	Query         string `xor:"topic" placeholder:"NAME" help:"Follow the lists of this standing query, which are in a topic of their own."`
	Artifact      string `placeholder:"ID" help:"Show the lists of this artifact alone."`
	FromBeginning bool   `help:"Begin with the oldest update that the topic holds, not with the next."`
	JSON          bool   `name:"json" help:"Print each update as one line of JSON, as it is in the topic; a deletion is {\"id\": ..., \"deleted\": true}."`
}

// Help is shown by kilim watch --help.
func (watchCommand) Help() string {
	return `Each update is a block: the artifact whose lists changed, the artifacts that caused it, and for each list what entered (+) and moved (~), with scores, and what left (-); artifacts by their titles too, where the daemon at --http answers. With --cultures each line is a cell: the two groups and what they are near in, the contrast, the mean cosine with its 95 % interval, how many pairs are behind it, since when, and the pair that carries it. Ends with Ctrl-C.`
}

// Run follows the topic until a signal.
func (c *watchCommand) Run(s *session) error {
	if err := s.settle(&c.Client); err != nil {
		return err
	}
	if c.Query != "" && c.Artifact != "" {
		return &exitError{exitUsage, errors.New("watch: --artifact: an artifact has no lists in the topic of --query")}
	}
	conn, err := s.connect(&c.Client)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer conn.Close()
	topic := c.Kafka.Topics.Similar
	switch {
	case c.Topic != "":
		topic = c.Topic
	case c.Cultures:
		topic = c.Kafka.Topics.Cultures
	case c.Query != "":
		topic = c.Kafka.Topics.QueryLists
	case c.Theme != "":
		topic = stored.Topic(topic, c.Theme)
	}
	found := newTitles(s.ctx, c.address)
	write := func(w io.Writer, m kafka.Message) error { return watch.Text(w, m, found.find) }
	switch {
	case c.JSON:
		write = watch.JSON
	case c.Cultures:
		write = watch.Cell
	}
	err = watch.Follow(s.ctx, conn, watch.Options{
		Topic: topic, FromBeginning: c.FromBeginning, Log: s.log(),
		Started: func() { fmt.Fprintf(s.stderr, "watching %s at %s\n", topic, conn) },
	}, func(m kafka.Message) error {
		if only := c.Artifact + c.Query; only != "" && string(m.Key) != only {
			return nil
		}
		err := write(s.stdout, m)
		if errors.Is(err, watch.ErrNotUpdate) {
			fmt.Fprintf(s.stderr, "%v\n", err)
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return nil
}
