package annindex

import (
	"io"
	"math"
	"slices"

	"kilim/annindex/internal/ann"
)

// cosine is an Index that scales vectors and queries to length 1 before it gives them to another. It leaves a vector
// whose length is 1 to the precision of float32 as it is, bit for bit: TestCosine holds it.
type cosine struct{ Index }

// unitSlack is how far the square of a unit vector's length may be from 1.
const unitSlack = 1e-6

// unit returns vec scaled to length 1, or vec itself if its length is 1.
func (c cosine) unit(vec []float32) ([]float32, error) {
	if err := ann.CheckVector(vec, c.Dim()); err != nil {
		return nil, err
	}
	var square float64
	for _, x := range vec {
		square += float64(x) * float64(x)
	}
	if math.Abs(square-1) <= unitSlack {
		return vec, nil
	}
	length, out := math.Sqrt(square), make([]float32, len(vec))
	for i, x := range vec {
		out[i] = float32(float64(x) / length)
	}
	return out, nil
}

func (c cosine) Put(id uint64, vec []float32) error {
	u, err := c.unit(vec)
	if err != nil {
		return err
	}
	return c.Index.Put(id, u)
}

func (c cosine) Search(vec []float32, k int, keep func(uint64) bool) ([]Hit, error) {
	u, err := c.unit(vec)
	if err != nil {
		return nil, err
	}
	return c.Index.Search(u, k, keep)
}

func (c cosine) SearchExact(vec []float32, k int, keep func(uint64) bool) ([]Hit, error) {
	u, err := c.unit(vec)
	if err != nil {
		return nil, err
	}
	return c.Index.SearchExact(u, k, keep)
}

func (c cosine) SearchMany(vecs [][]float32, k int) ([][]Hit, error) {
	if err := ann.CheckMany(vecs, k, c.Dim()); err != nil {
		return nil, err
	}
	units := make([][]float32, len(vecs))
	for i, v := range vecs {
		u, err := c.unit(v)
		if err != nil {
			return nil, err
		}
		units[i] = u
	}
	return c.Index.SearchMany(units, k)
}

// Restore also takes the snapshot of an Index whose metric was dot: it puts each vector that is not of length 1 again.
func (c cosine) Restore(r io.Reader) error {
	if err := c.Index.Restore(r); err != nil {
		return err
	}
	vec := make([]float32, c.Dim())
	for _, id := range c.IDs() {
		if !c.Vector(id, vec) {
			continue
		}
		u, err := c.unit(vec)
		if err != nil {
			return err
		}
		if slices.Equal(u, vec) {
			continue
		}
		if err := c.Index.Put(id, u); err != nil {
			return err
		}
	}
	return nil
}
