package turns

import "time"

// A batch of records that arrives meanwhile waits for the unit at work. While batches
// come, units are kept to about unitTime and their commit, so not shorter, and
// while none comes (Turns.Quiet), to about quietUnitTime.
const (
	unitTime            = 5 * time.Millisecond
	quietUnitTime       = 100 * time.Millisecond
	leastUnit, mostUnit = 4, 1024
)

// UnitLength is about how long a background unit may take now.
func (t *Turns) UnitLength() time.Duration {
	if t.Quiet() {
		return quietUnitTime
	}
	return unitTime
}

// Pace is the number of artifacts that a background unit of one kind takes on: as many
// as fit into the time for it, by what those before took. A kind that was cheap must not set the size of
// another, so each has its own.
//
// The commit comes on top. It takes about as long whatever the unit's size: counted with the artifacts, a slow one would make units of the
// fewest, each with a commit of its own, and most of the time would be spent on commits.
type Pace struct {
	each time.Duration // for an artifact; 0: not known
}

// Size is the number of artifacts of a unit that may take so long.
func (p *Pace) Size(unit time.Duration) int {
	if p.each <= 0 {
		return leastUnit
	}
	return min(max(int(unit/p.each), leastUnit), mostUnit)
}

// Took says that a unit of n artifacts took d, of which its commit took a part. A slower one counts at once, a faster one
// by and by.
func (p *Pace) Took(n int, d, commit time.Duration) {
	if n == 0 {
		return
	}
	each := max((d-commit)/time.Duration(n), 1)
	if p.each == 0 || each > p.each {
		p.each = each
		return
	}
	p.each -= (p.each - each) / 4
}
