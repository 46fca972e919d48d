package encode

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// OnTheSpot makes the vectors of an artifact that is not stored, of what is in the query itself; edges are those of
// weave.Edges, and have is what was encoded before. What can't be encoded, or not in time, and what would have to be fetched,
// is left out: the query is answered by the rest.
func (m *Media) OnTheSpot(ctx context.Context, have Cache, a *profile.Artifact, edges []graphstore.EdgeSpec) (Vectors, error) {
	ctx, cancel := context.WithTimeout(ctx, onTheSpot)
	defer cancel()
	var out Vectors
	for _, medium := range m.encoders.MediaOf(a, edges) {
		v, err := m.queryVector(ctx, have, a, &medium)
		if err != nil {
			return out, err
		}
		content, err := m.contentOf(have, a, &medium, v)
		if err != nil {
			return out, err
		}
		out.add(medium.Kind, content, v)
	}
	return out, nil
}

// contentOf names what a vector was made of. One that Embed has put to a query's bytes names these, as it would if they were stored: if
// the archive has them too, the query is joined to whom they join.
func (m *Media) contentOf(have Cache, a *profile.Artifact, medium *Medium, v []float32) (graphstore.Content, error) {
	if medium.Precomputed == nil || medium.Kind == profile.Text || len(a.Media[medium.Place].Data) == 0 {
		return medium.Content, nil
	}
	bytes := graphstore.ContentOf(a.Media[medium.Place].Data)
	stored, err := have.Vector(bytes, m.encoders.Identity(medium.Kind))
	if err != nil || !slices.Equal(stored, v) {
		return medium.Content, err
	}
	return bytes, nil
}

func (m *Media) queryVector(ctx context.Context, have Cache, a *profile.Artifact, medium *Medium) ([]float32, error) {
	if medium.Precomputed != nil || medium.URI != "" {
		return medium.Precomputed, nil
	}
	v, err := have.Vector(medium.Content, m.encoders.Identity(medium.Kind))
	if v != nil || err != nil {
		return v, err
	}
	item := feature.Item{Kind: medium.Kind}
	if medium.Kind == profile.Text {
		item.Text = weave.Joined(a)
	} else {
		item.MediaType, item.Data = a.Media[medium.Place].MediaType, a.Media[medium.Place].Data
	}
	if v, err = m.encodeNow(ctx, item); err != nil {
		return nil, nil // left out, whatever the reason
	}
	return v, nil
}

var (
	// ErrNoEncoder is the reason of Embed where a modality has no encoder.
	ErrNoEncoder = errors.New("encode: it has no encoder here")
	// ErrLate is the reason of Embed where there was no vector in time.
	ErrLate = errors.New("encode: not encoded in time")
)

// Embed puts to each picture and recording whose bytes are in an artifact, which is not stored, the vector that its encoder makes of
// it, as if that had come with the record: whoever asks for several lists has it encoded once. have is what was encoded before. Embed
// returns why there is none, by the places of those that it could not be made of before ctx ends.
func (m *Media) Embed(ctx context.Context, have Cache, a *profile.Artifact) (failed map[int]error, err error) {
	failed = map[int]error{}
	for place := range a.Media {
		item := &a.Media[place]
		if item.Kind == profile.Text || len(item.Data) == 0 {
			continue
		}
		enc := m.encoders.Of(item.Kind)
		if enc == nil {
			failed[place] = ErrNoEncoder
			continue
		}
		name := enc.Identity().String()
		v, err := have.Vector(graphstore.ContentOf(item.Data), name)
		if err != nil {
			return nil, err
		}
		if v == nil {
			if v, err = m.encodeNow(ctx, feature.Item{Kind: item.Kind, MediaType: item.MediaType, Data: item.Data}); err != nil {
				failed[place] = err
				continue
			}
		}
		item.Embedding, item.Encoder = v, name
	}
	return failed, nil
}

// encodeNow returns an error when there is no vector before ctx ends. A built-in encoder can't be interrupted: it
// keeps its spot until it is done.
func (m *Media) encodeNow(ctx context.Context, item feature.Item) ([]float32, error) {
	if m.spots.Acquire(ctx, 1) != nil {
		return nil, ErrLate
	}
	done := make(chan feature.Result, 1)
	go func() {
		defer m.spots.Release(1)
		enc := m.encoders.Of(item.Kind)
		r := enc.Encode(ctx, []feature.Item{item})
		if len(r) == 1 && r[0].Err == nil && len(r[0].Vector) != enc.Identity().Dim {
			r[0].Err = fmt.Errorf("encode: %v gave %d numbers", enc.Identity(), len(r[0].Vector))
		}
		if len(r) != 1 {
			r = []feature.Result{{Err: fmt.Errorf("encode: %v gave %d answers to one question", enc.Identity(), len(r))}}
		}
		done <- r[0]
	}()
	select {
	case <-ctx.Done():
		return nil, ErrLate
	case r := <-done:
		return r.Vector, r.Err
	}
}
