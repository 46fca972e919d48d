package layout

import (
	"fmt"
	"slices"

	"kilim/learner/tensor/par"
	"kilim/learner/tensor/vec"
)

// Trust tells how far a map can be believed, from 0 to 1 for a map without a fault.
type Trust struct {
	// Trustworthiness is low where points are neighbours on the map whose vectors are far from each other.
	Trustworthiness float64
	// Continuity is low where vectors are near each other whose points are not neighbours.
	Continuity float64
}

// Measure compares each every-th point's k neighbours on the map with its vector's k nearest, by the inner product, against all
// others: exact for every 1, of about len(points) / every operations a pair. k must be below half the points.
func Measure(pool *par.Pool, vectors [][]float32, points []Point, k, every int) (Trust, error) {
	n := len(points)
	if len(vectors) != n {
		return Trust{}, fmt.Errorf("layout: %d vectors, but %d points", len(vectors), n)
	}
	if k < 1 || 2*k >= n || every < 1 {
		return Trust{}, fmt.Errorf("layout: k %d, every %d of %d points: want k from 1 to below half the points, and every 1 or more", k, every, n)
	}
	m := &measuring{vectors: vectors, points: points, k: k, every: every, faults: make([][2]float64, (n+every-1)/every)}
	pool.Caller().Run(m, len(m.faults))
	var wrong, lost float64
	for _, f := range m.faults {
		wrong += f[0]
		lost += f[1]
	}
	norm := 2 / (float64(k) * float64(2*n-3*k-1) * float64(len(m.faults)))
	return Trust{Trustworthiness: 1 - norm*wrong, Continuity: 1 - norm*lost}, nil
}

// measuring is the Task of Measure. Each part is one point.
type measuring struct {
	vectors  [][]float32
	points   []Point
	k, every int
	faults   [][2]float64
}

func (m *measuring) Part(part int, _ *par.Worker) {
	i := part * m.every
	apart, drawn := make([]float32, len(m.points)), make([]float32, len(m.points))
	p := m.points[i]
	for j, o := range m.points {
		apart[j] = -vec.Dot(m.vectors[i], m.vectors[j])
		dx, dy := p.X-o.X, p.Y-o.Y
		drawn[j] = dx*dx + dy*dy
	}
	m.faults[part] = [2]float64{excess(drawn, apart, i, m.k), excess(apart, drawn, i, m.k)}
}

// excess is by how many ranks the k nearest of point i by one distance fall behind the k nearest by another.
func excess(near, far []float32, i, k int) float64 {
	sum := 0
	for _, j := range nearest(near, i, k) {
		rank := 0
		for o, d := range far {
			if o != i && (d < far[j] || d == far[j] && o < j) {
				rank++
			}
		}
		sum += max(0, rank+1-k)
	}
	return float64(sum)
}

// nearest are the k points other than i of the smallest distances, ties by number.
func nearest(distances []float32, i, k int) []int {
	best := make([]int, 0, k+1)
	for j, d := range distances {
		if j == i || len(best) == k && d >= distances[best[k-1]] {
			continue
		}
		at := len(best)
		for at > 0 && d < distances[best[at-1]] {
			at--
		}
		best = slices.Insert(best, at, j)
		best = best[:min(len(best), k)]
	}
	return best
}
