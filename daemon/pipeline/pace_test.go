package pipeline

import (
	"testing"
	"time"
)

// A unit's length follows what its like took: at once when it is too long, slowly when short.
func TestPace(t *testing.T) {
	t.Parallel()
	var p pace
	if p.size(unitTime) != leastUnit {
		t.Errorf("the first unit has %d artifacts, want %d: nothing is known of their cost", p.size(unitTime), leastUnit)
	}
	p.took(leastUnit, leastUnit*100*time.Microsecond)
	if want := int(unitTime / (100 * time.Microsecond)); p.size(unitTime) != want {
		t.Errorf("at 0.1 ms each a unit has %d, want %d", p.size(unitTime), want)
	}
	if got, want := p.size(quietUnitTime), int(quietUnitTime/(100*time.Microsecond)); got != want {
		t.Errorf("at 0.1 ms each a unit of quiet times has %d, want %d", got, want)
	}
	p.took(100, time.Second)
	if p.size(unitTime) != leastUnit {
		t.Errorf("after a slow unit the next has %d, want %d", p.size(unitTime), leastUnit)
	}
	before := p.size(unitTime)
	for range 100 {
		p.took(1000, time.Millisecond)
		if p.size(unitTime) > 2*before {
			t.Fatalf("one fast unit let the size jump from %d to %d", before, p.size(unitTime))
		}
		before = max(p.size(unitTime), leastUnit)
	}
	if p.size(unitTime) != mostUnit {
		t.Errorf("after many fast units: %d, want %d", p.size(unitTime), mostUnit)
	}
	p.took(0, time.Hour)
	if p.size(unitTime) != mostUnit {
		t.Error("a unit of nothing changed the pace")
	}
}
