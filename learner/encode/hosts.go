package encode

import (
	"cmp"
	"container/heap"
	"container/list"
	"net/url"
	"strings"
	"time"
)

const (
	// longestTry is after how long another task of a host is tried, whatever became of the one before.
	longestTry = 5 * time.Minute
	// remembered is how long after its last failure a host is forgotten of which nothing waits.
	remembered = 2 * longestTry
)

// hosts are those that did not answer, each with the tasks that wait until it does. While a host rests one of its tasks at a time is
// tried: 10,000 pictures of a host that is down cost as many attempts as a few of them. Were each tried by its own Retry alone, every
// one would wait for the host's timeout again and again, and take a place from pictures of hosts that answer.
//
// Its methods want the lock of the Queue.
type hosts struct {
	by map[string]*host
	// next has first the host that is to be looked at first.
	next byWake
}

// host is one that did not answer.
type host struct {
	name     string
	failures int // in a row
	failedAt time.Time
	// rest is until when nobody is let through but probe, and pause how long the host rests after its last failure.
	rest  time.Time
	pause time.Duration
	probe *entry
	// parked are the tasks that wait for the host. Those that failed themselves come to the end, after their own Retry: one address
	// that never answers must not be the only one that is tried.
	parked *list.List
	wake   time.Time // when hosts.due looks at it
	at     int       // in hosts.next
}

// hostOf names the host of a URI, "" for what is on none. What is at two ports of a name, or at two schemes, may be away by itself.
func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// admits tells whether a task of a host may be tried now. If not, it is parked.
func (h *hosts) admits(e *entry, name string, now time.Time) bool {
	away := h.by[name]
	switch {
	case away == nil || away.probe == e:
		return true
	case away.probe == nil && !now.Before(away.rest):
		h.try(away, e, now)
		return true
	}
	e.host, e.parked, e.taken = away, away.parked.PushBack(e), false
	e.lane.signal() // it may have to wait for another time now
	return false
}

// try lets a task through.
func (h *hosts) try(away *host, e *entry, now time.Time) {
	away.probes(e)
	h.restUntil(away, now.Add(longestTry))
}

// probes makes a task the one that is tried, or none.
func (away *host) probes(e *entry) {
	if away.probe != nil {
		away.probe.probed = nil
	}
	if away.probe = e; e != nil {
		e.probed = away
	}
}

// gone is told of each task that is dropped. When the one that is tried has gone with its record, which may be before anybody has asked the host, the
// others do not wait for it: another one is tried after as long as after a failure, lest records that come again and again have a
// host that is down asked each time.
func (h *hosts) gone(e *entry) {
	away := e.probed
	if away == nil {
		return
	}
	away.probes(nil)
	h.restUntil(away, away.rest.Add(min(0, away.pause-longestTry)))
	if at := away.parked.Front(); at != nil {
		at.Value.(*entry).lane.signal() // which waits for longestTry
	}
}

func (h *hosts) restUntil(away *host, t time.Time) {
	away.rest, away.wake = t, t
	heap.Fix(&h.next, away.at)
}

// failed counts an attempt that began at start, and returns for how long the host rests from now on; 0 if it rests already: attempts
// that were under way when another one failed are of the same outage.
func (h *hosts) failed(name string, start, now time.Time, r Retry) (rest time.Duration) {
	away := h.by[name]
	if away == nil {
		away = &host{name: name, parked: list.New()}
		h.by[name] = away
		heap.Push(&h.next, away)
	} else if start.Before(away.failedAt) {
		return 0
	}
	away.failures++
	away.probes(nil)
	away.failedAt, away.pause = now, r.after(away.failures)
	h.restUntil(away, now.Add(away.pause))
	return away.pause
}

// works lets all tasks of a host through.
func (h *hosts) works(name string) {
	if away := h.by[name]; away != nil {
		for away.parked.Len() > 0 {
			away.parked.Front().Value.(*entry).unpark()
		}
		h.forget(away)
	}
}

func (h *hosts) forget(away *host) {
	away.probes(nil)
	delete(h.by, away.name)
	heap.Remove(&h.next, away.at)
}

// leave takes a task out of what is parked, if it is there.
func (e *entry) leave() {
	if e.parked != nil {
		e.host.parked.Remove(e.parked)
		e.host, e.parked = nil, nil
	}
}

// unpark makes a task ready.
func (e *entry) unpark() {
	e.leave()
	heap.Push(&e.lane.ready, e)
	e.lane.signal()
}

// due lets one task of each host through whose rest is over, and returns how long it is until there is something to do again; 0 when
// nothing is known.
func (h *hosts) due(now time.Time) (wait time.Duration) {
	for len(h.next) > 0 && !h.next[0].wake.After(now) {
		away := h.next[0]
		if at := away.parked.Front(); at != nil {
			e := at.Value.(*entry)
			e.unpark()
			h.try(away, e, now)
		} else if away.wake = away.failedAt.Add(remembered); away.wake.After(now) {
			away.probes(nil)
			heap.Fix(&h.next, away.at)
		} else {
			h.forget(away)
		}
	}
	if len(h.next) == 0 {
		return 0
	}
	return h.next[0].wake.Sub(now)
}

// held counts the tasks of a modality that wait for hosts which failed heldAfter times, and that are not held themselves.
func (h *hosts) held(l *waiting) (n int) {
	for _, away := range h.next {
		if away.failures < heldAfter {
			continue
		}
		for at := away.parked.Front(); at != nil; at = at.Next() {
			if e := at.Value.(*entry); e.lane == l && !e.Again && e.failures < heldAfter {
				n++
			}
		}
	}
	return n
}

// byWake is a heap of hosts.
type byWake []*host

func (h byWake) Len() int { return len(h) }
func (h byWake) Less(i, j int) bool {
	return cmp.Or(h[i].wake.Compare(h[j].wake), cmp.Compare(h[i].name, h[j].name)) < 0
}
func (h byWake) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}
func (h *byWake) Push(x any) {
	away := x.(*host)
	away.at = len(*h)
	*h = append(*h, away)
}
func (h *byWake) Pop() any {
	last := len(*h) - 1
	away := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return away
}
