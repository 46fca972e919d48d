package live

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"kilim/daemon/browse"
	"kilim/rerank"
	"kilim/rerank/publish"
)

const (
	// mostEvents and mostBytes bound the ring; the bytes are those of the ids in it. Events come as the broker acknowledges them, by default up to 1000 at
	// once: a ring of fewer loses some before any viewer could have taken them, the arrivals among them.
	mostEvents = 2048
	mostBytes  = 8 << 20
	// mostViewers look on at the same time.
	mostViewers = 64
	// firstEvents are given to a viewer that begins.
	firstEvents = 30
	// remembered bounds the artifacts whose last lists are known, by which it is told from where an entry has moved.
	remembered = 16 << 10
)

// ErrFull says that there are as many viewers as may be.
var ErrFull = errors.New("as many as allowed look on already")

// Cards finds the titles of artifacts.
type Cards interface {
	Cards(ids []string) (map[string]browse.Card, error)
}

// Hub keeps the last changes. It is safe for concurrent use.
type Hub struct {
	cards Cards
	score rerank.ScoreWeights
	log   *slog.Logger
	// boot tells the ids of this process's events from those of another's.
	boot string

	lock sync.Mutex
	// ring are the last events, those of the numbers up to last.
	ring    []*event
	last    uint64
	bytes   int
	places  *simplelru.LRU[string, places]
	wake    chan struct{} // closed when an event comes
	viewers int
}

// New returns a Hub without events. The parts of a total score are weighed by score.
func New(cards Cards, score rerank.ScoreWeights, log *slog.Logger) (*Hub, error) {
	p, err := simplelru.NewLRU[string, places](remembered, nil)
	if err != nil {
		return nil, fmt.Errorf("live: %w", err)
	}
	return &Hub{cards: cards, score: score, log: log, boot: rand.Text()[:8], places: p, wake: make(chan struct{})}, nil
}

// Published takes up messages that have left the outbox. It looks nothing up and waits for nobody.
func (h *Hub) Published(messages []publish.Published) {
	h.lock.Lock()
	defer h.lock.Unlock()
	for i := range messages {
		m := &messages[i]
		e := &event{}
		switch m.Kind {
		case rerank.KindUpdate:
			was, _ := h.places.Get(m.ID)
			e.Event = changeOf(m, was, h.score)
			h.places.Add(m.ID, placesOf(m.Update.Lists))
		case rerank.KindTombstone:
			e.Event = Event{ID: m.ID, Deleted: true, Recorded: m.Recorded, Revision: m.Revision}
			h.places.Remove(m.ID)
		default:
			continue
		}
		h.last++
		e.number = h.last
		h.ring = append(h.ring, e)
		h.bytes += e.size()
	}
	for len(h.ring) > mostEvents || h.bytes > mostBytes {
		h.bytes -= h.ring[0].size()
		h.ring[0] = nil
		h.ring = h.ring[1:]
	}
	close(h.wake)
	h.wake = make(chan struct{})
}

// Interest is which events a viewer is given.
type Interest struct {
	// Of is the artifact whose events they are, "": any.
	Of string
	// Others is how many events a second are given, at most, of artifacts that no record of their own has changed: one record changes the lists of many.
	// Those beyond it are counted. All: any number.
	Others int
}

// All is no bound of Interest.Others.
const All = -1

// Viewer is given the events in their order. It is used by one goroutine, and closed by it.
type Viewer struct {
	h        *Hub
	interest Interest
	next     uint64
	// begun is when the second began of which others were given, and passed how many events were passed over that were not told yet.
	begun  time.Time
	others int
	passed uint64
}

// Told is an event as a viewer gets it.
type Told struct {
	// ID is what to begin after next time; "" where there are no events but those that were passed over.
	ID string
	// JSON is an Event.
	JSON []byte
	// Missed is the number of events between the one before and this one that the viewer was too slow for.
	Missed uint64
	// Passed is the number of events before this one that were passed over since that was told last, which is done once a second: they were more than
	// the Interest has room for.
	Passed uint64
}

// Open begins a viewer after the event of an id, or with the last few when the id is empty or another process's.
func (h *Hub) Open(after string, in Interest) (*Viewer, error) {
	h.lock.Lock()
	defer h.lock.Unlock()
	if h.viewers >= mostViewers {
		return nil, fmt.Errorf("live: %w: %d", ErrFull, mostViewers)
	}
	h.viewers++
	// The first second has room for the events that are there when it begins.
	v := &Viewer{h: h, interest: in, next: h.last + 1 - min(firstEvents, uint64(len(h.ring))), begun: time.Now(), others: -firstEvents}
	if boot, number, ok := strings.Cut(after, "-"); ok && boot == h.boot {
		if n, err := strconv.ParseUint(number, 10, 64); err == nil && n <= h.last {
			v.next = n + 1
		}
	}
	return v, nil
}

// Close ends the viewer.
func (v *Viewer) Close() {
	v.h.lock.Lock()
	defer v.h.lock.Unlock()
	v.h.viewers--
}

// Next waits for the next event, until ctx ends.
func (v *Viewer) Next(ctx context.Context) (*Told, error) {
	for {
		told, wake := v.ready()
		if told != nil {
			return told, nil
		}
		var over <-chan time.Time
		if v.passed > 0 {
			over = time.After(time.Until(v.begun.Add(time.Second)))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-wake:
		case <-over:
		}
	}
}

// Ready is Next where nothing has to be waited for, and else nil.
func (v *Viewer) Ready() *Told {
	told, _ := v.ready()
	return told
}

// ready is what the viewer is given next; nil when there is nothing yet, with what is closed then.
func (v *Viewer) ready() (*Told, <-chan struct{}) {
	now := time.Now()
	told := Told{}
	if now.Sub(v.begun) >= time.Second {
		told.Passed, v.passed = v.passed, 0
		v.begun, v.others = now, 0
	}
	for {
		e, missed, wake := v.take()
		told.Missed += missed
		switch {
		case e == nil && told.Missed+told.Passed == 0:
			return nil, wake
		case e == nil:
			return &told, nil
		}
		text, err := e.rendered(v.h.cards)
		if err != nil {
			// The store is closed, or can't be read: then others say so, and the next event may be read again.
			v.h.log.Warn("a change is not shown", "artifact", e.ID, "error", err)
			continue
		}
		told.ID, told.JSON = v.h.boot+"-"+strconv.FormatUint(e.number, 10), text
		return &told, nil
	}
}

// take is the viewer's next event, and how many before it are gone; nil when there is none yet, with what is closed then.
func (v *Viewer) take() (e *event, missed uint64, wake <-chan struct{}) {
	v.h.lock.Lock()
	defer v.h.lock.Unlock()
	for v.next <= v.h.last {
		oldest := v.h.last + 1 - uint64(len(v.h.ring))
		if v.next < oldest {
			missed, v.next = missed+oldest-v.next, oldest
		}
		if len(v.h.ring) == 0 { // one event was larger than all may be
			break
		}
		e := v.h.ring[v.next-oldest]
		v.next++
		if v.wants(e) {
			return e, missed, nil
		}
	}
	return nil, missed, v.h.wake
}

// wants tells whether the viewer is given an event.
func (v *Viewer) wants(e *event) bool {
	switch {
	case v.interest.Of != "" && e.ID != v.interest.Of:
		return false
	case v.interest.Others == All || e.Own || e.Deleted:
		return true
	case v.others >= v.interest.Others:
		v.passed++
		return false
	}
	v.others++
	return true
}
