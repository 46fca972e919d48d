package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/describegroups"
)

// errUnassigned is why a member reads nothing before its first generation and between two.
var errUnassigned = errors.New("the consumer group has not assigned a partition yet")

// othersError says that a member has company in its group.
type othersError struct {
	group  string
	others []string
}

func (e *othersError) Error() string {
	return fmt.Sprintf("the consumer group %q has other members: %s. Each would read some of the partitions into a state of its own, and none would have all. "+
		"Nothing is read until this one is alone: stop the others, or give this daemon a group (kafka.group) and output topics of its own", e.group, strings.Join(e.others, "; "))
}

// errIncomplete is why a member that is alone in its group reads nothing.
var errIncomplete = errors.New("not all partitions are assigned")

// watchEvery is how often watch looks. It asks no broker: the transport brings its metadata up to date by itself.
const watchEvery = 5 * time.Second

// awaitAlone returns true once this member is the only one of its group and has all partitions. It returns false when
// ctx ended first, as it does when the membership changes, or when another generation has to be asked for. Until then Ready says
// what is in the way. A member that was killed is no company: the coordinator gives no generation before its session has timed out.
//
// The partitions alone would not tell: of one partition and two members, one has all.
func (c *Consumer) awaitAlone(ctx context.Context, log *slog.Logger, member string, parts []TopicPartition) bool {
	again := backoff{first: c.cfg.Retry, limit: maxRetry}
	for {
		err := c.alone(ctx, member, parts)
		if ctx.Err() != nil {
			return false
		}
		c.progress.hold(err)
		if err == nil {
			c.said = ""
			return true
		}
		if text := err.Error(); text != c.said {
			log.Error("nothing is read", "group", c.cfg.Group, "reason", text)
			c.said = text
		}
		if errors.Is(err, errIncomplete) {
			again.next = again.limit // a longer pause: the next generation begins anew
		}
		if !again.wait(ctx) || errors.Is(err, errIncomplete) {
			return false
		}
	}
}

// alone is why a member of the group must not read, nil if it may.
func (c *Consumer) alone(ctx context.Context, member string, parts []TopicPartition) error {
	members, err := c.members(ctx)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(slices.Clone(members), func(m describegroups.ResponseGroupMember) bool { return m.MemberID == member })
	switch {
	case len(others) > 0:
		return c.others(others)
	case len(members) == 0:
		return fmt.Errorf("the coordinator of the consumer group %q does not name this member", c.cfg.Group)
	}
	return c.complete(ctx, parts)
}

// complete is an errIncomplete when the topics have other partitions than those that were assigned. The group's leader assigns those that it
// hears of while it joins, from a broker that may not know of all yet, and kafka-go compares later ones with what that broker tells then: what
// the broker has learned in between would never be read.
func (c *Consumer) complete(ctx context.Context, parts []TopicPartition) error {
	res, err := c.client.Metadata(ctx, &kafka.MetadataRequest{Topics: c.cfg.Topics})
	if err != nil {
		return fmt.Errorf("ask for the partitions of the topics %q: %w", c.cfg.Topics, err)
	}
	there := 0
	for _, t := range res.Topics {
		if t.Error != nil {
			return fmt.Errorf("%w: topic %q: %w", errIncomplete, t.Name, t.Error)
		}
		there += len(t.Partitions)
	}
	if there != len(parts) || there == 0 {
		return fmt.Errorf("%w: %d of the %d that the topics %q have", errIncomplete, len(parts), there, c.cfg.Topics)
	}
	return nil
}

// watch ends a generation, so that the next one has all, when the topics turn out to have other partitions than those that were assigned.
func (c *Consumer) watch(ctx context.Context, end context.CancelFunc, log *slog.Logger, parts []TopicPartition) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := c.complete(ctx, parts); errors.Is(err, errIncomplete) {
			log.Warn("joining the group again", "group", c.cfg.Group, "reason", err)
			end()
			return
		}
	}
}

func (c *Consumer) others(members []describegroups.ResponseGroupMember) error {
	e := &othersError{group: c.cfg.Group}
	for _, m := range members {
		e.others = append(e.others, fmt.Sprintf("client %q at %s (member %s)", m.ClientID, strings.TrimPrefix(m.ClientHost, "/"), m.MemberID))
	}
	return e
}

// members asks the group's coordinator who is in the group. kafka-go's Client decodes what members say of themselves, and fails where it
// can't; here that is of no interest.
func (c *Consumer) members(ctx context.Context) ([]describegroups.ResponseGroupMember, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.RequestTimeout)
	defer cancel()
	msg, err := c.client.Transport.RoundTrip(ctx, c.client.Addr, &describegroups.Request{Groups: []string{c.cfg.Group}})
	if err != nil {
		return nil, fmt.Errorf("describe the consumer group %q: %w", c.cfg.Group, err)
	}
	res := msg.(*describegroups.Response)
	if len(res.Groups) != 1 {
		return nil, fmt.Errorf("describe the consumer group %q: an answer about %d groups", c.cfg.Group, len(res.Groups))
	}
	if code := res.Groups[0].ErrorCode; code != 0 {
		return nil, fmt.Errorf("describe the consumer group %q: %w", c.cfg.Group, kafka.Error(code))
	}
	return res.Groups[0].Members, nil
}

// explainJoin says of a failure to join the group who is in the way, if that can be told: a member that kafka-go can't share a group
// with, since it speaks a later version of the protocol or another one. kafka-go has left the group when it reports such a failure.
func (c *Consumer) explainJoin(ctx context.Context, err error) error {
	// kafka-go has no name for the first.
	if !strings.Contains(err.Error(), "unable to read metadata for member") && !errors.Is(err, kafka.InconsistentGroupProtocol) {
		return err
	}
	members, describeErr := c.members(ctx)
	if describeErr != nil || len(members) == 0 {
		return err // it has left meanwhile, or can't be asked about: the next try tells
	}
	return c.others(members)
}
