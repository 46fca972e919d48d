package encode

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"

	"kilim/learner/encode/feature"
)

// Describer is an encoder inside of the binary. Its errors are refusals.
type Describer interface {
	Identity() feature.Identity
	Encode(data []byte) ([]float32, error)
}

// Local makes an Encoder of a Describer, which works on at most so many items at once, whoever asks.
func Local(d Describer, concurrency int) feature.Encoder {
	return &local{d, semaphore.NewWeighted(int64(concurrency))}
}

type local struct {
	d     Describer
	slots *semaphore.Weighted
}

func (l *local) Identity() feature.Identity { return l.d.Identity() }

func (l *local) Encode(ctx context.Context, items []feature.Item) []feature.Result {
	out := make([]feature.Result, len(items))
	for i := range items {
		if out[i].Err = l.slots.Acquire(ctx, 1); out[i].Err != nil {
			continue
		}
		out[i].Vector, out[i].Err = l.encode(items[i].Data)
		l.slots.Release(1)
	}
	return out
}

// encode refuses what makes the encoder panic: it would again, and must not take the daemon down.
func (l *local) encode(data []byte) (vec []float32, err error) {
	defer func() {
		if p := recover(); p != nil {
			vec, err = nil, feature.Refuse(feature.ReasonCorrupt, "%s broke down: %s", l.d.Identity().Name, fmt.Sprint(p))
		}
	}()
	return l.d.Encode(data)
}

// Precomputed is the encoder of vectors that come with the records. It makes none itself.
type Precomputed struct{ ID feature.Identity }

// Identity names the encoder that made the vectors.
func (p Precomputed) Identity() feature.Identity { return p.ID }

// Encode refuses.
func (p Precomputed) Encode(_ context.Context, items []feature.Item) []feature.Result {
	out := make([]feature.Result, len(items))
	for i := range out {
		out[i].Err = p.Refusal()
	}
	return out
}

// Refusal is the answer to a medium that comes without a vector.
func (p Precomputed) Refusal() *feature.Refusal {
	return feature.Refuse(feature.ReasonRejected, "it has no embedding by %q, and the encoder makes none: precomputed", p.ID.Name)
}

// madeBy tells whether a vector that comes with a record, with the name of its encoder, is one of e's. A name alone says
// nothing of the version of an encoder in this binary: its whole identity has to be given.
func madeBy(e feature.Encoder, name string, vec []float32) bool {
	id := e.Identity()
	if len(vec) != id.Dim {
		return false
	}
	_, inBinary := e.(*local)
	return name == id.String() || name == id.Name && !inBinary
}
