package figure

import (
	"math"

	"gonum.org/v1/plot/vg"
)

const (
	majorizations = 300
	goldenAngle   = 2.399963229728653
	// farthest is the distance of nodes that no path joins, in edges.
	farthest = 4
)

// places lays a graph out so that nodes are as far apart as they are along its edges, of which that of the best score is half as long as that of the
// worst: by majorizing the stress of multidimensional scaling (SMACOF, the weight of a pair being the inverse of its squared distance), always from the same
// spiral. The result is fitted between two corners.
func places(g *Graph, low, high vg.Point) []vg.Point {
	n := len(g.Nodes)
	apart := distances(g)
	x, y := make([]float64, n), make([]float64, n)
	for i := range n {
		r := math.Sqrt(float64(i))
		x[i], y[i] = r*math.Cos(goldenAngle*float64(i)), r*math.Sin(goldenAngle*float64(i))
	}
	for range majorizations {
		for i := range n {
			var sumX, sumY, weights float64
			for j := range n {
				if j == i {
					continue
				}
				d := apart[i][j]
				w := 1 / (d * d)
				dx, dy := x[i]-x[j], y[i]-y[j]
				stretch := d / math.Max(math.Hypot(dx, dy), 1e-9)
				sumX, sumY, weights = sumX+w*(x[j]+stretch*dx), sumY+w*(y[j]+stretch*dy), weights+w
			}
			if weights > 0 {
				x[i], y[i] = sumX/weights, sumY/weights
			}
		}
	}
	minX, maxX, minY, maxY := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for i := range n {
		minX, maxX, minY, maxY = math.Min(minX, x[i]), math.Max(maxX, x[i]), math.Min(minY, y[i]), math.Max(maxY, y[i])
	}
	out := make([]vg.Point, n)
	for i := range n {
		out[i] = vg.Point{X: within(x[i], minX, maxX, low.X, high.X), Y: within(y[i], minY, maxY, low.Y, high.Y)}
	}
	return out
}

// distances are the lengths of the shortest paths between each two nodes.
func distances(g *Graph) [][]float64 {
	worst, best := scores(g)
	apart := make([][]float64, len(g.Nodes))
	for i := range apart {
		apart[i] = make([]float64, len(g.Nodes))
		for j := range apart[i] {
			if i != j {
				apart[i][j] = farthest
			}
		}
	}
	for _, e := range g.Edges {
		if e.A != e.B {
			length := float64(within(e.Score, worst, best, 1, 0.5))
			apart[e.A][e.B], apart[e.B][e.A] = length, length
		}
	}
	for over := range apart {
		for i := range apart {
			for j := range apart {
				apart[i][j] = math.Min(apart[i][j], apart[i][over]+apart[over][j])
			}
		}
	}
	return apart
}

// scores are the worst and the best of a graph's edges.
func scores(g *Graph) (worst, best float64) {
	worst, best = math.Inf(1), math.Inf(-1)
	for _, e := range g.Edges {
		worst, best = math.Min(worst, e.Score), math.Max(best, e.Score)
	}
	return worst, best
}

// within moves a value from one interval into another; one without a length has its middle.
func within(v, from, to float64, low, high vg.Length) vg.Length {
	if !(to-from > 1e-9) {
		return (low + high) / 2
	}
	return low + (high-low)*vg.Length((v-from)/(to-from))
}
