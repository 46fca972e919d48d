package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go"

	"kilim/consumer/profile"
	"kilim/daemon/experiments/poison/hostile"
)

// audit holds what the daemon says against what it was fed.
func (c *campaign) audit(ctx context.Context) error {
	if err := c.collectDead(ctx); err != nil {
		return err
	}
	for at, e := range c.ledger.records {
		if e.good {
			c.Good++
		}
		switch {
		case e.dead == "":
			c.Applied++
			if e.fate == hostile.Refused {
				c.found("%d@%d, %s: was not refused, want %s", at.partition, at.offset, e.told, e.reason)
			}
		case e.fate == hostile.Applied:
			c.found("%d@%d, %s: was refused, %s", at.partition, at.offset, e.told, e.dead)
		}
	}
	return c.auditServed(ctx)
}

// collectDead reads the dead letters into the ledger.
func (c *campaign) collectDead(ctx context.Context) error {
	return c.topics.eachDead(ctx, c.Kafka, c.partitions, func(m *kafka.Message) error {
		at, err := placeOf(m)
		if err != nil {
			c.found("a dead letter that does not say where its record is: %v", err)
			return nil
		}
		e := c.ledger.records[at]
		c.DeadLetters++
		reason := header(m, "__connect.errors.exception.class.name")
		message := header(m, "__connect.errors.exception.message")
		switch {
		case e == nil || header(m, "__connect.errors.topic") != c.topics.artifacts:
			c.found("a dead letter of %s/%d@%d, which was not sent", header(m, "__connect.errors.topic"), at.partition, at.offset)
			return nil
		case e.dead != "":
			c.found("%s: two dead letters, %s and %s", e.told, e.dead, reason)
		case reason == "":
			c.found("%s: a dead letter without a reason", e.told)
		case reason == profile.ReasonUnprocessable || reason == profile.ReasonPanic:
			c.found("%s: only the barrier has caught it: %.600s", e.told, message)
		case e.fate == hostile.Refused && e.reason != "" && e.reason != reason:
			c.found("%s: refused as %s, want %s: %.300s", e.told, reason, e.reason, message)
		case hash(m.Value) != e.value && header(m, "kilim_dropped_bytes") == "":
			c.found("%s: its dead letter has another value, of %d bytes", e.told, len(m.Value))
		}
		e.dead = reason
		return nil
	})
}

// placeOf reads where the record of a dead letter was.
func placeOf(m *kafka.Message) (place, error) {
	p, err := strconv.Atoi(header(m, "__connect.errors.partition"))
	if err != nil {
		return place{}, fmt.Errorf("key %.60q: %w", m.Key, err)
	}
	offset, err := strconv.ParseInt(header(m, "__connect.errors.offset"), 10, 64)
	if err != nil {
		return place{}, fmt.Errorf("key %.60q: %w", m.Key, err)
	}
	return place{p, offset}, nil
}

// listsAsked is how many good artifacts are asked for their lists.
const listsAsked = 300

// auditServed asks for every artifact.
func (c *campaign) auditServed(ctx context.Context) error {
	asked := 0
	for _, id := range slices.Sorted(maps.Keys(c.ledger.byID)) {
		last := c.ledger.last(id)
		if last != nil && last.loose || profile.CheckID("id", id, profile.DefaultLimits()) != nil {
			continue // anything may be there, or nothing can be asked for
		}
		path := "/api/v1/artifacts/" + url.PathEscape(id)
		var view struct {
			Artifact json.RawMessage `json:"artifact"`
		}
		there, err := c.Get(ctx, path, &view)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			c.found("artifact %.60q: %v", id, err)
			continue
		}
		there = there && len(view.Artifact) > 0 && string(view.Artifact) != "null"
		switch {
		case last == nil || last.deletes:
			if there {
				c.found("artifact %.60q is served, and its last record is %v", id, toldOf(last))
			}
			continue
		case !there:
			c.found("artifact %.60q is not served: %s", id, last.told)
			continue
		case canonical(view.Artifact) != last.artifact:
			c.found("artifact %.60q is served as %.200s: %s", id, view.Artifact, last.told)
		}
		if !last.good || asked >= listsAsked {
			continue
		}
		asked++
		for _, name := range []string{"total", "general"} {
			var list struct {
				Items []json.RawMessage `json:"items"`
			}
			if _, err := c.Get(ctx, path+"/similar?k=10&list="+name, &list); err != nil {
				return err
			}
			if len(list.Items) == 0 {
				c.found("artifact %.60q has an empty list %s", id, name)
			}
		}
	}
	if asked == 0 && strings.TrimSpace(c.only) == "" {
		c.found("no good artifact is there to be asked for its lists")
	}
	return nil
}

func toldOf(e *entry) string {
	if e == nil {
		return "none that was applied"
	}
	return e.told
}
