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
	p.Took(leastUnit, leastUnit*100*time.Microsecond)
	if want := int(unitTime / (100 * time.Microsecond)); p.Size(unitTime) != want {
		t.Errorf("at 0.1 ms each a unit has %d, want %d", p.Size(unitTime), want)
	}
	if got, want := p.Size(quietUnitTime), int(quietUnitTime/(100*time.Microsecond)); got != want {
		t.Errorf("at 0.1 ms each a unit of quiet times has %d, want %d", got, want)
	}
	p.Took(100, time.Second)
	if p.Size(unitTime) != leastUnit {
		t.Errorf("after a slow unit the next has %d, want %d", p.Size(unitTime), leastUnit)
	}
	before := p.Size(unitTime)
	for range 100 {
		p.Took(1000, time.Millisecond)
		if p.Size(unitTime) > 2*before {
			t.Fatalf("one fast unit let the size jump from %d to %d", before, p.Size(unitTime))
		}
		before = max(p.Size(unitTime), leastUnit)
	}
	if p.Size(unitTime) != mostUnit {
		t.Errorf("after many fast units: %d, want %d", p.Size(unitTime), mostUnit)
	}
	p.Took(0, time.Hour)
	if p.Size(unitTime) != mostUnit {
		t.Error("a unit of nothing changed the pace")
	}
}
