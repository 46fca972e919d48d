package rerank

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

func sampleUpdate() *Update {
	return &Update{
		ID: "walters:22764", Revision: 300, Epoch: 2,
		Lists: both([]Entry{{ID: "b", Score: 0.75, Parts: Parts{0.5, 1, 0.25, 0.125, 1}}, {ID: "c", Score: -0.5}},
			[]Entry{{ID: "c", Score: 0.5}}),
		Changes:     map[string]Changes{"total": {Entered: []string{"b"}, Left: []string{"d", "e"}, Moved: []string{"c"}}, "general": {}},
		Cause:       []string{"walters:22764", "b"},
		Recorded:    time.UnixMilli(1_750_000_000_123).UTC(),
		TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

// sampleOrdered is an update of which a list is in a learned order.
func sampleOrdered() *Update {
	u := sampleUpdate()
	u.Ordered = &Ordered{Ranker: math.MaxUint64, Entries: []OrderedEntry{{"c", 1.75, []OrderedPart{{"stated", 2}, {"title_words", -0.25}}}, {"b", 0, nil}}}
	u.Lists = u.Ordered.Over(u.Lists)
	return u
}

func sampleThemed() *OutMessage {
	u := sampleUpdate()
	return &OutMessage{Kind: KindThemed, Topic: "kilim.similar.motif", ID: u.ID, Revision: 300, Recorded: u.Recorded, Value: []byte("{}"), TraceParent: u.TraceParent}
}

func sampleEntries() [][]byte {
	return [][]byte{
		EncodeUpdate(sampleUpdate()),
		EncodeUpdate(&Update{}),
		EncodeTombstone("a/b ü", math.MaxUint64, time.UnixMilli(0).UTC()),
		EncodeTombstone("x", 0, time.Time{}),
		EncodeMessage("dlq", []byte("k"), nil, []Header{{Key: "h", Value: []byte{}}, {Key: "h"}}),
		EncodeMessage("dlq", nil, []byte{}, nil),
		EncodeThemed(sampleThemed()),
		EncodeThemed(&OutMessage{Topic: "motif", ID: "x"}),
		EncodeCell("culture|a|b", 300, []byte("{}")),
		EncodeCell("x", 0, nil),
		EncodeUpdate(sampleOrdered()),
		EncodeQuery(sampleUpdate()),
		EncodeQuery(sampleOrdered()),
		EncodeQueryGone("horses", 300),
	}
}

func TestOutboxRoundTrip(t *testing.T) {
	t.Parallel()
	for i, want := range []OutMessage{
		{Kind: KindUpdate, ID: "walters:22764", Revision: 300, Recorded: sampleUpdate().Recorded, Update: sampleUpdate()},
		{Kind: KindUpdate, Update: &Update{}},
		{Kind: KindTombstone, ID: "a/b ü", Revision: math.MaxUint64, Recorded: time.UnixMilli(0).UTC()},
		{Kind: KindTombstone, ID: "x"},
		{Kind: KindMessage, Topic: "dlq", Key: []byte("k"), Headers: []Header{{Key: "h", Value: []byte{}}, {Key: "h"}}},
		{Kind: KindMessage, Topic: "dlq", Value: []byte{}},
		*sampleThemed(),
		{Kind: KindThemed, Topic: "motif", ID: "x"},
		{Kind: KindCell, ID: "culture|a|b", Revision: 300, Value: []byte("{}")},
		{Kind: KindCell, ID: "x"},
		{Kind: KindUpdate, ID: "walters:22764", Revision: 300, Recorded: sampleUpdate().Recorded, Update: sampleOrdered()},
		{Kind: KindQuery, ID: "walters:22764", Revision: 300, Recorded: sampleUpdate().Recorded, Update: sampleUpdate()},
		{Kind: KindQuery, ID: "walters:22764", Revision: 300, Recorded: sampleUpdate().Recorded, Update: sampleOrdered()},
		{Kind: KindQuery, ID: "horses", Revision: 300},
	} {
		b := sampleEntries()[i]
		got, err := Decode(b)
		if err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
		clear(b) // the store's buffer is used again
		if !reflect.DeepEqual(got, want) {
			t.Errorf("entry %d:\n%+v, want\n%+v", i, got, want)
		}
	}
}

func TestTimesKeepMilliseconds(t *testing.T) {
	t.Parallel()
	for _, ms := range []int64{-62135596799999, -2, -1, 0, 1, 1_750_000_000_123} {
		m, err := Decode(EncodeTombstone("a", 1, time.UnixMilli(ms)))
		if err != nil || m.Recorded.UnixMilli() != ms || m.Recorded.IsZero() {
			t.Errorf("%d ms: got %v, %v", ms, m.Recorded, err)
		}
	}
}

func TestEvidenceRoundTrip(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(9, 9))
	for range 300 {
		e := random(rng, rng.IntN(40), rng.IntN(12))
		var got Evidence
		if err := got.Unmarshal(e.Marshal()); err != nil {
			t.Fatal(err)
		}
		if math.Float64bits(got.Begin) != math.Float64bits(e.Begin) || math.Float64bits(got.End) != math.Float64bits(e.End) {
			t.Fatalf("dates %v %v, want %v %v", got.Begin, got.End, e.Begin, e.End)
		}
		got.Begin, got.End, e.Begin, e.End = 0, 0, 0, 0
		if !reflect.DeepEqual(&got, e) {
			t.Fatalf("got %+v, want %+v", got, e)
		}
	}
}

func TestDecodersNameTheFault(t *testing.T) {
	t.Parallel()
	nan := Lists{{Name: ListGeneral, Entries: []Entry{{ID: "a", Score: float32(math.NaN())}}}}
	for _, c := range []struct {
		what, want string
		err        error
	}{
		{"no bytes", "version: ends too early", new(Evidence).Unmarshal(nil)},
		{"other version", "version: is 9, want 2", new(Lists).Unmarshal([]byte{9})},
		{"cut", "end: ends too early", new(Evidence).Unmarshal(cut((&Evidence{ID: "a"}).Marshal()))},
		{"more", "end: 1 bytes too many", new(Lists).Unmarshal(append(Lists{}.Marshal(), 0))},
		{"entities out of order", "entities: not strictly increasing", new(Evidence).Unmarshal((&Evidence{Entities: []uint64{2, 1}}).Marshal())},
		{"word twice", "words: not strictly increasing", new(Evidence).Unmarshal((&Evidence{Words: []Word{{3, 1}, {3, 1}}}).Marshal())},
		{"NaN score", "general: is NaN", new(Lists).Unmarshal(nan.Marshal())},
		{"damaged count", "total: 9223372036854775807 items can't be in the remaining 0 bytes",
			new(Lists).Unmarshal([]byte("\x02\x01\x05total\xff\xff\xff\xff\xff\xff\xff\xff\x7f"))},
		{"earlier version", "version: is 1, want 2", new(Lists).Unmarshal([]byte{1, 0, 0})},
		{"name twice", "list: \"total\" comes twice", new(Lists).Unmarshal(Lists{{Name: "total"}, {Name: "total"}}.Marshal())},
		{"damaged number of lists", "lists: 127 items can't be in the remaining 1 bytes", new(Lists).Unmarshal([]byte{2, 127, 0})},
		{"kind", "kind: 8 is not known", decodeError([]byte{2, 8})},
		{"ranker that names none", "ranker: is 0", new(Ordered).Unmarshal(append([]byte{1}, make([]byte, 9)...))},
	} {
		if !contain(c.err, c.want) {
			t.Errorf("%s: got %v, want it to say %q", c.what, c.err, c.want)
		}
	}
}

func cut(b []byte) []byte { return b[:len(b)-1] }

func decodeError(b []byte) error {
	_, err := Decode(b)
	return err
}

// Every prefix of a valid value is refused.
func TestPrefixesAreRefused(t *testing.T) {
	t.Parallel()
	for _, b := range sampleEntries() {
		for n := range b {
			if decodeError(b[:n]) == nil {
				t.Errorf("%d of %d bytes of %x are taken for an entry", n, len(b), b)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, b := range sampleEntries() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		again := encode(&m)
		n, err := Decode(again)
		if err != nil || !reflect.DeepEqual(m, n) {
			t.Fatalf("decoded %+v, after encoding again %+v, %v", m, n, err)
		}
	})
}

func encode(m *OutMessage) []byte {
	switch m.Kind {
	case KindUpdate:
		return EncodeUpdate(m.Update)
	case KindTombstone:
		return EncodeTombstone(m.ID, m.Revision, m.Recorded)
	case KindCell:
		return EncodeCell(m.ID, m.Revision, m.Value)
	case KindThemed:
		return EncodeThemed(m)
	case KindQuery:
		if m.Update == nil {
			return EncodeQueryGone(m.ID, m.Revision)
		}
		return EncodeQuery(m.Update)
	default:
		return EncodeMessage(m.Topic, m.Key, m.Value, m.Headers)
	}
}

func FuzzEvidence(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 3 {
		f.Add(random(rng, 8, 3).Marshal())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var e, again Evidence
		if e.Unmarshal(b) != nil {
			return
		}
		if err := again.Unmarshal(e.Marshal()); err != nil || !bytes.Equal(again.Marshal(), e.Marshal()) {
			t.Fatalf("%+v: after encoding again %+v, %v", e, again, err)
		}
		if !slices.IsSorted(e.Entities) || !slices.IsSorted(e.Links) {
			t.Fatalf("not sorted: %+v", e)
		}
	})
}

func FuzzLists(f *testing.F) {
	f.Add(sampleUpdate().Lists.Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		var l, again Lists
		if l.Unmarshal(b) != nil {
			return
		}
		if err := again.Unmarshal(l.Marshal()); err != nil || !reflect.DeepEqual(again, l) {
			t.Fatalf("%+v: after encoding again %+v, %v", l, again, err)
		}
	})
}
