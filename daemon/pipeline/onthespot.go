package pipeline

import (
	"context"
	"time"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/feature"
)

// A query waits for encoders for at most onTheSpot, and at most so many of its media are encoded at once
// as spots.
const (
	onTheSpot = 2 * time.Second
	spots     = 2
)

// encodeQuery makes the vectors of an artifact that is not stored: of what is in the query itself. What can't be encoded, or not in time,
// and what would have to be fetched, is left out: the answer is found by the rest.
func (e *Engine) encodeQuery(ctx context.Context, a *profile.Artifact, edges []graphstore.EdgeSpec) (encoded, error) {
	ctx, cancel := context.WithTimeout(ctx, onTheSpot)
	defer cancel()
	var out encoded
	for _, m := range e.media(a, edges) {
		v, err := e.queryVector(ctx, a, &m)
		switch {
		case err != nil:
			return out, err
		case v == nil:
		case m.kind == profile.Text:
			out.text = v
		case m.kind == profile.Image:
			out.image = append(out.image, v)
		default:
			out.audio = append(out.audio, v)
		}
	}
	return out, nil
}

func (e *Engine) queryVector(ctx context.Context, a *profile.Artifact, m *medium) ([]float32, error) {
	if m.given != nil || m.uri != "" {
		return m.given, nil
	}
	v, err := e.Vector(m.content, e.target(m.kind))
	if v != nil || err != nil {
		return v, err
	}
	item := feature.Item{Kind: m.kind}
	if m.kind == profile.Text {
		item.Text = weave.Joined(a)
	} else {
		item.MediaType, item.Data = a.Media[m.ordinal].MediaType, a.Media[m.ordinal].Data
	}
	return e.encodeNow(ctx, item), nil
}

// encodeNow returns nil when there is no vector before ctx ends. A built-in encoder can't be interrupted: it
// keeps its place until it is done.
func (e *Engine) encodeNow(ctx context.Context, item feature.Item) []float32 {
	if e.encoding.spots.Acquire(ctx, 1) != nil {
		return nil
	}
	done := make(chan []float32, 1)
	go func() {
		defer e.encoding.spots.Release(1)
		enc := e.cfg.Encoders.of(item.Kind)
		r := enc.Encode(ctx, []feature.Item{item})
		if len(r) != 1 || r[0].Err != nil || len(r[0].Vector) != enc.Identity().Dim {
			done <- nil
			return
		}
		done <- r[0].Vector
	}()
	select {
	case <-ctx.Done():
		return nil
	case v := <-done:
		return v
	}
}
