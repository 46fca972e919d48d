package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"kilim/daemon/web"
)

type statusCommand struct {
	address
	JSON    bool          `name:"json" help:"Print the daemon's answer as it is."`
	Wait    bool          `help:"Return once the daemon is ready, has consumed everything, has encoded or refused all media but those that it can't get now, and its refresh queue and outbox are empty."`
	Timeout time.Duration `placeholder:"DURATION" help:"Give up waiting after so long, with exit code 3; without it, never."`

	every time.Duration // between two looks; 0 is pollEvery
	told  io.Writer     // gets why the daemon is not ready, each time that this changes
}

const pollEvery = 200 * time.Millisecond

// Help is shown by kilim status --help.
func (statusCommand) Help() string {
	return `Media (pictures, recordings, and texts where an encoder server is given them) that could not be fetched or encoded several times in a row, or whose encoder could not be reached, are tried again, ever less often, for as long as it takes. --wait does not wait for those: everything else is done when it returns, and the line "media" tells how many are held back. Where to see them: kilim_media_waiting{held="true"}; what they come to is published when they are encoded.`
}

// Run prints the status, with --wait once all is done.
func (c *statusCommand) Run(s *session) error {
	if err := s.settle(nil); err != nil {
		return err
	}
	target, err := c.url("/api/v1/status", nil)
	if err != nil {
		return err
	}
	ask := &asker{client: &http.Client{Timeout: requestTimeout}, url: target}
	ctx, cancel, err := within(s.ctx, c.Timeout)
	if err != nil {
		return err
	}
	defer cancel()
	var raw []byte
	var status *web.Status
	if c.Wait {
		c.told = s.stderr
		raw, status, err = c.wait(ctx, ask)
	} else {
		raw, status, err = ask.status(ctx)
	}
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	if c.JSON {
		_, err := s.stdout.Write(append(raw, '\n'))
		return err
	}
	return printStatus(s.stdout, status)
}

// wait asks until everything is done. It returns when settled was true twice in a row, at the same revision: a record
// that was just fetched may be counted nowhere for a moment.
func (c *statusCommand) wait(ctx context.Context, ask *asker) ([]byte, *web.Status, error) {
	left := newRemaining(c.told)
	defer left.end()
	every := c.every
	if every == 0 {
		every = pollEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var before *web.Status
	state, reason := "no answer yet", ""
	for {
		raw, now, err := ask.status(ctx)
		if err == nil && now.Reason != reason {
			if reason = now.Reason; reason != "" && c.told != nil {
				fmt.Fprintln(c.told, "waiting: the daemon is not ready:", reason)
			}
		}
		var final *finalError
		switch {
		case errors.As(err, &final):
			return nil, nil, err
		case err != nil:
			if ctx.Err() == nil {
				state = err.Error()
			}
			before = nil
		case !settled(now):
			state = describe(now)
			before = nil
			left.show(now)
		case before != nil && before.Revision == now.Revision:
			return raw, now, nil
		default:
			before = now
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, nil, late(ctx, fmt.Errorf("interrupted: %s", state))
		}
	}
}

func settled(s *web.Status) bool {
	return s.Ready && s.Assigned && s.Lag == 0 && expected(s) == 0 && s.RefreshQueue == 0 && s.Outbox == 0
}

func describe(s *web.Status) string {
	if s.Reason != "" {
		return "not ready: " + s.Reason
	}
	return fmt.Sprintf("ready %v, assigned %v, lag %d, media waiting %d, refresh queue %d, outbox %d", s.Ready, s.Assigned, s.Lag, expected(s), s.RefreshQueue, s.Outbox)
}

// expected is the number of media that wait and are not held back.
func expected(s *web.Status) int {
	n := 0
	for _, m := range s.Media {
		n += m.Waiting - m.Held
	}
	return n
}

type asker struct {
	client *http.Client
	url    string
}

func (a *asker) status(ctx context.Context) ([]byte, *web.Status, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return nil, nil, &finalError{err}
	}
	raw, err := ask(a.client, req)
	if err != nil {
		return nil, nil, err
	}
	status := new(web.Status)
	if err := json.Unmarshal(raw, status); err != nil {
		return nil, nil, &finalError{fmt.Errorf("%s: not a status: %w", req.URL.Redacted(), err)}
	}
	return raw, status, nil
}

