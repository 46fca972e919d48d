package rerank

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

func samplePending() *Pending {
	u := sampleUpdate()
	before := both([]Entry{{ID: "d", Score: 0.875}, u.Lists[0].Entries[1], {ID: "b", Score: 0.5}}, nil)
	return &Pending{Before: before, Causes: []Cause{{ID: "b", Recorded: u.Recorded, TraceParent: u.TraceParent}, {}}}
}

// TestPendingRoundTrip writes beside lists that have some of the entries, all or none, and beside none at all.
func TestPendingRoundTrip(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 11))
	lists := func() (out Lists) {
		for _, name := range []string{ListTotal, ListGeneral, "theme"}[:rng.IntN(4)] {
			list := List{Name: name}
			for range rng.IntN(6) {
				list.Entries = append(list.Entries, Entry{ID: fmt.Sprint(rng.IntN(4)), Score: float32(rng.IntN(2)), Parts: Parts{Words: float32(rng.IntN(2))}})
			}
			out = append(out, list)
		}
		return out
	}
	for range 500 {
		want, now := Pending{Before: lists(), Causes: samplePending().Causes[:rng.IntN(3)]}, lists()
		if len(want.Causes) == 0 {
			want.Causes = nil
		}
		b := want.Marshal(now)
		var got Pending
		if err := got.Unmarshal(b, now); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("beside %+v:\n got %+v, %v\nwant %+v", now, got, err, want)
		}
		for n := range b {
			if err := got.Unmarshal(b[:n], now); err == nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%d of %d bytes of %x: %v, %+v", n, len(b), b, err, got)
			}
		}
	}
	p := samplePending()
	if whole, beside := len(p.Marshal(nil)), len(p.Marshal(p.Before)); whole-beside != len(p.Before[0].Entries)*(entryBytes+1) {
		t.Errorf("%d bytes beside the same lists, %d beside none", beside, whole)
	}
	if err := new(Pending).Unmarshal([]byte{9}, nil); !contain(err, "pending update: version: is 9, want 1") {
		t.Error(err)
	}
	if err := new(Pending).Unmarshal([]byte("\x01\x01\x05total\x01\x03"), nil); !contain(err, "place: is 3, over 0") {
		t.Error(err)
	}
	if err := new(Pending).Unmarshal((&Pending{Before: Lists{{Name: "total"}, {Name: "total"}}}).Marshal(nil), nil); !contain(err, `"total" comes twice`) {
		t.Error(err)
	}
}

// TestGather adds more causes than are kept, some of them again.
func TestGather(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(12, 12))
	p, last := &Pending{}, map[string]time.Time{}
	for i, at := range rng.Perm(3 * MostCauses) {
		c := Cause{ID: fmt.Sprint(rng.IntN(2 * MostCauses)), Recorded: time.UnixMilli(int64(at))}
		before := p.Clone()
		p.Gather(c)
		last[c.ID] = c.Recorded
		if n := len(p.Causes); n > MostCauses || n < len(before.Causes) {
			t.Fatalf("step %d: %d causes, %d before", i, n, len(before.Causes))
		}
		for _, was := range before.Causes {
			kept := slices.ContainsFunc(p.Causes, func(c Cause) bool { return c.ID == was.ID })
			if !kept && slices.ContainsFunc(p.Causes, func(c Cause) bool { return c.Recorded.Before(was.Recorded) }) {
				t.Fatalf("step %d: %+v is gone and an older one is there", i, was)
			}
		}
		for _, c := range p.Causes {
			if !last[c.ID].Equal(c.Recorded) {
				t.Fatalf("step %d: %s is recorded at %v, want %v", i, c.ID, c.Recorded, last[c.ID])
			}
		}
	}
}

func FuzzPending(f *testing.F) {
	now := sampleUpdate().Lists
	f.Add(samplePending().Marshal(now))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p, again Pending
		if p.Unmarshal(b, now) != nil {
			return
		}
		if err := again.Unmarshal(p.Marshal(now), now); err != nil || !bytes.Equal(again.Marshal(now), p.Marshal(now)) {
			t.Fatalf("%+v: after encoding again %+v, %v", p, again, err)
		}
	})
}
