package encode

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
		out.add(medium.Kind, v)
	}
	return out, nil
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
	return m.encodeNow(ctx, item), nil
}

// encodeNow returns nil when there is no vector before ctx ends. A built-in encoder can't be interrupted: it
// keeps its spot until it is done.
func (m *Media) encodeNow(ctx context.Context, item feature.Item) []float32 {
	if m.spots.Acquire(ctx, 1) != nil {
		return nil
	}
	done := make(chan []float32, 1)
	go func() {
		defer m.spots.Release(1)
		enc := m.encoders.Of(item.Kind)
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
