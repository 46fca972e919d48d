package pipeline

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode"
	"kilim/learner/encode/feature"
)

// encoding is what is known of media beside the store.
type encoding struct {
	queue *encode.Queue
	// spots bounds what is encoded for queries.
	spots *semaphore.Weighted
	mu    sync.Mutex
	// counts is the number of rows by modality and state.
	counts map[string]map[graphstore.MediaState]int
}

func newEncoding(kinds []string) encoding {
	return encoding{queue: encode.NewQueue(kinds...), spots: semaphore.NewWeighted(spots), counts: map[string]map[graphstore.MediaState]int{}}
}

// MediaQueue is what waits for the encoders.
func (e *Engine) MediaQueue() *encode.Queue { return e.encoding.queue }

func (c *encoding) count(kind string, s graphstore.MediaState, n int) {
	if s == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts[kind] == nil {
		c.counts[kind] = map[graphstore.MediaState]int{}
	}
	c.counts[kind][s] += n
}

// MediaCounts is how many media of one modality there are, by what has become of them. For text they are the
// artifacts whose texts an external encoder is given.
type MediaCounts struct {
	Encoded, Waiting, Refused int
	// Held are those of Waiting that failed several times in a row, by themselves or because their encoder did. They are
	// tried again, ever less often.
	Held int
	// Again are those of Refused that were not there or not allowed, and are tried again since the start.
	Again int
}