func printStatus(w io.Writer, s *web.Status) error {
	ready := "ready"
	if !s.Ready {
		ready = "not ready"
	}
	if s.Reason != "" {
		ready += ": " + s.Reason
	}
	lag := fmt.Sprint(s.Lag)
	if !s.Assigned {
		lag = "not known, no partitions are assigned"
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	up := time.Duration(s.UptimeSeconds * float64(time.Second)).Round(time.Second)
	fmt.Fprintf(t, "kilim %s\t%s, up %v\n", s.Version, ready, up)
	fmt.Fprintf(t, "artifacts\t%d\n", s.Artifacts)
	if s.Placeholders > 0 {
		fmt.Fprintf(t, "missing\t%d that links name and that have not come\n", s.Placeholders)
	}
	fmt.Fprintf(t, "lag\t%s\n", lag)
	for _, kind := range slices.Sorted(maps.Keys(s.Media)) {
		fmt.Fprintf(t, "media: %s\t%s\n", kind, media(s.Media[kind]))
	}
	fmt.Fprintf(t, "refresh queue\t%s\n", refreshQueue(s))
	fmt.Fprintf(t, "outbox\t%d\n", s.Outbox)
	fmt.Fprintf(t, "epoch\t%d\n", s.Epoch)
	if s.Training != nil {
		fmt.Fprintf(t, "training\t%s\n", training(s.Training, s.Artifacts))
	}
	if s.Themes != nil {
		fmt.Fprintf(t, "themes\t%s\n", themesLine(s.Themes))
	}
	if s.Ranking != nil {
		fmt.Fprintf(t, "order\t%s\n", rankingLine(s.Ranking))
	}
	fmt.Fprintf(t, "revision\t%d\n", s.Revision)
	fmt.Fprintf(t, "index\t%s, %d vectors\n", s.Index.Engine, s.Index.Vectors)
	fmt.Fprintf(t, "records\t%d consumed, %d refused, since the start\n", s.Records.Consumed, s.Records.Refused)
	if l := s.Records.LastRefused; l != nil {
		fmt.Fprintf(t, "last refused\t%s (kilim rejected shows all)\n", refusal(l))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Records.Unread)) {
		fmt.Fprintf(t, "not understood\t%s\n", unreadField(name, s.Records.Unread[name]))
	}
	fmt.Fprintf(t, "memory\t%s\n", memoryLine(s.Memory))
	fmt.Fprintf(t, "nodes\t%s\n", counts(s.Nodes))
	fmt.Fprintf(t, "edges\t%s\n", counts(s.Edges))
	return t.Flush()
}

func memoryLine(m web.MemoryStatus) string {
	const mib = 1 << 20
	return fmt.Sprintf("%d MiB of its own (live %d, to be collected or new %d, free %d, stacks and runtime %d), %d MiB of files mapped; memory.limit %d MiB",
		m.Own/mib, m.Live/mib, m.Garbage/mib, m.Free/mib, m.Other/mib, m.Mapped/mib, m.Limit/mib)
}

func refreshQueue(s *web.Status) string {
	if s.RefreshAge == 0 {
		return fmt.Sprint(s.RefreshQueue)
	}
	age := time.Duration(s.RefreshAge * float64(time.Second)).Round(time.Millisecond)
	return fmt.Sprintf("%d, of which the oldest embedding or list has been stale for %v", s.RefreshQueue, age)
}

func media(m web.MediaStatus) string {
	text := fmt.Sprintf("%d encoded, %d waiting", m.Encoded, m.Waiting)
	if m.Held > 0 {
		text += fmt.Sprintf(" (%d held back: they can't be had now, or their encoder can't)", m.Held)
	}
	text += fmt.Sprintf(", %d refused", m.Refused)
	if m.Again > 0 {
		text += fmt.Sprintf(" (%d tried again since the start)", m.Again)
	}
	return text
}

func refusal(r *web.Refused) string {
	id := "a record without an id"
	if r.ID != "" {
		id = strconv.Quote(r.ID)
	}
	return fmt.Sprintf("%s, %s/%d@%d: %s", id, r.Topic, r.Partition, r.Offset, r.Detail)
}

func training(t *web.Training, artifacts int) string {
	if t.Last == nil && artifacts < t.Least {
		return fmt.Sprintf("nothing trained yet: waits for %d artifacts (has %d)", t.Least, artifacts)
	}
	text := t.Phase
	if t.Steps > 0 {
		text += fmt.Sprintf(", %s, step %d of at most %d", t.Stage, t.Step, t.Steps)
	}
	if l := t.Last; l != nil {
		text += fmt.Sprintf("; last %s: %s", l.At.UTC().Format("2006-01-02 15:04"), l.Result)
		if l.Epoch > 0 {
			text += fmt.Sprintf(" (epoch %d)", l.Epoch)
		}
	}
	return text + fmt.Sprintf("; changed since by %.2f archives, drift %.2f", t.Changed, t.Drift)
}

func counts(m map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name] != 0 {
			parts = append(parts, fmt.Sprintf("%s %d", name, m[name]))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
