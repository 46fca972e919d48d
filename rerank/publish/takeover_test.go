package publish

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"kilim/consumer"
	"kilim/consumer/profile"
	"kilim/rerank"
)

// refused is the dead letter of a record.
func refused(topic string, offset int64) []byte {
	item := consumer.Item{Record: consumer.Record{Topic: "in", Offset: offset, Key: []byte("bad")}, Refusal: profile.Refuse(profile.ReasonNotJSON, "record", "{", "no object")}
	key, value, headers := consumer.DeadLetter(&item)
	own := make([]rerank.Header, len(headers))
	for i, h := range headers {
		own[i] = rerank.Header(h)
	}
	return rerank.EncodeMessage(topic, key, value, own)
}

// listed is an update whose list total has the given ids, and which tells that all of them are new.
func listed(id string, revision uint64, ids ...string) []byte {
	var entries []rerank.Entry
	for i, other := range ids {
		entries = append(entries, rerank.Entry{ID: other, Score: 1 - float32(i)/8})
	}
	lists := both(entries, nil)
	return rerank.EncodeUpdate(&rerank.Update{ID: id, Revision: revision, Lists: lists, Changes: rerank.DiffAll(nil, lists)})
}

// TestTakeOver has a second process go on in the place of the first: its outbox is emptied of what the first has told, or will, and of what it then has to
// say of each artifact only what differs is published, with the changes against what the first has told.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2, kfake.SeedTopics(1, "owner"))
	reached := []Reached{{Topic: "in", Next: 7}}
	config := func(m *memory) Config {
		cfg := c.config(t, m, &faults{})
		cfg.TransactionalID, cfg.Topics.Owner = c.similar, "owner"
		cfg.Reached = func() ([]Reached, error) { return reached, nil }
		return cfg
	}
	first, second := newMemory(), newMemory()
	second.writer = successor
	first.put(listed("same", 1, "x", "y"), listed("other", 2, "x", "y"), listed("gone", 3, "x"), rerank.EncodeTombstone("gone", 4, time.UnixMilli(9)), listed("lost", 5, "x"), refused(c.dead, 3))
	p, err := New(config(first))
	if err != nil {
		t.Fatal(err)
	}
	ended := work(t, p)
	<-first.empty

	q, err := New(config(second))
	if err != nil {
		t.Fatal(err)
	}
	h := q.Holdings()
	ctx := t.Context()
	var beat Beat
	for beat.Writer != uuid {
		if beat, _, err = h.Look(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(beat.Reached) != fmt.Sprint(reached) || beat.Left {
		t.Errorf("the owner says %+v", beat)
	}
	if err := h.Read(ctx); err != nil {
		t.Fatal(err)
	}
	second.put(listed("same", 1, "x", "y"), refused(c.dead, 3), listed("a", 2, "x"), refused(c.dead, 8), listed("b", 3, "x"))
	if err := h.Discard(nil); err != nil {
		t.Fatal(err)
	}
	if n := second.waiting(); n != 2 {
		t.Errorf("%d messages are left, want the dead letter that is not there and the list behind it", n)
	}

	if err := q.Take(ctx, h); err != nil {
		t.Fatal(err)
	}
	first.put(listed("late", 6, "x"))
	p.Wake()
	if err := <-ended; !errors.Is(err, ErrFenced) {
		t.Errorf("the first ends with %v, want %v", err, ErrFenced)
	}
	if err := h.Read(ctx); err != nil {
		t.Fatal(err)
	}
	if err := q.Clear(ctx, h); err != nil {
		t.Fatal(err)
	}
	if n := second.waiting(); n != 0 {
		t.Errorf("%d messages are left after all was cleared", n)
	}
	if err := h.Read(ctx); err != nil {
		t.Fatal(err)
	}
	f := h.Found()
	if f.Revision != 5 || !f.Taken || f.Unknown == 0 || len(f.Latest) != 4 || !f.Latest["gone"].Gone || f.Latest["lost"].Gone {
		t.Errorf("found %+v", f)
	}

	<-second.empty // which it was
	// As standby.Manager.Republish does.
	second.writer = NewWriter(successor)
	if err := second.Ack(0, f.Positions); err != nil {
		t.Fatal(err)
	}
	second.put(refused(c.dead, 8), rerank.EncodeTombstone("gone", 9, time.UnixMilli(9)), rerank.EncodeTombstone("lost", 9, time.UnixMilli(9)),
		listed("same", 10, "x", "y"), listed("other", 10, "y", "z"), listed("new", 10, "x"), listed("other", 11, "z"))
	q.Hold(h, func() bool { return false })
	stop := run(t, q)
	<-second.empty
	stop()

	var told []string
	for _, r := range c.read(t, c.similar) {
		if strings.HasPrefix(header(r, HeaderWriter), successor) {
			value := string(r.Value)
			if _, changes, ok := strings.Cut(value, `"changes":`); ok {
				value = changes
			}
			told = append(told, string(r.Key)+" "+value)
		}
	}
	none := `"general":{"entered":[],"left":[],"moved":[]},`
	want := []string{
		"lost ",
		`new {` + none + `"total":{"entered":["x"],"left":[],"moved":[]}},"cause":[]}`,
		`other {` + none + `"total":{"entered":["z"],"left":["x"],"moved":[]}},"cause":[]}`,
		`other {` + none + `"total":{"entered":["z"],"left":[],"moved":[]}},"cause":[]}`, // as the store says it
	}
	slices.Sort(told)
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("the second has told\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
	offsets := map[string]int{}
	for _, r := range c.read(t, c.dead) {
		offsets[header(r, "__connect.errors.offset")]++
	}
	if fmt.Sprint(offsets) != fmt.Sprint(map[string]int{"3": 1, "8": 1}) {
		t.Errorf("dead letters by record: %v, want one of 3 and one of 8", offsets)
	}
	if beat, _, err := h.Look(ctx); err != nil || !beat.Left {
		t.Errorf("the second says at its end %+v (%v), want that it has left", beat, err)
	}
}

// TestDiscardForgets: dead letters of records that the state has applied are not kept in memory.
func TestDiscardForgets(t *testing.T) {
	t.Parallel()
	m := newMemory()
	h := (&Publisher{cfg: Config{Store: m}}).Holdings()
	for offset := range int64(10) {
		h.dead[source{"in", 0, offset}] = struct{}{}
	}
	m.put(refused("dlq", 2))
	if err := h.Discard([]Reached{{Topic: "in", Next: 4}, {Topic: "in", Partition: 1, Next: 9}}); err != nil {
		t.Fatal(err)
	}
	if len(h.dead) != 6 || m.waiting() != 0 {
		t.Errorf("%d dead letters are remembered and %d wait, want 6 and 0", len(h.dead), m.waiting())
	}
}
