package main

import (
	"math"
	"slices"
	"testing"
)

func TestHalfCountsTiesAgainstItself(t *testing.T) {
	t.Parallel()
	h := &halfTask{own: []int{0, 2, 1}}
	scores := [][]float32{{1, 0, 0}, {3, 2, 2}, {9, 1, 1}}
	out := h.measure(func(i int) []float32 { return scores[i] })
	if !slices.Equal(out[0].values, []float64{1, 1.0 / 3, 1.0 / 3}) || !slices.Equal(out[1].values, []float64{1, 1, 1}) {
		t.Errorf("%v", out)
	}
}

// TestVotes has two cultures, by hand: of a, one of two is predicted right; of b, the one. Neither a record that is set
// aside nor one without label votes.
func TestVotes(t *testing.T) {
	t.Parallel()
	v := &voteTask{
		visible: []bool{true, true, true, true, false, false, false},
		tasks:   []labels{{task: "culture", of: []string{"a", "b", "b", "", "a", "a", "b"}, asked: []int{4, 5, 6}}},
	}
	scores := map[int][]float32{
		4: {0.9, 0, 0, 1, 1, 1, 1},     // a alone votes
		5: {0.9, 0.5, 0.4, 1, 1, 1, 1}, // two of b against one of a
		6: {0.1, 0.9, 0, 0, 0, 0, 0},   // one each: the nearer one wins
	}
	out := v.measure(func(i int, _ labels) []float32 { return scores[i] })
	if !slices.Equal(out[0].values, []float64{1, 0, 1}) {
		t.Errorf("right: %v", out[0].values)
	}
	// a: precision 1, recall 1/2; b: precision 1/2, recall 1: F1 2/3 each.
	if f := out[1].values[0]; math.Abs(f-2.0/3) > 1e-9 {
		t.Errorf("F1 %v", f)
	}
}

func TestPairedF1(t *testing.T) {
	t.Parallel()
	votes := func(said ...string) result {
		var v []vote
		for k, s := range said {
			v = append(v, vote{predicted: s, truth: []string{"a", "b"}[k%2]})
		}
		return result{votes: [][]vote{v, v}} // two seeds
	}
	right := votes("a", "b", "a", "b", "a", "b", "a", "b")
	if g := pairedF1(right, right); g.Low != 0 || g.High != 0 {
		t.Errorf("beside itself it gains %v..%v", g.Low, g.High)
	}
	if g := pairedF1(votes("b", "a", "b", "a", "b", "a", "b", "a"), right); g.Low != 1 || g.High != 1 {
		t.Errorf("beside what is never right it gains %v..%v, want 1", g.Low, g.High)
	}
	if g := pairedF1(votes("a", "b", "a", "a", "a", "b", "b", "b"), right); g.Low < 0 || g.High > 0.7 || g.High <= 0 {
		t.Errorf("beside what errs twice in eight it gains %v..%v", g.Low, g.High)
	}
}
