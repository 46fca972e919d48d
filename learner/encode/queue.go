package encode

import (
	"cmp"
	"container/heap"
	"container/list"
	"maps"
	"slices"
	"sync"
	"time"

	"kilim/graphstore"
)

// heldAfter is the number of failures in a row after which a task, or a lane with all of its tasks, is said to be held
// back: it will be tried again, but nobody should wait for it.
const heldAfter = 3

// Queue is the order in which media are encoded: oldest first in each modality. It is an index of the
// store's rows and can be made from them. It is safe for concurrent use.
type Queue struct {
	mu    sync.Mutex
	by    map[graphstore.NodeID]*entry
	lanes map[string]*waiting
	hosts hosts
}

// waiting is one modality's part of the queue.
type waiting struct {
	tasks   int // all of them, those taken included
	again   int // of these, the ones with Again
	held    int // of those without Again, the ones that failed heldAfter times
	ready   byAge
	delayed byRetry
	// failures counts those of the encoder in a row.
	failures int
	// changed is signalled when there is something to look at.
	changed chan struct{}
}

type entry struct {
	Task
	lane     *waiting
	dead     bool // replaced or dropped: skipped wherever it still is
	taken    bool // by a worker: it is in no heap
	failures int
	retry    time.Time
	// host and parked say where it waits for a host that does not answer: it is in no heap.
	host   *host
	parked *list.Element
	// probed is the host that it is the one task of which is tried.
	probed *host
}

// NewQueue returns an empty queue of the given modalities.
func NewQueue(kinds ...string) *Queue {
	q := &Queue{by: map[graphstore.NodeID]*entry{}, lanes: map[string]*waiting{}, hosts: hosts{by: map[string]*host{}}}
	for _, k := range kinds {
		q.lanes[k] = &waiting{changed: make(chan struct{}, 1)}
	}
	return q
}

// Kinds are the modalities, in order.
func (q *Queue) Kinds() []string { return slices.Sorted(maps.Keys(q.lanes)) }

// Put adds a task, in place of an earlier one of the same node. One of a modality that the queue does not have is
// left out.
func (q *Queue) Put(t Task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(t.Node)
	l := q.lanes[t.Kind]
	if l == nil {
		return
	}
	e := &entry{Task: t, lane: l}
	q.by[t.Node] = e
	l.tasks++
	if t.Again {
		l.again++
	}
	heap.Push(&l.ready, e)
	l.signal()
}

// Drop removes the task of a node, if there is one.
func (q *Queue) Drop(node graphstore.NodeID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(node)
}

// Answered drops a task, unless another one of the same node has taken its place.
func (q *Queue) Answered(t Task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e := q.by[t.Node]; e != nil && e.Revision == t.Revision {
		q.drop(t.Node)
	}
}

func (q *Queue) drop(node graphstore.NodeID) {
	e := q.by[node]
	if e == nil {
		return
	}
	delete(q.by, node)
	e.leave()
	q.hosts.gone(e)
	e.dead = true
	e.lane.tasks--
	if e.Again {
		e.lane.again--
	}
	if e.failures >= heldAfter && !e.Again {
		e.lane.held--
	}
}

func (l *waiting) signal() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// take returns up to n tasks of a modality, oldest first, and when there are none, how long it is until one is to be
// tried again (0: not known). They stay in the queue until they are dropped or put back. One that the encoder has failed at
// is taken alone: it may be what made the encoder fail.
func (q *Queue) take(kind string, n int, now time.Time) (taken []*entry, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[kind]
	next := q.hosts.due(now)
	for len(l.delayed) > 0 && (l.delayed[0].dead || !l.delayed[0].retry.After(now)) {
		if e := heap.Pop(&l.delayed).(*entry); !e.dead {
			heap.Push(&l.ready, e)
		}
	}
	for len(l.ready) > 0 && len(taken) < n {
		e := l.ready[0]
		if e.dead {
			heap.Pop(&l.ready)
			continue
		}
		if e.failures > 0 && len(taken) > 0 {
			break
		}
		taken = append(taken, heap.Pop(&l.ready).(*entry))
		e.taken = true
		if e.failures > 0 {
			break
		}
	}
	if len(taken) > 0 {
		return taken, 0
	}
	if wait = next; len(l.delayed) > 0 && (wait == 0 || l.delayed[0].retry.Before(now.Add(wait))) {
		wait = l.delayed[0].retry.Sub(now)
	}
	return nil, wait
}

// admits tells whether a taken task may be tried now, for what its host is known for. If not, it waits for the host.
func (q *Queue) admits(e *entry, host string, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !e.dead && q.hosts.admits(e, host, now)
}

