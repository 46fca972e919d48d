package topk

import (
	"slices"
	"time"

	"kilim/rerank"
	"kilim/rerank/topk/stale"
)

// lingering are the artifacts whose lists have changed since they were published, by the time of the first such change. A change is
// published when that was at most a linger ago: it must not be put off by those that follow it, or a list that everything changes
// would never be told. So none waits for longer, and a list is told twice within a linger at most.
type lingering struct{ stale.Queue }

// add keeps the time of the first change.
func (l *lingering) add(node uint64, at time.Duration) {
	if !l.Has(node) {
		l.Set(node, float64(at))
	}
}

// load takes up what was left by the process before. It has waited since the beginning of this one: for how long it had waited
// before that no clock tells that both have.
func (l *lingering) load(nodes []uint64) {
	slices.Sort(nodes)
	for _, node := range nodes {
		l.add(node, 0)
	}
}

// take returns up to n of those whose change is to be published: when the first has waited for a linger, with it all that
// have for half of one. To take each when its own time has come would make a unit of nearly each. Until then it takes up to early of those
// that have waited for three quarters: a unit that is made anyway has room for some, and all at once, some two hundred at 50
// newcomers a second, held up the newcomers that came just then by the 60 ms that Kafka took for them.
func (l *lingering) take(n, early int, at, linger time.Duration) []uint64 {
	since, ok := l.oldest()
	if !ok {
		return nil
	}
	if at-since < linger {
		return l.Take(min(n, early), float64(at), float64(linger*3/4))
	}
	tolerance := float64(linger / 2)
	if linger == 0 {
		tolerance = -1 // what has begun to wait just now is taken too
	}
	return l.Take(n, float64(at), tolerance)
}

func (l *lingering) oldest() (since time.Duration, ok bool) {
	s, ok := l.Oldest()
	return time.Duration(s.At), ok
}

// linger lets a change of published lists wait to be published.
func (p *Pass) linger(l *listing) {
	pending := &rerank.Pending{Before: l.old.Lists}
	if l.old.Pending != nil {
		pending = l.old.Pending.Clone()
	}
	p.gather(pending, l)
	l.new.Pending = pending
	p.l.lingering.add(l.node, p.unit.At)
}

// gather keeps of the unit's records those of artifacts that are in the lists, or were until now: only these may be named when
// the change is told.
func (p *Pass) gather(pending *rerank.Pending, l *listing) {
	if len(p.causes) == 0 {
		return
	}
	for _, lists := range []rerank.Lists{l.old.Lists, l.new.Lists} {
		for i := range lists {
			for j := range lists[i].Entries {
				if cause, ok := p.causes[lists[i].Entries[j].ID]; ok {
					pending.Gather(cause)
				}
			}
		}
	}
}
