package memory

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// limits are the ends of the range, those beside them, and some between.
func limits() []int64 {
	all := []int64{Least, Least + 1, 1<<30 - 1, 1 << 30, 4 << 30, 1 << 44, 1 << 62}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		all = append(all, Least+rng.Int64N(1<<(30+rng.IntN(12))))
	}
	return all
}

// TestPartsFit: all that may be taken at the same time, with a second state or with a training, leaves a share of every limit to what
// is not divided, of which the collector has its part.
func TestPartsFit(t *testing.T) {
	t.Parallel()
	for _, limit := range limits() {
		b := Split(limit)
		oneState := memtables*b.Memtable + b.Nodes + b.Tables + b.Lists
		work := recordCopies*b.Records + b.Pictures + b.Fetched + b.Outbox + b.Themes + b.Map + b.ThemeMaps
		left := limit / whole * rest
		if with := 2*oneState + work; with > limit-left {
			t.Errorf("limit %d: two states and the work take %d, which leaves less than %d", limit, with, left)
		}
		if with := oneState + 2*b.Training + work; with > limit-left {
			t.Errorf("limit %d: a state, a training and the work take %d, which leaves less than %d", limit, with, left)
		}
		if b.Limit != limit || b.Heap >= limit || b.Heap < limit/10*9 {
			t.Errorf("limit %d: the budget is of %d, the heap %d", limit, b.Limit, b.Heap)
		}
	}
	if rest < 1 {
		t.Errorf("%d parts of %d are left", rest, whole)
	}
}

// TestEveryPartHasSome: every part has a megabyte or more of the smallest limit, and more memory is less for none.
func TestEveryPartHasSome(t *testing.T) {
	t.Parallel()
	before := reflect.ValueOf(Split(Least))
	for i := range before.NumField() {
		if before.Field(i).Int() < mib {
			t.Errorf("%s is %d bytes of the smallest limit", before.Type().Field(i).Name, before.Field(i).Int())
		}
	}
	for limit := int64(Least); limit < 1<<40; limit += limit / 3 {
		now := reflect.ValueOf(Split(limit))
		for i := range now.NumField() {
			if now.Field(i).Int() < before.Field(i).Int() {
				t.Errorf("%s shrinks at a limit of %d", now.Type().Field(i).Name, limit)
			}
		}
		before = now
	}
}

// TestCheck: what is refused is exactly what is below Least; Split takes it for Least.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{-1, 0, 1, Least - 1} {
		if Check(limit) == nil {
			t.Errorf("%d is not refused", limit)
		}
		if Split(limit) != Split(Least) {
			t.Errorf("%d is divided as %+v", limit, Split(limit))
		}
	}
	for _, limit := range append(limits(), Default()) {
		if err := Check(limit); err != nil {
			t.Errorf("%d: %v", limit, err)
		}
	}
}
