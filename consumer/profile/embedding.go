package profile

import (
	"math"
	"strconv"
)

// shortest is the length below which a vector has no direction that could be trusted.
const shortest = 1e-9

// embedding reads a vector and brings it to length 1: only its direction is compared, and what takes features in counts
// on their length. It does so in float64, in which the squares of the largest float32 can be added.
func (p *parser) embedding(path string) ([]float32, error) {
	if p.null() {
		return nil, nil
	}
	if p.peek() != '[' {
		return nil, p.wrongType(path, "a list of numbers")
	}
	if inner := (cursor{b: p.b, i: p.i + 1}); inner.peek() == '[' {
		return p.batchOfOne(path)
	}
	var values []float64
	squares := 0.0
	err := p.array(func(i int) error {
		if i >= p.lim.Dimensions {
			return Refuse(ReasonTooMany, path, "", "more than %d values", p.lim.Dimensions)
		}
		if !p.atNumber() {
			return p.wrongType(at(path, i), "a number")
		}
		text := string(p.skip())
		x, err := strconv.ParseFloat(text, 32)
		if err != nil || math.IsInf(x, 0) {
			return Refuse(ReasonEmbeddingRange, at(path, i), text, "not a number that float32 can hold")
		}
		values = append(values, x)
		squares += x * x
		return nil
	})
	if err != nil || len(values) == 0 {
		return nil, err
	}
	length := math.Sqrt(squares)
	if length < shortest {
		return nil, Refuse(ReasonEmbeddingRange, path, strconv.FormatFloat(length, 'g', 3, 64),
			"the length of its %d values; below %g there is no direction", len(values), shortest)
	}
	v := make([]float32, len(values))
	for i, x := range values {
		v[i] = float32(x / length)
	}
	return v, nil
}

// batchOfOne reads a vector in a list of its own, as servers answer to a batch of one.
func (p *parser) batchOfOne(path string) (v []float32, err error) {
	start := p.i
	err = p.array(func(i int) error {
		inner := cursor{b: p.b, i: p.i + 1}
		if i > 0 || p.peek() == '[' && inner.peek() == '[' {
			p.i = start
			return p.wrongType(path, "one list of numbers")
		}
		v, err = p.embedding(path)
		return err
	})
	return v, err
}
