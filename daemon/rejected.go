package main

import (
	"fmt"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/config"
	"kilim/daemon/watch"
)

type rejectedCommand struct {
	config.Client
	Topic  string `placeholder:"NAME" help:"Topic of the dead letters, instead of --kafka.topics.dead-letters."`
	Follow bool   `help:"Go on with those that come, until Ctrl-C."`
	JSON   bool   `name:"json" help:"Print each as one line of JSON."`
}

// Help is shown by kilim rejected --help.
func (rejectedCommand) Help() string {
	return `A record that can't be used goes to a topic of dead letters, whole and with the reason, and holds back no other. Each line here is one: when it was refused, its key, its place in the topic that it came from, and why. "kilim status" names the last one; kilim_records_refused_total counts them by reason.`
}

// Run prints the dead letters that there are.
func (c *rejectedCommand) Run(s *session) error {
	if err := s.settle(&c.Client); err != nil {
		return err
	}
	conn, err := s.connect(&c.Client)
	if err != nil {
		return fmt.Errorf("rejected: %w", err)
	}
	defer conn.Close()
	topic := c.Kafka.Topics.DeadLetters
	if c.Topic != "" {
		topic = c.Topic
	}
	records := 0
	err = watch.Follow(s.ctx, conn, watch.Options{Topic: topic, FromBeginning: true, ToEnd: !c.Follow, Log: s.log()}, func(m kafka.Message) error {
		records++
		return watch.Rejected(s.stdout, m, c.JSON)
	})
	if err != nil {
		return fmt.Errorf("rejected: %w", err)
	}
	if records == 0 {
		fmt.Fprintf(s.stderr, "no record was refused: %s at %s is empty\n", topic, conn)
	}
	return nil
}
