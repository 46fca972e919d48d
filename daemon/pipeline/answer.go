package pipeline

import (
	"context"
	"fmt"
	"time"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode"
)

// Media is what waits for the encoders, and who they are.
func (e *Engine) Media() *encode.Media { return e.media }

// MediaState is the state of an Engine as those work on it who encode its media: encode.State.
type MediaState struct{ e *Engine }

// MediaState shows the state to those who encode its media.
func (e *Engine) MediaState() MediaState { return MediaState{e} }

// Source returns what a task is about.
func (s MediaState) Source(t encode.Task) (source encode.Source, err error) {
	err = s.e.store.View(func(r *graphstore.Reader) error {
		source, err = t.Source(r, func(id string) (*profile.Artifact, error) {
			_, a, err := weave.Read(r, id)
			return a, err
		})
		return err
	})
	return source, err
}

// Vector returns what an encoder made of a content, nil if nobody has asked it yet. A standby knows too what
// the state knows that it copies from.
func (s MediaState) Vector(c graphstore.Content, encoder string) (v []float32, err error) {
	read := func(r *graphstore.Reader) error {
		v, err = r.MediaVector(c, encoder)
		return err
	}
	if err := s.e.store.View(read); err != nil || v != nil {
		return v, err
	}
	if origin := s.e.role.origin.Load(); origin != nil {
		return v, origin.View(read)
	}
	return nil, nil
}

// Answer makes answers durable and refreshes the artifacts that they are about. Those to questions that were asked
// anew meanwhile are dropped. It works in units of the background's length. After an error the engine is of no further
// use, unless ctx ended.
func (s MediaState) Answer(ctx context.Context, answers []encode.Answer) error {
	for len(answers) > 0 {
		if err := s.e.WaitForOutbox(ctx); err != nil {
			return err
		}
		start := time.Now()
		n, err := s.answerUnit(answers)
		if err != nil {
			return err
		}
		s.e.turns.Work.Broadcast()
		if answers = answers[n:]; len(answers) > 0 {
			s.e.turns.Rest(ctx, time.Since(start))
		}
	}
	return nil
}

// answerUnit takes the first of answers, and tells how many.
func (s MediaState) answerUnit(answers []encode.Answer) (int, error) {
	e := s.e
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if e.failed != nil {
		return 0, e.failed
	}
	pace := &e.background.paces.media
	answers = answers[:encode.Fitting(answers, max(pace.Size(e.turns.UnitLength()), leastVectors))]
	err := e.do(task{pace, func(u *unit) (int, error) {
		touched, err := u.media.Take(answers)
		if err != nil {
			return 0, err
		}
		if err := u.renewFeatures(touched, -1); err != nil { // what it holds changes even if its features stay
			return 0, err
		}
		return len(touched), u.complete(budget{ranked: len(touched)}, nil)
	}})
	if err != nil {
		e.failed = fmt.Errorf("pipeline: take %d answers of encoders: %w", len(answers), err)
		return 0, e.failed
	}
	return len(answers), nil
}

// leastVectors keeps the commits fewer than the answers, whatever a commit costs.
const leastVectors = 16

// Beside has fn write what no stage knows of, the lists of themes, and the messages that tell of it, in a unit of its own. After an error
// of fn it is as if it had not been.
func (e *Engine) Beside(ctx context.Context, fn func(tx *graphstore.Tx, revision uint64) error) error {
	if err := e.WaitForOutbox(ctx); err != nil {
		return err
	}
	e.unitLock.Lock()
	defer e.unitLock.Unlock()
	if e.failed != nil {
		return e.failed
	}
	u := e.begin(nil)
	defer u.tx.Discard()
	if err := fn(u.tx, e.clock.Revision); err != nil {
		return err
	}
	if err := u.commit(); err != nil {
		e.failed = err
		return err
	}
	return nil
}

// Lost is the revision up to which what was published counts as not published. It is the same for as long as the engine serves.
func (e *Engine) Lost() uint64 { return e.clock.Lost }
