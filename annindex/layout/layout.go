package layout

import (
	"context"
	"fmt"
	"math"

	"kilim/learner/tensor/par"
)

// Point is a place on the map.
type Point struct{ X, Y float32 }

// Config says how a map is made.
type Config struct {
	// Steps is how many steps Run takes: 750 for a map from principal axes, 50 for an earlier one that newcomers came to.
	Steps int
	// Exaggerated is how many of the first Steps pull neighbours together 12 times as strongly, for which a start by
	// principal axes is shrunk to a speck: a third of Steps; 0 keeps the start as it is.
	Exaggerated int
	// Breathe, if set, is called after each part of a step, some hundreds of points: by the threads of the pool, which may rest in it.
	Breathe func()
}

const (
	exaggeration = 12
	// speck is the standard deviation of a start that is exaggerated (Kobak and Berens, Nature Communications 10, 2019).
	speck = 1e-4
	// theta is how wide a cell of the tree may look to count as one point (van der Maaten 2014, section 4.2).
	theta = 0.5
	// block is how many points are one part of a Task.
	block = 256
)

// Layout is a map that is being made. It has no more than one user at a time, but for Place, which many may call after Run.
type Layout struct {
	config     Config
	pool       *par.Pool
	near       neighbours
	tree       quadtree
	points     []Point
	pushes     []Point
	sums       []float32 // of each point's similarities on the map
	velocities []Point
	gains      []Point
	stacks     [][]int32 // of the tree's walks, by worker
	// What a step's tasks read.
	total, pull, momentum float32
}

// New begins a map at start, of points whose nearest others are near: indices of start. The Pool remains the caller's.
func New(config Config, pool *par.Pool, start []Point, near [][]int32) (*Layout, error) {
	if config.Steps < 0 || config.Exaggerated < 0 || config.Exaggerated > config.Steps {
		return nil, fmt.Errorf("layout: %d steps, %d of them exaggerated: want 0 or more, and not more exaggerated than there are", config.Steps, config.Exaggerated)
	}
	if len(near) != len(start) {
		return nil, fmt.Errorf("layout: neighbours of %d points, but %d points", len(near), len(start))
	}
	for i, p := range start {
		if d := float64(p.X) + float64(p.Y); math.IsNaN(d) || math.IsInf(d, 0) {
			return nil, fmt.Errorf("layout: point %d is at (%v, %v): want finite numbers", i, p.X, p.Y)
		}
	}
	graph, err := symmetric(near)
	if err != nil {
		return nil, err
	}
	n := len(start)
	l := &Layout{config: config, pool: pool, near: graph, points: append([]Point(nil), start...), pushes: make([]Point, n),
		sums: make([]float32, n), velocities: make([]Point, n), gains: make([]Point, n), stacks: make([][]int32, pool.Size())}
	for i := range l.gains {
		l.gains[i] = Point{1, 1}
	}
	if config.Exaggerated > 0 {
		Shrink(l.points)
	}
	return l, nil
}

// Points are where the points are, until the next Run: they are the Layout's own.
func (l *Layout) Points() []Point { return l.points }

// Run moves the points, and calls progress after each step. When ctx ends it returns its error, and the points are where the
// last whole step left them.
func (l *Layout) Run(ctx context.Context, progress func(done, steps int)) error {
	if len(l.points) < 2 {
		return nil
	}
	for step := range l.config.Steps {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("layout: ended after %d of %d steps: %w", step, l.config.Steps, err)
		}
		l.pull, l.momentum = 1, 0.8
		if step < l.config.Exaggerated {
			l.pull, l.momentum = exaggeration, 0.5
		}
		l.repel()
		l.pool.Caller().Run((*moving)(l), l.parts())
		l.points, l.pushes = l.pushes, l.points
		progress(step+1, l.config.Steps)
	}
	l.repel() // for Place
	return nil
}

// repel computes what pushes each point, and the total of all similarities on the map, in the order of the points: it must not
// depend on threads.
func (l *Layout) repel() {
	l.tree.build(l.points)
	l.pool.Caller().Run((*repelling)(l), l.parts())
	total := 0.0
	for _, s := range l.sums {
		total += float64(s)
	}
	l.total = float32(total)
}

func (l *Layout) parts() int { return (len(l.points) + block - 1) / block }

// repelling is the Task of a step's first half, moving of its second: it writes the new places over the pushes, since other points'
// neighbours are still to be read.
type (
	repelling Layout
	moving    Layout
)

func (l *repelling) Part(part int, m *par.Worker) {
	stack := l.stacks[m.Index()]
	for i := part * block; i < min((part+1)*block, len(l.points)); i++ {
		l.pushes[i], l.sums[i], stack = l.tree.repel(l.points[i], int32(i), stack)
	}
	l.stacks[m.Index()] = stack
	if l.config.Breathe != nil {
		l.config.Breathe()
	}
}

func (l *moving) Part(part int, _ *par.Worker) {
	low, high := part*block, min((part+1)*block, len(l.points))
	rate := learningRate(len(l.points))
	for i := low; i < high; i++ {
		pull := l.near.attract(l.points, i)
		gradient := Point{l.pull*pull.X - l.pushes[i].X/l.total, l.pull*pull.Y - l.pushes[i].Y/l.total}
		v, g := &l.velocities[i], &l.gains[i]
		v.X = speed(v.X, &g.X, gradient.X, l.momentum, rate)
		v.Y = speed(v.Y, &g.Y, gradient.Y, l.momentum, rate)
		l.pushes[i] = Point{l.points[i].X + v.X, l.points[i].Y + v.Y}
	}
}

// learningRate is that of Belkina et al., with the factor 4 of the gradient that is left out above.
func learningRate(n int) float32 { return max(4*float32(n)/exaggeration, 200) }

// speed is the next velocity along an axis. Its gain grows while the gradient keeps pointing where the point goes (Jacobs 1988).
func speed(velocity float32, gain *float32, gradient, momentum, rate float32) float32 {
	if (gradient > 0) == (velocity > 0) {
		*gain = max(*gain*0.8, 0.01)
	} else {
		*gain += 0.2
	}
	return momentum*velocity - rate**gain*gradient
}

// Shrink makes a start a speck around the origin, in which points have no far way to each other.
func Shrink(points []Point) {
	var x, y, squares float64
	n := float64(len(points))
	for _, p := range points {
		x += float64(p.X) / n
		y += float64(p.Y) / n
	}
	for _, p := range points {
		squares += (float64(p.X) - x) * (float64(p.X) - x) / n
	}
	scale := 1.0
	if squares > 0 {
		scale = speck / math.Sqrt(squares)
	}
	for i, p := range points {
		points[i] = Point{float32((float64(p.X) - x) * scale), float32((float64(p.Y) - y) * scale)}
	}
}
