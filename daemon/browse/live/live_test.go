package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kilim/daemon/browse"
	"kilim/rerank"
	"kilim/rerank/publish"
)

// titles are cards that say the id; blocks holds whoever asks for them up.
type titles struct {
	lock   sync.Mutex
	asked  int
	blocks chan struct{}
	// entered hears of the first who is held up.
	entered chan struct{}
	fails   error
}

func (c *titles) Cards(ids []string) (map[string]browse.Card, error) {
	if c.blocks != nil {
		select {
		case c.entered <- struct{}{}:
		default:
		}
		<-c.blocks
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	c.asked++
	out := map[string]browse.Card{}
	for _, id := range ids {
		out[id] = browse.Card{ID: id, Title: "title of " + id}
	}
	return out, c.fails
}

func newHub(t *testing.T, c *titles) *Hub {
	t.Helper()
	h, err := New(c, rerank.DefaultScoreWeights(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// list is a list of ids by falling score, whose words count most.
func list(name string, ids ...string) rerank.List {
	l := rerank.List{Name: name}
	for n, id := range ids {
		l.Entries = append(l.Entries, rerank.Entry{ID: id, Score: 1 - float32(n)/100, Parts: rerank.Parts{Cosine: 0.1, Words: 0.9}})
	}
	return l
}

// told is the message of an update from one state of the lists to the next.
func told(id string, before, after rerank.Lists, cause ...string) publish.Published {
	return publish.Published{Kind: rerank.KindUpdate, ID: id, Update: &rerank.Update{ID: id, Lists: after, Changes: rerank.DiffAll(before, after), Cause: cause}}
}

func arrival(id string) publish.Published {
	return told(id, nil, rerank.Lists{list(rerank.ListTotal, "x")}, id)
}

func next(t *testing.T, v *Viewer) (Event, *Told) {
	t.Helper()
	got, err := v.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var e Event
	if err := json.Unmarshal(got.JSON, &e); err != nil {
		t.Fatal(err)
	}
	return e, got
}

func open(t *testing.T, h *Hub, after string) *Viewer {
	t.Helper()
	v, err := h.Open(after, Interest{Others: All})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestChange: an update says from which rank to which, and which part did it; without the list before only where it is now.
func TestChange(t *testing.T) {
	t.Parallel()
	h := newHub(t, &titles{})
	first := rerank.Lists{list(rerank.ListTotal, "a", "b", "c"), list(rerank.ListGeneral, "a")}
	then := rerank.Lists{list(rerank.ListTotal, "new", "c", "a"), list(rerank.ListGeneral, "a")}
	v := open(t, h, "")
	h.Published([]publish.Published{told("x", nil, first, "x"), told("x", first, then, "new", "n2", "n3", "n4"), told("y", first, then, "new")})
	next(t, v)
	e, _ := next(t, v)
	want := `{"id":"x","recorded":"0001-01-01T00:00:00Z","revision":0,"cause":["new","n2","n3"],"causes":4,"lists":[{"name":"total",` +
		`"entered":[{"id":"new","rank":1,"score":1,"part":"words"}],"moved":[{"id":"c","rank":2,"was":3,"score":0.99,"part":"words"},{"id":"a","rank":3,"was":1,"score":0.98,"part":"words"}],` +
		`"left":[{"id":"b","was":2}]}],"cards":null}`
	cards := e.Cards
	e.Cards = nil
	if got, err := json.Marshal(e); err != nil || string(got) != want {
		t.Errorf("%s, want\n%s (%v)", got, want, err)
	}
	for _, id := range []string{"x", "new", "n3", "a", "b", "c"} {
		if cards[id].Title != "title of "+id {
			t.Errorf("card of %s: %+v", id, cards[id])
		}
	}
	if e, _ := next(t, v); e.Lists[0].Moved[0].Was != 0 || e.Lists[0].Entered[0].Rank != 1 {
		t.Errorf("%+v", e)
	}
	h.Published([]publish.Published{{Kind: rerank.KindMessage, Topic: "dlq"}, {Kind: rerank.KindTombstone, ID: "x"}})
	if e, _ := next(t, v); !e.Deleted || e.ID != "x" {
		t.Errorf("%+v", e)
	}
}

// TestResume: a viewer goes on after any event that it had; one of another process, or without any, gets the last few.
func TestResume(t *testing.T) {
	t.Parallel()
	h := newHub(t, &titles{})
	for n := range 100 {
		h.Published([]publish.Published{arrival(fmt.Sprint(n))})
	}
	for after, want := range map[string]string{
		"": "70", "otherboot-3": "70", h.boot + "-10": "10", h.boot + "-99": "99", h.boot + "-101": "70", h.boot + "-x": "70", "-": "70",
	} {
		v := open(t, h, after)
		if e, _ := next(t, v); e.ID != want {
			t.Errorf("after %q comes %s, want %s", after, e.ID, want)
		}
		v.Close()
	}
	v := open(t, h, h.boot+"-100")
	h.Published([]publish.Published{arrival("next")})
	if e, told := next(t, v); e.ID != "next" || told.ID != h.boot+"-101" || told.Missed != 0 {
		t.Errorf("%+v %+v", e, told)
	}
}

// TestNobodyWaits: what is published goes on while every viewer hangs, and memory is bounded; a slow one is told what it has missed.
func TestNobodyWaits(t *testing.T) {
	t.Parallel()
	c := &titles{blocks: make(chan struct{}), entered: make(chan struct{}, 1)}
	h := newHub(t, c)
	var viewers []*Viewer
	var wait sync.WaitGroup
	for range mostViewers {
		v := open(t, h, "")
		viewers = append(viewers, v)
		wait.Go(func() {
			if e, _ := next(t, v); e.ID != "first" {
				t.Errorf("the first is %s", e.ID)
			}
		})
	}
	if _, err := h.Open("", Interest{Others: All}); !errors.Is(err, ErrFull) {
		t.Errorf("one viewer too many: %v", err)
	}
	h.Published([]publish.Published{arrival("first")})
	<-c.entered // a viewer hangs in a title, and all others behind it:
	for _, v := range viewers {
		for taken := false; !taken; runtime.Gosched() {
			h.lock.Lock()
			taken = v.next == 2
			h.lock.Unlock()
		}
	}
	const more = 3 * mostEvents
	for n := range more {
		h.Published([]publish.Published{arrival(fmt.Sprint(n))})
	}
	if len(h.ring) != mostEvents {
		t.Errorf("%d events are kept", len(h.ring))
	}
	close(c.blocks)
	wait.Wait()
	if c.asked != 1 {
		t.Errorf("the titles of one event were looked up %d times", c.asked)
	}
	e, told := next(t, viewers[0])
	if told.Missed != more-mostEvents || e.ID != fmt.Sprint(more-mostEvents) {
		t.Errorf("then comes %s, %d missed", e.ID, told.Missed)
	}
	viewers[1].Close()
	open(t, h, "")
}

// TestAtOnce: a viewer misses nothing of what two full requests tell, one upon the other.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t, &titles{})
	v := open(t, h, "")
	const request = 1000 // publish.batch
	for r := range 2 {
		messages := make([]publish.Published, request)
		for n := range messages {
			messages[n] = arrival(fmt.Sprint(r*request + n))
		}
		h.Published(messages)
	}
	for n := range 2 * request {
		if e, told := next(t, v); e.ID != fmt.Sprint(n) || told.Missed > 0 {
			t.Fatalf("after %d events comes %s, %d missed", n, e.ID, told.Missed)
		}
	}
}

// TestBytes: events of huge ids push out more of the others, and the last one stays unless it is larger than all may be.
func TestBytes(t *testing.T) {
	t.Parallel()
	h := newHub(t, &titles{})
	for range 2 * mostEvents {
		h.Published([]publish.Published{arrival(strings.Repeat("i", 64<<10))})
	}
	if h.bytes > mostBytes || len(h.ring) < 32 {
		t.Errorf("%d bytes in %d events", h.bytes, len(h.ring))
	}
	v := open(t, h, "")
	for range len(h.ring) - (len(h.ring) - min(firstEvents, len(h.ring))) {
		next(t, v)
	}
	h.Published([]publish.Published{arrival(strings.Repeat("i", mostBytes+1)), arrival("small")})
	if e, told := next(t, v); e.ID != "small" || told.Missed != 1 {
		t.Errorf("%.20s, %d missed", e.ID, told.Missed)
	}
}

// TestUnreadable: an event whose titles can't be had is passed over, and a viewer ends with its context.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	c := &titles{fails: errors.New("closed")}
	h := newHub(t, c)
	v := open(t, h, "")
	h.Published([]publish.Published{arrival("a")})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	c.fails = nil
	h.Published([]publish.Published{arrival("b")})
	if e, _ := next(t, v); e.ID != "b" {
		t.Errorf("%s", e.ID)
	}
}

// other is an update that another artifact's record brought.
func other(id string) publish.Published {
	return told(id, nil, rerank.Lists{list(rerank.ListTotal, "x")}, "cause")
}

func own(id string) publish.Published {
	m := arrival(id)
	m.Own = true
	return m
}

// TestInterest: a viewer with room for few others is given each arrival and end, in their order, so many others a second, and the number of those that were
// passed over; whatever comes is told or counted. Another is given one artifact's events.
func TestInterest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &titles{}
		h := newHub(t, c)
		few, err := h.Open("", Interest{Others: 3})
		if err != nil {
			t.Fatal(err)
		}
		one, err := h.Open("", Interest{Of: "other 7", Others: All})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // past the room that there is for the events before
		came, others, counted := 0, 0, uint64(0)
		for n := range 5 {
			for i := range 20 {
				h.Published([]publish.Published{other(fmt.Sprintf("other %d", i)), own(fmt.Sprintf("own %d %d", n, i))})
				came++
			}
			h.Published([]publish.Published{{Kind: rerank.KindTombstone, ID: "gone"}})
			want := []string{}
			for i := range 20 {
				want = append(want, fmt.Sprintf("own %d %d", n, i))
			}
			want = append(want, "gone")
			for len(want) > 0 {
				e, told := next(t, few)
				counted += told.Passed
				if e.ID == want[0] {
					want = want[1:]
				} else if strings.HasPrefix(e.ID, "other ") {
					others++
				} else {
					t.Fatalf("%s comes, want %s", e.ID, want[0])
				}
			}
			if few.Ready() != nil {
				t.Error("more is told within the second")
			}
			if others != 3*(n+1) {
				t.Errorf("after %d seconds %d others were told", n+1, others)
			}
			last, err := few.Next(t.Context()) // at the end of the second
			if err != nil || last.JSON != nil || last.ID != "" || last.Passed == 0 {
				t.Fatalf("%+v, %v", last, err)
			}
			counted += last.Passed
			if e, _ := next(t, one); e.ID != "other 7" {
				t.Errorf("%s is told of other 7", e.ID)
			}
		}
		if others+int(counted) != came {
			t.Errorf("of %d others %d were told and %d counted", came, others, counted)
		}
		if one.Ready() != nil || one.passed > 0 {
			t.Error("of other 7 more is told than came")
		}
		// What nobody is given is not made either.
		if most := others + 5*21 + 5; c.asked > most {
			t.Errorf("the titles of %d events were looked up, for %d that were told", c.asked, most)
		}
	})
}

// TestBegins: a viewer with room for no others is given the last events when it begins, all the same.
func TestBegins(t *testing.T) {
	t.Parallel()
	h := newHub(t, &titles{})
	for n := range 2 * firstEvents {
		h.Published([]publish.Published{other(fmt.Sprint(n))})
	}
	v, err := h.Open("", Interest{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range firstEvents {
		if told := v.Ready(); told == nil || !strings.Contains(string(told.JSON), fmt.Sprintf(`{"id":"%d"`, n+firstEvents)) {
			t.Fatalf("event %d: %+v", n, told)
		}
	}
	if told := v.Ready(); told != nil {
		t.Errorf("then comes %s", told.JSON)
	}
}
