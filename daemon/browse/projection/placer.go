package projection

import (
	"context"
	"time"

	"kilim/annindex/layout"
	"kilim/learner/tensor/par"
)

// placer places artifacts by their nearest among those that were laid out, wherever these are now.
type placer struct {
	sample
	layout *layout.Layout
}

// newPlacer is nil for fewer than two points, which say nothing of a third.
func newPlacer(pool *par.Pool, ids []uint64, points []layout.Point) (*placer, error) {
	if len(ids) < 2 {
		return nil, nil
	}
	p := &placer{sample: sample{number: make(map[uint64]int32, len(ids))}}
	for i, id := range ids {
		p.number[id] = int32(i)
	}
	var err error
	if p.layout, err = layout.New(layout.Config{}, pool, points, make([][]int32, len(points))); err != nil {
		return nil, err
	}
	return p, p.layout.Run(context.Background(), func(int, int) {}) // no step: it only looks at the points
}

func (p *placer) place(v Vectors, id uint64, vector []float32) (layout.Point, error) {
	near, err := p.nearest(v, id, vector)
	if err != nil {
		return layout.Point{}, err
	}
	return nudged(p.layout.Place(near), id, 0.1), nil
}

// nudged moves a point a little, by its id: artifacts of one vector would else lie on one another for good, where no pointer finds those below. Neighbours on a
// map are about 1 apart.
func nudged(p layout.Point, id uint64, most float32) layout.Point {
	share := func(bits uint32) float32 { return float32(bits>>8)/(1<<23) - 1 } // from -1 to 1
	return layout.Point{X: p.X + most*share(uint32(id)), Y: p.Y + most*share(uint32(id>>32))}
}

// placeAll adds to shown those of ids that were not laid out.
func (k *Keeper) placeAll(ctx context.Context, v Vectors, by *placer, ids, shown []uint64, points []layout.Point) ([]uint64, []layout.Point, error) {
	if by == nil {
		return shown, points, nil
	}
	k.enter(PlacingAll)
	vector, start := make([]float32, v.Dim()), time.Now()
	for i, id := range ids {
		if _, laid := by.number[id]; laid || !v.Vector(id, vector) {
			continue
		}
		p, err := by.place(v, id, vector)
		if err != nil {
			return nil, nil, err
		}
		shown, points = append(shown, id), append(points, p)
		k.advance(float64(i) / float64(len(ids)))
		if start, err = k.breathe(ctx, start); err != nil {
			return nil, nil, err
		}
	}
	return shown, points, nil
}

// hear takes away who is gone, which costs little, and notes who is to be placed.
func (k *Keeper) hear() {
	ids := k.changes.take()
	if len(ids) == 0 {
		return
	}
	v, _ := k.archive.Vectors()
	vector := make([]float32, v.Dim())
	for id := range ids {
		switch {
		case !v.Vector(id, vector):
			k.table.remove(id)
			delete(k.newcomers, id)
		case k.table.has(id): // it keeps its place
		case k.table.len()+len(k.newcomers) < k.cfg.drawn(): // others wait for the next layout
			k.newcomers[id] = struct{}{}
		}
	}
}

// renew shows what has changed: it places some of the newcomers, if that is wanted now, and tells whether others wait.
func (k *Keeper) renew(ctx context.Context) (more bool, err error) {
	k.hear()
	if len(k.newcomers) == 0 {
		return false, nil
	}
	v, state := k.archive.Vectors()
	vector, start, left := make([]float32, v.Dim()), time.Now(), renewedAtOnce
	for id := range k.newcomers {
		if left--; left < 0 || !k.wanted() {
			return left < 0, nil
		}
		// Without a placer for this state it waits for the next layout.
		if k.placer != nil && state == k.made.State && v.Vector(id, vector) {
			p, err := k.placer.place(v, id, vector)
			if err != nil {
				return true, err
			}
			k.table.put(id, p)
			k.counts.placed.Add(1)
		}
		delete(k.newcomers, id)
		if start, err = k.rest(ctx, start); err != nil {
			return true, err
		}
	}
	return false, nil
}
