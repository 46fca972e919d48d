package ranking

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"kilim/daemon/judgments"
)

func judgment(a, b string, grade float64, by, theme string) judgments.Judgment {
	return judgments.Judgment{A: a, B: b, Grade: grade, By: by, Theme: theme}
}

// TestQuestions: who was judged most asks for all it was judged with, and what judgments join is one group.
func TestQuestions(t *testing.T) {
	t.Parallel()
	got := questions([]judgments.Judgment{
		judgment("b", "a", 1, "Ada", ""), judgment("a", "c", 2, "Bob", ""), judgment("a", "d", 0, "Ada", ""), // one list
		judgment("c", "e", 1, "Ada", ""), // joins e with it
		judgment("x", "y", 3, "Ada", ""), // another
		judgment("p", "q", 0, "Ada", ""), // says of nothing that it is alike
		judgment("x", "z", 3, "Ada", "motif"),
	}, 1)
	want := []question{
		{"a", "a", map[string]float32{"b": 1, "c": 2, "d": 0}, []string{"Ada", "Bob"}},
		{"c", "a", map[string]float32{"a": 2, "e": 1}, []string{"Ada", "Bob"}},
		{"x", "x", map[string]float32{"y": 3}, []string{"Ada"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestOddJudgments: whatever is said, and in whatever order, the questions are the same, within their bound, and no grade is one that there is none of.
func TestOddJudgments(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		var all []judgments.Judgment
		id := func() string { return []string{"", "a", "b", "c", "d", "e", "\xff", "x|y"}[rng.IntN(8)] }
		for range rng.IntN(40) {
			grade := []float64{0, 1, 1, 2, 10, 11, -1, math.NaN(), math.Inf(1), math.MaxFloat64}[rng.IntN(10)]
			all = append(all, judgment(id(), id(), grade, []string{"", "Ada", "Bob"}[rng.IntN(3)], []string{"", "", "t"}[rng.IntN(3)]))
		}
		got := questions(all, 1)
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if again := questions(all, 1); !reflect.DeepEqual(got, again) || sumOf(got) != sumOf(again) {
			t.Fatalf("of %+v\n%+v, in another order\n%+v", all, got, again)
		}
		for _, q := range got {
			if q.id == "" || q.group == "" || len(q.by) == 0 {
				t.Fatalf("%+v", q)
			}
			for other, grade := range q.grades {
				if other == q.id || other == "" || !(grade >= 0 && grade <= judgments.MostGrade) {
					t.Fatalf("%+v", q)
				}
			}
		}
	}
}

// TestManyJudgments: thousands of one person leave room for what others ask, and no more are asked than there is time for.
func TestManyJudgments(t *testing.T) {
	t.Parallel()
	var all []judgments.Judgment
	for i := range 5000 {
		all = append(all, judgment(fmt.Sprint("many ", i), fmt.Sprint("other ", i), 1, "Bob", ""))
	}
	for i := range 100 {
		all = append(all, judgment(fmt.Sprint("few ", i), fmt.Sprint("other few ", i), 1, "Ada", ""))
	}
	got := questions(all, 1)
	if len(got) != mostQuestions {
		t.Errorf("%d questions", len(got))
	}
	ada := 0
	for _, q := range got {
		if slices.Contains(q.by, "Ada") {
			ada++
		}
	}
	if ada != 100 {
		t.Errorf("%d of Ada's 100", ada)
	}
	if reflect.DeepEqual(got, questions(all, 2)) {
		t.Error("another seed draws the same")
	}
	if sumOf(got) == sumOf(questions(all, 2)) {
		t.Error("other questions have the same sum")
	}
}
