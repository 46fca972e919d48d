package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"time"

	"kilim/annindex"
	"kilim/annindex/layout"
	"kilim/internal/cputime"
	"kilim/learner/tensor/par"
)

// drawing draws and measures the same vectors in several ways.
type drawing struct {
	ctx         context.Context
	pool        *par.Pool
	vectors     [][]float32
	near, every int
}

func newDrawing(ctx context.Context, vectors [][]float32, near, every int) (*drawing, error) {
	pool, err := par.New(runtime.NumCPU())
	if err != nil {
		return nil, err
	}
	return &drawing{ctx, pool, vectors, near, every}, nil
}

// row measures a map and prints it.
func (d *drawing) row(w io.Writer, name string, points []layout.Point, seconds float64) error {
	trust, err := layout.Measure(d.pool, d.vectors, points, 15, d.every)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "| %s | %.4f | %.4f | %.1f s |\n", name, trust.Trustworthiness, trust.Continuity, seconds)
	return err
}

// whole draws all vectors. Its time is that of the search for neighbours too.
func (d *drawing) whole() ([]layout.Point, time.Duration, error) {
	start := cputime.Spent()
	lists, err := d.neighbours(d.vectors, len(d.vectors))
	if err != nil {
		return nil, 0, err
	}
	l, err := d.first(d.vectors, lists)
	if err != nil {
		return nil, 0, err
	}
	return l.Points(), cputime.Spent() - start, nil
}

// first draws a map from the principal axes.
func (d *drawing) first(vectors [][]float32, lists [][]int32) (*layout.Layout, error) {
	start, err := layout.Principal(vectors)
	if err != nil {
		return nil, err
	}
	return d.run(layout.Config{Steps: 750, Exaggerated: 250}, start, lists)
}

func (d *drawing) run(config layout.Config, start []layout.Point, lists [][]int32) (*layout.Layout, error) {
	l, err := layout.New(config, d.pool, start, lists)
	if err != nil {
		return nil, err
	}
	return l, l.Run(d.ctx, func(int, int) {})
}

// neighbours finds, for each vector, its nearest others among the first of them.
func (d *drawing) neighbours(vectors [][]float32, first int) ([][]int32, error) {
	index, err := annindex.New(annindex.Config{Dim: len(vectors[0])})
	if err != nil {
		return nil, err
	}
	for i, v := range vectors[:first] {
		if err := index.Put(uint64(i), v); err != nil {
			return nil, err
		}
	}
	found, err := index.SearchMany(vectors, d.near+1)
	if err != nil {
		return nil, err
	}
	lists := make([][]int32, len(vectors))
	for i, hits := range found {
		for _, h := range hits {
			if int(h.ID) != i && len(lists[i]) < d.near {
				lists[i] = append(lists[i], int32(h.ID))
			}
		}
	}
	return lists, nil
}

// renewal tells what newcomers do to a map.
func (d *drawing) renewal(w io.Writer) error {
	old := len(d.vectors) * 10 / 11
	lists, err := d.neighbours(d.vectors, old)
	if err != nil {
		return err
	}
	l, err := d.first(d.vectors[:old], lists[:old])
	if err != nil {
		return err
	}
	before := slices.Clone(l.Points())
	points := slices.Clone(before)
	start := cputime.Spent()
	for _, list := range lists[old:] {
		points = append(points, l.Place(list))
	}
	each := (cputime.Spent() - start) / time.Duration(len(d.vectors)-old)
	if lists, err = d.neighbours(d.vectors, len(d.vectors)); err != nil {
		return err
	}
	start = cputime.Spent()
	renewed, err := d.run(layout.Config{Steps: 50}, points, lists)
	if err != nil {
		return err
	}
	spent := cputime.Spent() - start
	fmt.Fprintln(w, "| map | trustworthiness | continuity | processor time |\n|---|---|---|---|")
	if err := d.row(w, fmt.Sprintf("of %d, %d placed", old, len(d.vectors)-old), points, each.Seconds()*float64(len(d.vectors)-old)); err != nil {
		return err
	}
	if err := d.row(w, "the next layout", renewed.Points(), spent.Seconds()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n%s a newcomer; the old points moved by %.4f of the map's width (median) in the next layout, not at all before\n", each.Round(time.Microsecond), moved(before, renewed.Points()))
	return err
}

// moved is by how much the median point moved, in widths of the map.
func moved(before, after []layout.Point) float64 {
	low, high := before[0], before[0]
	distances := make([]float64, len(before))
	for i, p := range before {
		low = layout.Point{X: min(low.X, p.X), Y: min(low.Y, p.Y)}
		high = layout.Point{X: max(high.X, p.X), Y: max(high.Y, p.Y)}
		distances[i] = math.Hypot(float64(after[i].X-p.X), float64(after[i].Y-p.Y))
	}
	slices.Sort(distances)
	return distances[len(distances)/2] / float64(max(high.X-low.X, high.Y-low.Y))
}
