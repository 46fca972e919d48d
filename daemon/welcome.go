package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/kafkaconn"
	"kilim/daemon/app"
	"kilim/daemon/config"
	"kilim/daemon/watch"
	"kilim/rerank"
)

// welcome says where to look.
func welcome(w io.Writer, a *app.App, c *config.Config) {
	http, topics := a.HTTP().String(), c.Kafka.Topics
	fmt.Fprintf(w, `
kilim runs, and a demo archive of %d artifacts arrives, %g a second. State is in %s.

  Kafka      %s   (kcat -b %[4]s -C -t %[6]s; the embedded broker)
  topics     in: %[5]s   out: %[6]s   refused: %[7]s
  queries    http://%[8]s/api/v1/artifacts/demo:00000007/similar?list=total&k=20
             http://%[8]s/api/v1/artifacts/demo:00000007
  status     http://%[8]s/api/v1/status     metrics  http://%[8]s/metrics

In another terminal:
  bin/kilim watch                 every list that changes, with scores and causes
  bin/kilim feed FILE             your own artifacts: JSON Lines, plain or gzip
  bin/kilim status --wait         returns when everything fed is answered

Ctrl-C stops it; the next start goes on where this one was. Newcomers, as their first lists are published:

`, c.Demo.Artifacts, c.Demo.Rate, c.Data, a.Bootstrap(), topics.Artifacts, topics.Similar, topics.DeadLetters, http)
}

// newcomers prints a line for each artifact that has just got its first list, until ctx ends.
func newcomers(ctx context.Context, w io.Writer, c *config.Config, bootstrap string, log *slog.Logger) {
	settings := c.Conn()
	settings.Brokers = []string{bootstrap}
	conn, err := kafkaconn.New(settings)
	if err != nil {
		log.Warn("newcomers are not shown", "error", err)
		return
	}
	defer conn.Close()
	err = watch.Follow(ctx, conn, watch.Options{Topic: c.Kafka.Topics.Similar, Log: log}, func(m kafka.Message) error {
		var u rerank.Update
		if m.Value == nil || json.Unmarshal(m.Value, &u) != nil || !slices.Contains(u.Cause, u.ID) {
			return nil
		}
		fmt.Fprintf(w, "%s  %s  %s\n", m.Time.Local().Format(time.TimeOnly), u.ID, nearest(u.Lists.Total))
		return nil
	})
	if err != nil {
		log.Warn("newcomers are no longer shown", "error", err)
	}
}

// nearest tells the first entry of a list and the part that counts most in it.
func nearest(list []rerank.Entry) string {
	if len(list) == 0 {
		return "is the first"
	}
	e := list[0]
	parts := []struct {
		why   string
		value float32
	}{{"what they share", e.Parts.Entities}, {"words", e.Parts.Words}, {"text and neighbourhood", e.Parts.Cosine}}
	best := parts[0]
	for _, p := range parts[1:] {
		if p.value > best.value {
			best = p
		}
	}
	return fmt.Sprintf("is most like %s (%.2f, by %s), of %d in its list", e.ID, e.Score, best.why, len(list))
}
