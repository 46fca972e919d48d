package layout

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Principal returns where vectors lie in the plane of their first two principal axes. The sign of an axis is such that its largest
// coordinate is positive. Vectors that are all the same lie in one place.
func Principal(vectors [][]float32) ([]Point, error) {
	if len(vectors) == 0 {
		return nil, nil
	}
	dim := len(vectors[0])
	if dim < 2 {
		return nil, fmt.Errorf("layout: dimension %d: want 2 or more", dim)
	}
	mean := make([]float64, dim)
	for i, v := range vectors {
		if len(v) != dim {
			return nil, fmt.Errorf("layout: vector %d has %d numbers, the first %d", i, len(v), dim)
		}
		for d, x := range v {
			mean[d] += float64(x) / float64(len(vectors))
		}
	}
	covariance := mat.NewSymDense(dim, nil)
	centred := mat.NewVecDense(dim, nil)
	for _, v := range vectors {
		for d, x := range v {
			centred.SetVec(d, float64(x)-mean[d])
		}
		covariance.SymRankOne(covariance, 1, centred)
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return nil, errors.New("layout: the principal axes can't be found: are there numbers that are not finite?")
	}
	var axes mat.Dense
	eigen.VectorsTo(&axes)
	first, second := axis(&axes, dim-1), axis(&axes, dim-2)
	points := make([]Point, len(vectors))
	for i, v := range vectors {
		var x, y float64
		for d, value := range v {
			x += (float64(value) - mean[d]) * first[d]
			y += (float64(value) - mean[d]) * second[d]
		}
		points[i] = Point{float32(x), float32(y)}
	}
	return points, nil
}

// axis is a column of the eigenvectors, which gonum orders by ascending eigenvalue.
func axis(vectors *mat.Dense, column int) []float64 {
	v := mat.Col(nil, column, vectors)
	largest := 0
	for d := range v {
		if math.Abs(v[d]) > math.Abs(v[largest]) {
			largest = d
		}
	}
	if v[largest] < 0 {
		for d := range v {
			v[d] = -v[d]
		}
	}
	return v
}
