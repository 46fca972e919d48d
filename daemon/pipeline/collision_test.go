package pipeline

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/rerank"
	"kilim/rerank/publish"
)

// Two subjects with one 64-bit hash, found by distinguished points.
const subjectA, subjectB = "2a7eb3f0bedb9e30", "63e660900e18c1c2"

// TestTermCollision sends two records whose terms have one hash, in one batch and in two: the second goes to the dead letters, and
// all others are applied as if it had never come. It made the unit fail, again after each restart.
func TestTermCollision(t *testing.T) {
	t.Parallel()
	if graphstore.ID(graphstore.Subject, subjectA) != graphstore.ID(graphstore.Subject, subjectB) {
		t.Fatal("the pair does not collide")
	}
	records := []change{
		{"c:1", map[string]any{"title": "one", "subject": []string{subjectA, "rug"}}},
		{"c:2", map[string]any{"title": "two", "subject": []string{"rug", subjectB}}},
		{"c:3", map[string]any{"title": "both", "subject": []string{subjectA, subjectB}}},
		{"c:4", map[string]any{"title": "three", "subject": []string{subjectA}}},
	}
	var want map[string]rerank.Lists
	for _, size := range []int{1, 4} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s := newSite(t, exact())
			for i := 0; i < len(records); i += size {
				s.must(s.apply(records[i : i+size]))
			}
			s.must(s.settle())
			for _, id := range []string{"c:2", "c:3"} {
				s.must(s.store.View(func(r *graphstore.Reader) error {
					doc, err := r.Artifact(id)
					if doc != nil {
						err = errors.New(id + " is stored")
					}
					return err
				}))
			}
			letters := 0
			s.must(s.store.View(func(r *graphstore.Reader) error {
				entries, err := r.Outbox(0, 1000)
				for _, e := range entries {
					if strings.Contains(string(e.Value), "id_collision") && strings.Contains(string(e.Value), subjectB) {
						letters++
					}
				}
				return err
			}))
			if letters != 2 {
				t.Errorf("%d dead letters of a collision, want 2", letters)
			}
			got := s.lists()
			if want == nil {
				want = got
			}
			compareLists(t, "", got, want)
			if len(got) != 2 {
				t.Errorf("%d artifacts have lists, want 2", len(got))
			}
		})
	}
}

// TestFullDiskWaits takes a batch while the disk has no room: it waits, and is applied when there is room again.
func TestFullDiskWaits(t *testing.T) {
	t.Parallel()
	free := make(chan int64, 1)
	free <- 1 << 40
	opts := graphstore.Options{SyncWrites: graphstore.NoSync, FreeSpace: func(string) (int64, error) {
		n := <-free
		free <- n
		return n, nil
	}}
	s, err := openSite(t, t.TempDir(), exact(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	set := func(n int64) {
		<-free
		free <- n
	}
	set(0)
	applied := make(chan error, 1)
	go func() { applied <- s.apply([]change{{"a", map[string]any{"title": "one"}}}) }()
	for !s.engine.turns.BatchWaits() {
		select {
		case err := <-applied:
			t.Fatalf("applied on a full disk: %v", err)
		default:
		}
	}
	set(1 << 40)
	s.must(<-applied)
}

// TestLargeDeadLetter refuses a record that is larger than the store takes: its dead letter goes without the value. It made the
// store fail, again after each restart.
func TestLargeDeadLetter(t *testing.T) {
	t.Parallel()
	s := newSite(t, exact())
	b := batchOf(0, []change{{"bomb", nil}, {"a", map[string]any{"title": "one"}}})
	b.Items[0].Value = make([]byte, s.store.MaxRow()+1)
	b.Items[0].Refusal = &profile.Refusal{Reason: "too_large"}
	s.must(s.engine.Apply(t.Context(), b))
	s.must(s.store.View(func(r *graphstore.Reader) error {
		entries, err := r.Outbox(0, 10)
		if err != nil || len(entries) == 0 {
			t.Fatalf("%d messages: %v", len(entries), err)
		}
		m, err := rerank.Decode(entries[0].Value)
		if err == nil && (string(m.Key) != "bomb" || len(m.Value) != 0 || !strings.Contains(fmt.Sprintf("%s", m.Headers), publish.HeaderDropped)) {
			t.Errorf("the dead letter of %q has %d bytes and the headers %s", m.Key, len(m.Value), m.Headers)
		}
		return err
	}))
}
