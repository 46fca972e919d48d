package graphstore

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// between is all that stands between a store and Kafka.
type between struct {
	messages  []OutboxEntry
	positions []Position
	offsets   map[string]Offset
	dims      map[string]int
	depth     int
	themes    map[NodeID]string // lists of themes
	pasts     map[string]string // their histories
}

func readBetween(t *testing.T, s *Store) between {
	t.Helper()
	b := between{offsets: map[string]Offset{}, themes: map[NodeID]string{}, pasts: map[string]string{}}
	b.depth, _ = s.OutboxDepth()
	var err error
	if b.positions, err = s.Positions(); err != nil {
		t.Fatal(err)
	}
	if err := s.View(func(r *Reader) error {
		b.dims = r.EncoderDims()
		for _, topic := range []string{"a", "b"} {
			for p := range 3 {
				next, ok, err := r.Offset(topic, p)
				if err != nil {
					return err
				}
				if ok {
					b.offsets[fmt.Sprint(topic, p)] = next
				}
			}
		}
		if err := r.EachThemeLists(func(id NodeID, lists []byte) error {
			b.themes[id] = string(lists)
			again, err := r.ThemeLists(id)
			if string(again) != string(lists) {
				t.Errorf("lists of themes of %d are %q and %q", id, again, lists)
			}
			return err
		}); err != nil {
			return err
		}
		if err := r.EachThemePast(func(id NodeID, theme string, past []byte) error {
			b.pasts[fmt.Sprint(id, theme)] = string(past)
			again, err := r.ThemePast(id, theme)
			if string(again) != string(past) {
				t.Errorf("the history of %q of %d is %q and %q", theme, id, again, past)
			}
			return err
		}); err != nil {
			return err
		}
		b.messages, err = r.Outbox(0, 1000)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

// enqueue commits n messages with offsets.
func enqueue(t *testing.T, s *Store, n int, topic string, next int64) {
	t.Helper()
	tx := s.Begin()
	defer tx.Discard()
	for i := range n {
		if _, err := tx.Enqueue(fmt.Appendf(nil, "%s %d %d", topic, next, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.PutThemeLists(NodeID(next%5), fmt.Appendf(nil, "%s %d", topic, next)); err != nil {
		t.Fatal(err)
	}
	if err := tx.DeleteThemeLists(NodeID((next + 3) % 5)); err != nil {
		t.Fatal(err)
	}
	for i, theme := range []string{"motif", "", "a\x00b"} {
		if err := tx.PutThemePast(NodeID((next+int64(i))%5), theme, fmt.Appendf(nil, "%s %d", topic, next)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.PutThemePast(NodeID((next+3)%5), "motif", nil); err != nil {
		t.Fatal(err)
	}
	if err := tx.SetOffset(topic, int(next%3), Offset{Next: next, Log: topic}); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func takeOutbox(to, from *Store) error {
	return from.View(func(r *Reader) error {
		tx := to.Begin()
		defer tx.Discard()
		if err := tx.TakeOutbox(r); err != nil {
			return err
		}
		return tx.Commit()
	})
}

func openPair(t *testing.T, opts Options) (from, to *Store, dir string) {
	t.Helper()
	clock := time.Unix(1_700_000_000, 0)
	now := func() time.Time { clock = clock.Add(time.Second); return clock }
	from, err := Open(t.TempDir(), Options{SyncWrites: NoSync, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { from.Close() })
	dir = t.TempDir()
	opts.SyncWrites, opts.UUID, opts.Now = NoSync, from.UUID(), now
	if to, err = Open(dir, opts); err != nil {
		t.Fatal(err)
	}
	if to.UUID() != from.UUID() {
		t.Fatalf("the identity is %s, want %s", to.UUID(), from.UUID())
	}
	return from, to, dir
}

// TestTakeOutboxKeepsItsDimensions: a name that records gave another length in the store before stands for what it stands for in this one.
func TestTakeOutboxKeepsItsDimensions(t *testing.T) {
	t.Parallel()
	from, to, _ := openPair(t, Options{})
	for s, dims := range map[*Store]map[string]int{from: {"clip": 3, "foreign": 5}, to: {"clip": 512}} {
		tx := s.Begin()
		for name, dim := range dims {
			if err := tx.SetEncoderDim(name, dim); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if err := takeOutbox(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.View(func(r *Reader) error {
		if got, want := r.EncoderDims(), map[string]int{"clip": 512, "foreign": 5}; !reflect.DeepEqual(got, want) {
			t.Errorf("dimensions %v, want %v", got, want)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestTakeOutboxTakesEverything takes an outbox at several of its lengths, into a store that has one of its own, and
// goes on enqueuing and acknowledging as the first would have, over a reopening too.
func TestTakeOutboxTakesEverything(t *testing.T) {
	t.Parallel()
	from, to, dir := openPair(t, Options{})
	enqueue(t, to, 5, "b", 2) // left over from something else
	tx := from.Begin()
	if err := tx.SetEncoderDim("clip", 8); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	for round, ack := range []uint64{0, 3, 7, 9, 9} {
		enqueue(t, from, round, "a", int64(round))
		if err := from.Ack(ack, []Position{{"out", round % 2, int64(ack)}}); ack <= uint64(round*(round+1)/2) {
			if err != nil {
				t.Fatal(err)
			}
		} else if err == nil {
			t.Fatalf("round %d: acknowledged %d, which was never written", round, ack)
		}
		if err := takeOutbox(to, from); err != nil {
			t.Fatal(err)
		}
		want := readBetween(t, from)
		if got := readBetween(t, to); !reflect.DeepEqual(got, want) {
			t.Fatalf("round %d: took %+v\nwant %+v", round, got, want)
		}
		if err := to.Check(func(p string) { t.Errorf("round %d: %s", round, p) }); err != nil {
			t.Fatal(err)
		}
	}
	enqueue(t, from, 2, "a", 9)
	enqueue(t, to, 2, "a", 9)
	if err := to.Ack(10, nil); err != nil {
		t.Fatal(err)
	}
	if err := from.Ack(10, nil); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir, Options{SyncWrites: NoSync, UUID: "another"})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	want, got := readBetween(t, from), readBetween(t, again)
	for i := range want.messages {
		want.messages[i].Time, got.messages[i].Time = time.Time{}, time.Time{} // two clocks
	}
	if !reflect.DeepEqual(got, want) || again.UUID() != from.UUID() {
		t.Errorf("after all: %+v\nwant %+v", got, want)
	}
}

// TestTakeOutboxIsAtomic fails each write of a taking that is larger than one transaction of badger.
func TestTakeOutboxIsAtomic(t *testing.T) {
	t.Parallel()
	planned := errors.New("planned")
	for k := 1; ; k++ {
		writes, crash := 0, -1
		from, to, dir := openPair(t, Options{MemtableMB: 1, BeforeWrite: func(string) error {
			if writes++; writes == crash {
				return planned
			}
			return nil
		}})
		enqueue(t, to, 3, "b", 1)
		before := readBetween(t, to)
		tx := from.Begin()
		for range 12 {
			if _, err := tx.Enqueue(make([]byte, 20<<10)); err != nil {
				t.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		after := readBetween(t, from)
		crash = writes + k
		err := takeOutbox(to, from)
		if err != nil && !errors.Is(err, planned) {
			t.Fatal(err)
		}
		_ = to.Close()
		again, openErr := Open(dir, Options{SyncWrites: NoSync, MemtableMB: 1})
		if openErr != nil {
			t.Fatal(openErr)
		}
		got := readBetween(t, again)
		if !reflect.DeepEqual(got, after) && (err == nil || !reflect.DeepEqual(got, before)) {
			t.Errorf("crash at write %d (%v): neither what was there nor what was taken: %d messages", k, err, len(got.messages))
		}
		if err := again.Check(func(p string) { t.Errorf("crash at write %d: %s", k, p) }); err != nil {
			t.Fatal(err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			if k < 4 {
				t.Errorf("only %d writes: the taking did not go through the redo log", k-1)
			}
			return
		}
	}
}

// TestTakeOutboxRefuses tells what can't be taken.
func TestTakeOutboxRefuses(t *testing.T) {
	t.Parallel()
	from, to, _ := openPair(t, Options{})
	defer to.Close()
	stranger, err := Open(t.TempDir(), Options{SyncWrites: NoSync})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	enqueue(t, to, 2, "a", 1)
	before := readBetween(t, to)
	if err := takeOutbox(to, stranger); err == nil || !strings.Contains(err.Error(), stranger.UUID()) {
		t.Errorf("another identity: %v", err)
	}
	err = from.View(func(r *Reader) error {
		tx := to.Begin()
		defer tx.Discard()
		if _, err := tx.Enqueue([]byte("own")); err != nil {
			return err
		}
		return tx.TakeOutbox(r)
	})
	if err == nil {
		t.Error("a transaction with messages of its own took others")
	}
	if got := readBetween(t, to); !reflect.DeepEqual(got, before) {
		t.Errorf("a refusal changed the store: %+v", got)
	}
}

// TestArtifactsAfter pages through the ids.
func TestArtifactsAfter(t *testing.T) {
	t.Parallel()
	s, err := Open(t.TempDir(), Options{SyncWrites: NoSync})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := map[string]bool{}
	tx := s.Begin()
	for i := range 25 {
		id := fmt.Sprint("a", i)
		want[id] = true
		if _, err := tx.PutArtifact(Doc{ID: id, Raw: []byte("{}")}, []EdgeSpec{{Type: Artifact, Rel: RelLink, Key: "placeholder"}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := s.View(func(r *Reader) error {
		last := NodeID(0)
		for {
			ids, err := r.ArtifactsAfter(last, 4)
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				return nil
			}
			if len(ids) > 4 {
				t.Errorf("a page of %d, want at most 4", len(ids))
			}
			for _, id := range ids {
				if !want[id] {
					t.Errorf("%q is shown twice or is not there", id)
				}
				delete(want, id)
				if n := ID(Artifact, id); n <= last {
					t.Errorf("%q is out of order", id)
				} else {
					last = n
				}
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if len(want) > 0 {
		t.Errorf("not shown: %v", want)
	}
}
