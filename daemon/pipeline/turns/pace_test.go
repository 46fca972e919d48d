package turns

import (
	"testing"
	"time"
)

// A unit's length follows what its like took: at once when it is too long, slowly when short.
func TestPace(t *testing.T) {
	t.Parallel()
	var p Pace
	if p.Size(unitTime) != leastUnit {
		t.Errorf("the first unit has %d artifacts, want %d: nothing is known of their cost", p.Size(unitTime), leastUnit)
	}
	p.Took(leastUnit, leastUnit*100*time.Microsecond, 0)
	if want := int(unitTime / (100 * time.Microsecond)); p.Size(unitTime) != want {
		t.Errorf("at 0.1 ms each a unit has %d, want %d", p.Size(unitTime), want)
	}
	if got, want := p.Size(quietUnitTime), int(quietUnitTime/(100*time.Microsecond)); got != want {
		t.Errorf("at 0.1 ms each a unit of quiet times has %d, want %d", got, want)
	}
	p.Took(100, time.Second, 0)
	if p.Size(unitTime) != leastUnit {
		t.Errorf("after a slow unit the next has %d, want %d", p.Size(unitTime), leastUnit)
	}
	before := p.Size(unitTime)
	for range 100 {
		p.Took(1000, time.Millisecond, 0)
		if p.Size(unitTime) > 2*before {
			t.Fatalf("one fast unit let the size jump from %d to %d", before, p.Size(unitTime))
		}
		before = max(p.Size(unitTime), leastUnit)
	}
	if p.Size(unitTime) != mostUnit {
		t.Errorf("after many fast units: %d, want %d", p.Size(unitTime), mostUnit)
	}
	p.Took(0, time.Hour, 0)
	if p.Size(unitTime) != mostUnit {
		t.Error("a unit of nothing changed the pace")
	}
}

// TestPaceIsNotTheCommit: where a commit takes a second, units are as large as where it takes nothing.
func TestPaceIsNotTheCommit(t *testing.T) {
	t.Parallel()
	var quick, slow Pace
	for range 100 {
		n := quick.Size(unitTime)
		if other := slow.Size(unitTime); other != n {
			t.Fatalf("with slow commits a unit has %d, want %d", other, n)
		}
		work := time.Duration(n) * 50 * time.Microsecond
		quick.Took(n, work, 0)
		slow.Took(n, work+time.Second, time.Second)
	}
	slow.Took(4, time.Second, 2*time.Second) // by a clock that was read in another order
	if slow.Size(unitTime) < leastUnit {
		t.Errorf("a unit of %d", slow.Size(unitTime))
	}
}
