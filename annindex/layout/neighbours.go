package layout

import "fmt"

// neighbours are who attracts whom: of point i those from starts[i] to starts[i+1]. If a point has another among
// its neighbours, they attract each other, twice as strongly if both have.
type neighbours struct {
	starts  []int32
	others  []int32
	weights []float32 // those of all add up to 1
}

// symmetric makes neighbours of the lists of the nearest, whose entries must be other points.
func symmetric(near [][]int32) (neighbours, error) {
	n := len(near)
	counts := make([]int32, n+1)
	for i, row := range near {
		for _, j := range row {
			if j < 0 || int(j) >= n || int(j) == i {
				return neighbours{}, fmt.Errorf("layout: neighbour %d of point %d: want another point of the %d", j, i, n)
			}
			counts[i+1]++
			counts[j+1]++
		}
	}
	for i := range n {
		counts[i+1] += counts[i]
	}
	g := neighbours{starts: counts, others: make([]int32, counts[n]), weights: make([]float32, counts[n])}
	at := make([]int32, n)
	copy(at, counts)
	add := func(i, j int32, w float32) {
		g.others[at[i]], g.weights[at[i]] = j, w
		at[i]++
	}
	for i, row := range near {
		w := 0.5 / float32(len(row)) / float32(n)
		for _, j := range row {
			add(int32(i), j, w)
			add(j, int32(i), w)
		}
	}
	return g, nil
}

// attract returns the pull of a point's neighbours on it: the sum of weight q (point - other), q = 1 / (1 + d^2).
func (g *neighbours) attract(points []Point, i int) Point {
	var pull Point
	p := points[i]
	low, high := g.starts[i], g.starts[i+1]
	for e, j := range g.others[low:high] {
		dx, dy := p.X-points[j].X, p.Y-points[j].Y
		q := g.weights[int(low)+e] / (1 + dx*dx + dy*dy)
		pull.X += q * dx
		pull.Y += q * dy
	}
	return pull
}
