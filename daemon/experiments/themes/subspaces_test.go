package main

import (
	"math"
	"math/rand/v2"
	"testing"

	"kilim/learner/tensor/par"
	"kilim/learner/theme"
)

// planted are embeddings into which the terms of two themes are mixed, and the works' coordinates in these: each work has one term a theme.
func planted(rng *rand.Rand, works int) (e []float32, coordinates [][][]theme.Coordinate) {
	const terms = 5
	directions := make([][]float64, 2*terms)
	for i := range directions {
		for range width {
			directions[i] = append(directions[i], rng.NormFloat64()/math.Sqrt(width))
		}
	}
	coordinates = make([][][]theme.Coordinate, 2)
	for range works {
		row := make([]float32, width)
		for t := range coordinates {
			term := rng.IntN(terms)
			coordinates[t] = append(coordinates[t], []theme.Coordinate{{Place: term, Value: 1}})
			for j, x := range directions[t*terms+term] {
				row[j] += float32(x)
			}
		}
		e = append(e, row...)
	}
	return e, coordinates
}

// TestSubspacesFindWhatIsPlanted: the inner products in a theme's group are those of the theme, and not of the other, for works that were not
// learnt from too; and the result is the same for any number of threads.
func TestSubspacesFindWhatIsPlanted(t *testing.T) {
	t.Parallel()
	e, coordinates := planted(rand.New(rand.NewPCG(1, 1)), 240)
	const learnt = 160
	var first []float32
	for _, threads := range []int{1, 2} {
		pool, err := par.New(threads)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		s, err := learnSubspaces(t.Context(), pool, e[:learnt*width], [][][]theme.Coordinate{coordinates[0][:learnt], coordinates[1][:learnt]}, 1)
		if err != nil {
			t.Fatal(err)
		}
		latent := s.project(e[learnt*width:])
		if first == nil {
			first = latent
		}
		for i, x := range latent {
			if x != first[i] {
				t.Fatalf("by %d threads number %d is %g, by one %g", threads, i, x, first[i])
			}
		}
		for group := range 2 {
			vectors := s.group(latent, group)
			for other := range 2 {
				alike, unlike, same, pairs := 0.0, 0.0, 0, 0
				for i := range vectors {
					scores := innerProducts(vectors, i)
					for j := range i {
						if coordinates[other][learnt+i][0] == coordinates[other][learnt+j][0] {
							alike += scores[j]
							same++
						} else {
							unlike += scores[j]
							pairs++
						}
					}
				}
				gap := alike/float64(same) - unlike/float64(pairs)
				if own := group == other; own && gap < 0.5 || !own && gap > 0.2 {
					t.Errorf("group %d: works alike in theme %d are nearer by %.3f", group, other, gap)
				}
			}
		}
	}
}

// TestProbe: a probe tells a term that its vectors tell, and not one that they don't.
func TestProbe(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 2))
	var vectors [][]float32
	var told, untold []float64
	for range 2000 {
		x, y := rng.NormFloat64(), float64(rng.IntN(2))
		vectors = append(vectors, []float32{float32(x), float32(rng.NormFloat64())})
		above := 0.0
		if x > 1 {
			above = 1
		}
		told, untold = append(told, above), append(untold, y)
	}
	p, err := newProbe(vectors)
	if err != nil {
		t.Fatal(err)
	}
	if a := p.area(told); a < 0.99 {
		t.Errorf("of what the vectors tell the area is %.3f", a)
	}
	if a := p.area(untold); math.Abs(a-0.5) > 0.05 {
		t.Errorf("of what they don't tell it is %.3f", a)
	}
}