// hostFailed counts an attempt of a host that began at start; see hosts.failed.
func (q *Queue) hostFailed(host string, start, now time.Time, r Retry) (rest time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.hosts.failed(host, start, now, r)
}

// hostWorks lets everything through that waits for a host.
func (q *Queue) hostWorks(host string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hosts.works(host)
}

// failed puts a taken task back, to be tried again after a while. It tells whether the task is held back from now on.
func (q *Queue) failed(e *entry, now time.Time, r Retry) (held bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if e.dead || !e.taken {
		return false
	}
	if e.failures++; e.failures == heldAfter && !e.Again {
		e.lane.held++
		held = true
	}
	e.retry, e.taken = now.Add(r.after(e.failures)), false
	heap.Push(&e.lane.delayed, e)
	e.lane.signal()
	return held
}

// forget drops a taken task, unless it was replaced meanwhile.
func (q *Queue) forget(e *entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !e.dead {
		q.drop(e.Node)
	}
}

// putBack returns a taken task as if it had not been taken.
func (q *Queue) putBack(e *entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.put(e)
}

func (q *Queue) put(e *entry) {
	if !e.dead && e.taken {
		e.taken = false
		heap.Push(&e.lane.ready, e)
		e.lane.signal()
	}
}

// putAllBack returns everything that was taken: the worker has ended, and there may be another.
func (q *Queue) putAllBack() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.by {
		q.put(e)
	}
}

// encoderFailed counts a failure of a modality's encoder and returns for how long to leave it alone.
func (q *Queue) encoderFailed(kind string, r Retry) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[kind]
	l.failures++
	return r.after(l.failures)
}

// encoderWorks ends a row of failures. When the encoder had been away, what failed meanwhile is tried at once. (Not after a
// single failure: what makes an encoder fail would get in between all others, again and again.)
func (q *Queue) encoderWorks(kind string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[kind]
	if l.failures >= heldAfter {
		for _, e := range l.delayed {
			if !e.dead {
				heap.Push(&l.ready, e)
			}
		}
		l.delayed = nil
		l.signal()
	}
	l.failures = 0
}

// Depth is how much of a modality waits.
type Depth struct {
	// Waiting are the tasks that nobody has answered.
	Waiting int
	// Again are those that are to be answered anew.
	Again int
	// Held are those of Waiting that failed several times in a row, by themselves or because their encoder or their host did.
	Held int
}

// Depth tells how much of a modality waits.
func (q *Queue) Depth(kind string) Depth {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[kind]
	if l == nil {
		return Depth{}
	}
	d := Depth{Waiting: l.tasks - l.again, Again: l.again, Held: l.held + q.hosts.held(l)}
	if l.failures >= heldAfter {
		d.Held = d.Waiting
	}
	return d
}

// Oldest is since when a modality's oldest unanswered task has waited; zero when there is none. It
// looks at all of them.
func (q *Queue) Oldest(kind string) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	var oldest time.Time
	for _, e := range q.by {
		if e.Kind == kind && !e.Again && (oldest.IsZero() || e.Since.Before(oldest)) {
			oldest = e.Since
		}
	}
	return oldest
}

// Retry says when what failed is tried again.
type Retry struct{ First, Most time.Duration }

// after is the time to wait after so many failures in a row.
func (r Retry) after(failures int) time.Duration {
	d := r.First
	for ; failures > 1 && d < r.Most; failures-- {
		d *= 2
	}
	return min(d, r.Most)
}

// byAge has the oldest first, those that were answered before after all others.
type byAge []*entry

func (h byAge) Len() int { return len(h) }
func (h byAge) Less(i, j int) bool {
	a, b := h[i], h[j]
	if a.Again != b.Again {
		return b.Again
	}
	return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Node, b.Node)) < 0
}
func (h byAge) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *byAge) Push(x any)   { *h = append(*h, x.(*entry)) }
func (h *byAge) Pop() any     { return pop((*[]*entry)(h)) }

// byRetry has first what is to be tried first.
type byRetry []*entry

func (h byRetry) Len() int { return len(h) }
func (h byRetry) Less(i, j int) bool {
	return cmp.Or(h[i].retry.Compare(h[j].retry), cmp.Compare(h[i].Node, h[j].Node)) < 0
}
func (h byRetry) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *byRetry) Push(x any)   { *h = append(*h, x.(*entry)) }
func (h *byRetry) Pop() any     { return pop((*[]*entry)(h)) }

func pop(h *[]*entry) *entry {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}