// status counts the media of each modality that has an encoder.
func (c *encoding) status() map[string]MediaCounts {
	out := map[string]MediaCounts{}
	for _, kind := range c.queue.Kinds() {
		d := c.queue.Depth(kind)
		out[kind] = MediaCounts{Waiting: d.Waiting, Held: d.Held, Again: d.Known}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for kind, s := range out {
		s.Encoded, s.Refused = c.counts[kind][graphstore.MediaEncoded], c.counts[kind][graphstore.MediaRefused]
		out[kind] = s
	}
	return out
}

// loadMedia fills the queue from the rows.
func (e *Engine) loadMedia(r *graphstore.Reader) error {
	var rows []*graphstore.Media
	if err := r.EachMedia(func(m *graphstore.Media) bool { rows = append(rows, m); return true }); err != nil {
		return err
	}
	for _, row := range rows {
		n, err := r.Node(row.Node)
		if err != nil {
			return err
		}
		if n == nil {
			return fmt.Errorf("media %016x: its node does not exist", uint64(row.Node))
		}
		kind := kindOf(n)
		e.encoding.count(kind, row.State, 1)
		if t, ok := task(kind, row, true); ok {
			e.encoding.queue.Put(t)
		}
	}
	return nil
}

// kindOf is the modality of what a node's row is about: an artifact's is about its text.
func kindOf(n *graphstore.Node) string {
	if n.Type == graphstore.Artifact {
		return profile.Text
	}
	return n.Type.String()
}

// mayPass tells the refusals that depend on more than the bytes.
func mayPass(reason string) bool {
	return reason == feature.ReasonNotAllowed || reason == feature.ReasonNotFound
}

// mediaCommitted brings the queue up to date with a unit that is durable.
func (u *unit) mediaCommitted() {
	if len(u.media) == 0 {
		return
	}
	u.e.report() // before anything leaves the queue: what follows from it must be seen to wait
	c := &u.e.encoding
	for _, m := range u.media {
		c.count(m.kind, m.was, -1)
		c.queue.Drop(m.node)
		if m.is == nil {
			continue
		}
		c.count(m.kind, m.is.State, 1)
		if t, ok := task(m.kind, m.is, false); ok {
			c.queue.Put(t)
		}
	}
}

// Source returns what a task is about.
func (e *Engine) Source(t encode.Task) (encode.Source, error) {
	var s encode.Source
	err := e.store.View(func(r *graphstore.Reader) error {
		row, err := r.Media(t.Node)
		if err != nil {
			return err
		}
		if row == nil || row.Revision != t.Revision {
			return encode.ErrOutdated
		}
		n, err := r.Node(t.Node)
		if err != nil {
			return err
		}
		_, a, err := weave.Read(r, weave.Owner(n), e.cfg.Limits)
		if err != nil {
			return fmt.Errorf("pipeline: media node %q: %w", n.Key, err)
		}
		s.Item.Kind = t.Kind
		if t.Kind == profile.Text {
			s.Item.Text = weave.Joined(a)
			return nil
		}
		i, err := weave.Place(n)
		if err == nil && i >= len(a.Media) {
			err = fmt.Errorf("the record has %d media", len(a.Media))
		}
		if err != nil {
			return fmt.Errorf("pipeline: media node %q: %w", n.Key, err)
		}
		s.Item.MediaType, s.Item.Data, s.URI = a.Media[i].MediaType, a.Media[i].Data, a.Media[i].URI
		return nil
	})
	return s, err
}

// Vector returns what an encoder made of a content, nil if nobody has asked it yet. A standby knows too what
// the state knows that it was made from.
func (e *Engine) Vector(c graphstore.Content, encoder string) (v []float32, err error) {
	read := func(r *graphstore.Reader) error {
		v, err = r.MediaVector(c, encoder)
		return err
	}
	if err := e.store.View(read); err != nil || v != nil {
		return v, err
	}
	if origin := e.origin.Load(); origin != nil {
		return v, origin.View(read)
	}
	return nil, nil
}

// Answer makes answers durable and refreshes the artifacts that they are about. Those to questions that were asked
// anew meanwhile are dropped. It works in units of the background's length. After an error the engine is of no further
// use, unless ctx ended.
func (e *Engine) Answer(ctx context.Context, answers []encode.Answer) error {
	for len(answers) > 0 {
		if err := e.waitForOutbox(ctx); err != nil {
			return err
		}
		start := time.Now()
		n, err := e.answerUnit(answers)
		if err != nil {
			return err
		}
		e.signal()
		if answers = answers[n:]; len(answers) > 0 {
			e.rest(ctx, time.Since(start))
		}
	}
	return nil
}

// answerUnit takes the first of answers, and tells how many.
func (e *Engine) answerUnit(answers []encode.Answer) (int, error) {
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if e.failed != nil {
		return 0, e.failed
	}
	answers = answers[:fits(answers, max(e.paces.media.size(e.unitLength()), leastVectors))]
	err := e.unit(&e.paces.media, func(u *unit) (int, error) {
		touched, err := u.take(answers)
		if err != nil {
			return 0, err
		}
		if err := u.encodeAgain(touched, 0); err != nil {
			return 0, err
		}
		_, err = u.complete(0, len(touched), nil)
		return len(touched), err
	})
	if err != nil {
		e.failed = fmt.Errorf("pipeline: take %d answers of encoders: %w", len(answers), err)
		return 0, e.failed
	}
	e.report() // before anything leaves the queue
	for _, a := range answers {
		e.encoding.queue.Answered(a.Task)
	}
	return len(answers), nil
}

// leastVectors keeps the commits fewer than the answers, whatever a commit costs.
const leastVectors = 16

// fits is the number of answers with at most so many vectors among them: those are what takes time.
func fits(answers []encode.Answer, vectors int) int {
	for i := range answers {
		if answers[i].Vector == nil {
			continue
		}
		if vectors--; vectors < 0 {
			return i
		}
	}
	return len(answers)
}

// take stores answers and returns the artifacts whose features they change.
func (u *unit) take(answers []encode.Answer) ([]graphstore.NodeID, error) {
	var touched []graphstore.NodeID
	for i := range answers {
		a := &answers[i]
		row, err := u.tx.Media(a.Node)
		if err != nil {
			return nil, err
		}
		if row == nil || row.Revision != a.Revision || row.State == graphstore.MediaEncoded || a.Encoder != u.e.target(a.Kind) {
			continue
		}
		n, err := u.tx.Node(a.Node)
		if err != nil {
			return nil, err
		}
		changed, err := u.takeOne(a, row)
		if err != nil {
			return nil, err
		}
		if changed {
			touched = append(touched, graphstore.ID(graphstore.Artifact, weave.Owner(n)))
		}
	}
	slices.Sort(touched)
	return slices.Compact(touched), nil
}

// takeOne stores an answer; it tells whether features may change by it.
func (u *unit) takeOne(a *encode.Answer, row *graphstore.Media) (bool, error) {
	m := medium{node: a.Node, kind: a.Kind}
	next := &graphstore.Media{Node: row.Node, Revision: row.Revision, Since: row.Since, Content: a.Content, Encoder: a.Encoder}
	if a.Refusal != nil {
		next.State, next.Reason, next.Detail = graphstore.MediaRefused, a.Refusal.Reason, a.Refusal.Detail
		return false, u.setMedia(m, next)
	}
	next.State = graphstore.MediaEncoded
	if err := u.setMedia(m, next); err != nil {
		return false, err
	}
	return true, u.tx.PutMediaVector(a.Content, a.Encoder, a.Vector)
}
