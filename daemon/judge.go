package main

import (
	"encoding/json"
	"fmt"
	"os/user"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/consumer/kafkaconn"
	"kilim/daemon/config"
	"kilim/daemon/judgments"
)

type judgeCommand struct {
	config.Client
	Theme  string   `placeholder:"NAME" help:"What they are alike in; without it, in general."`
	By     string   `placeholder:"WHO" help:"Who says so; without it, the name of the system's user."`
	Undo   bool     `help:"Take back what was said of A and B, by whomever."`
	Export bool     `help:"Print all judgments as JSON Lines, which kilim eval --truth and train.truth read."`
	A      string   `arg:"" optional:"" name:"a" help:"The id of an artifact."`
	B      string   `arg:"" optional:"" name:"b" help:"The id of another one."`
	Grade  *float64 `arg:"" optional:"" name:"grade" help:"How alike they are, from 0 (not alike) to 10."`
}

// Help is shown by kilim judge --help.
func (judgeCommand) Help() string {
	return `A judgment is a record of the topic --kafka.topics.judgments, keyed by the pair (and the theme): who judges the same again replaces what was said. The daemon tells what holds at /api/v1/judgments.

Of two artifacts that were judged 0 in general --export prints nothing, for a truth names those that are alike.`
}

// Run writes a judgment, or prints all.
func (c *judgeCommand) Run(s *session) error {
	if err := s.settle(&c.Client); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return &exitError{exitUsage, fmt.Errorf("judge: %w", err)}
	}
	conn, err := s.connect(&c.Client)
	if err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	defer conn.Close()
	topic := c.Kafka.JudgmentsTopic()
	if err := conn.EnsureTopics(s.ctx, []kafkaconn.TopicSpec{topic}); err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	if c.Export {
		return c.export(s, conn, topic.Name)
	}
	log := judgments.New(conn, topic.Name, prometheus.NewRegistry(), s.log())
	defer log.Close()
	if c.Undo {
		err = log.SendUndo(s.ctx, c.A, c.B, c.Theme)
	} else {
		err = log.Send(s.ctx, &judgments.Judgment{A: c.A, B: c.B, Grade: *c.Grade, Theme: c.Theme, By: c.By})
	}
	if err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	return nil
}

// check completes the arguments, of which each use of the command wants others.
func (c *judgeCommand) check() error {
	switch {
	case c.Export && (c.A != "" || c.Undo):
		return fmt.Errorf("--export prints all judgments, and wants no other argument")
	case c.Export:
		return nil
	case c.A == "" || c.B == "":
		return fmt.Errorf("want the ids of two artifacts and a grade")
	case c.Undo && c.Grade != nil:
		return fmt.Errorf("grade: %v: --undo wants none", *c.Grade)
	case c.Undo:
		return nil
	case c.Grade == nil:
		return fmt.Errorf("grade: is missing: want a number from 0 (not alike) to %d", judgments.MostGrade)
	}
	if c.By == "" {
		if who, err := user.Current(); err == nil {
			c.By = who.Username
		}
	}
	return (&judgments.Judgment{A: c.A, B: c.B, Grade: *c.Grade, Theme: c.Theme, By: c.By}).Check()
}

func (c *judgeCommand) export(s *session, conn *kafkaconn.Conn, topic string) error {
	all, err := judgments.Export(s.ctx, conn, topic, s.log())
	if err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	out := json.NewEncoder(s.stdout)
	for i := range all {
		if all[i].Grade == 0 {
			continue
		}
		if err := out.Encode(&all[i]); err != nil {
			return fmt.Errorf("judge: %w", err)
		}
	}
	return nil
}
