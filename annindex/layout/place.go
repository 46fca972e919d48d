package layout

import "slices"

const (
	// placing is how many steps Place takes. On the way from a middle of its neighbours a newcomer passes few others.
	placing = 50
	// stride bounds a step of Place, in units in which neighbours on the map are about 1 apart.
	stride = 1
)

// Place returns where a point belongs whose nearest on the map are near: from the middle of these (the median of each axis, which a
// single far one does not drag away) it goes down the loss that the others, at rest, give it. Without neighbours it is the middle of the map.
// It needs a Run that was not ended before: of no steps, say.
func (l *Layout) Place(near []int32) Point {
	if len(near) == 0 {
		low, high := bounds(l.points)
		return Point{(low.X + high.X) / 2, (low.Y + high.Y) / 2}
	}
	p := l.middle(near)
	weight := 1 / float32(len(near)) / float32(len(l.points))
	rate := learningRate(len(l.points))
	var stack []int32
	for range placing {
		var push, pull Point
		var sum float32
		push, sum, stack = l.tree.repel(p, -1, stack)
		for _, j := range near {
			dx, dy := p.X-l.points[j].X, p.Y-l.points[j].Y
			q := weight / (1 + dx*dx + dy*dy)
			pull.X += q * dx
			pull.Y += q * dy
		}
		total := l.total + 2*sum
		p.X -= within(rate * (pull.X - push.X/total))
		p.Y -= within(rate * (pull.Y - push.Y/total))
	}
	return p
}

func within(step float32) float32 { return max(-stride, min(stride, step)) }

func (l *Layout) middle(near []int32) Point {
	xs, ys := make([]float32, len(near)), make([]float32, len(near))
	for i, j := range near {
		xs[i], ys[i] = l.points[j].X, l.points[j].Y
	}
	slices.Sort(xs)
	slices.Sort(ys)
	return Point{xs[len(xs)/2], ys[len(ys)/2]}
}
