package recordset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"kilim/consumer/consumertest"
)

// all gives the records of all batches.
func all(t testing.TB, raw []byte, from int64) (out []Record) {
	t.Helper()
	for b, err := range Batches(raw) {
		if err != nil {
			t.Fatal(err)
		}
		out = slices.AppendSeq(out, b.Records(from))
	}
	return out
}

// TestBombs: a batch of each codec with three records of 24 MiB among small ones. The small ones are read, the large ones are told by
// their size, and what is allocated for all of it together is a window and little more.
func TestBombs(t *testing.T) {
	const large = 24 << 20
	for _, codec := range consumertest.Codecs()[1:] {
		b := consumertest.Batch{First: 100, Codec: codec}
		for i := range int64(9) {
			r := consumertest.BatchRecord{Offset: 100 + i, Key: fmt.Appendf(nil, "k%d", i), Value: fmt.Appendf(nil, "v%d", i), Headers: [][2]string{{"n", "v"}}}
			if i%3 == 1 {
				r.Zeros = large
			}
			b.Records = append(b.Records, r)
		}
		raw := b.Bytes()
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		records := all(t, raw, 0)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > WindowBytes+8<<20 {
			t.Errorf("%s: %d bytes were allocated for a batch of %d", codec.Name, got, len(raw))
		}
		if len(records) != len(b.Records) {
			t.Errorf("%s: %d records, want %d", codec.Name, len(records), len(b.Records))
			continue
		}
		for i, r := range records {
			want := b.Records[i]
			switch {
			case r.Offset != want.Offset || string(r.Key) != string(want.Key) || r.Fault != nil || len(r.Headers) != 1:
				t.Errorf("%s: record %d is at %d with key %q and %d headers: %v", codec.Name, i, r.Offset, r.Key, len(r.Headers), r.Fault)
			case want.Zeros > 0 && (r.Value != nil || r.Dropped != large):
				t.Errorf("%s: record %d keeps %d bytes and drops %d", codec.Name, i, len(r.Value), r.Dropped)
			case want.Zeros == 0 && (string(r.Value) != string(want.Value) || r.Dropped != 0):
				t.Errorf("%s: record %d has the value %q and drops %d", codec.Name, i, r.Value, r.Dropped)
			}
		}
	}
}

// TestGenerated: what was packed is what is read, from each offset, for batches of all sizes and codecs.
func TestGenerated(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	some := func(most int) []byte {
		b := make([]byte, rng.IntN(most))
		for i := range b { // runs, so that there is something to pack
			if i == 0 || rng.IntN(6) == 0 {
				b[i] = byte(rng.IntN(256))
			} else {
				b[i] = b[i-1]
			}
		}
		return b
	}
	for round := range 200 {
		codec := consumertest.Codecs()[round%6]
		b := consumertest.Batch{First: rng.Int64N(1 << 40), Codec: codec}
		offset := b.First
		for range 1 + rng.IntN(30) {
			r := consumertest.BatchRecord{Offset: offset, Key: some(40), Value: some(1 + 1<<rng.IntN(18))}
			switch rng.IntN(6) {
			case 0:
				r.Key = nil
			case 1:
				r.Value = nil
			case 2:
				r.Headers = [][2]string{{"a", string(some(30))}, {"", ""}}
			}
			b.Records = append(b.Records, r)
			offset += 1 + rng.Int64N(3)
		}
		from := b.First + rng.Int64N(offset-b.First)
		var want []consumertest.BatchRecord
		for _, r := range b.Records {
			if r.Offset >= from {
				want = append(want, r)
			}
		}
		got := all(t, slices.Concat(b.Bytes(), b.Bytes()[:20]), from)
		if len(got) != len(want) {
			t.Fatalf("round %d, %s: %d records, want %d: %v", round, codec.Name, len(got), len(want), got[len(got)-1].Fault)
		}
		for i, w := range want {
			g := got[i]
			same := g.Offset == w.Offset && bytes.Equal(g.Key, w.Key) && bytes.Equal(g.Value, w.Value) && g.Fault == nil &&
				(g.Key == nil) == (w.Key == nil) && (g.Value == nil) == (w.Value == nil) && len(g.Headers) == len(w.Headers)
			if !same || !g.Time.Equal(time.UnixMilli(1005)) {
				t.Fatalf("round %d, %s: record %d is %+v, want %+v", round, codec.Name, i, g, w)
			}
			for j, h := range w.Headers {
				if g.Headers[j].Key != h[0] || string(g.Headers[j].Value) != h[1] {
					t.Fatalf("round %d: header %d is %+v", round, j, g.Headers[j])
				}
			}
		}
	}
}

// TestParts: what is kept of keys, values and headers beyond PartBytes.
func TestParts(t *testing.T) {
	t.Parallel()
	large := make([]byte, PartBytes+1)
	many := make([][2]string, PartBytes/headerBytes+1)
	for _, tt := range []struct {
		name                string
		key, value          []byte
		headers             [][2]string
		dropped             int
		keyLen, valLen, hdr int
	}{
		{"value", []byte("k"), large, [][2]string{{"n", "h"}}, PartBytes + 1, 1, 0, 1},
		{"key", large, []byte("v"), nil, PartBytes + 1, 0, 1, 0},
		{"headers", []byte("k"), []byte("v"), [][2]string{{"n", string(large)}}, PartBytes + 2, 1, 1, 0},
		{"many headers", []byte("k"), []byte("v"), many, 2 * len(many), 1, 1, 0},
		{"at the limit", large[1:], large[1:], nil, 0, PartBytes, PartBytes, 0},
	} {
		b := consumertest.Batch{Records: []consumertest.BatchRecord{{Key: tt.key, Value: tt.value, Headers: tt.headers}, {Offset: 1}}}
		got := all(t, b.Bytes(), 0)
		if len(got) != 2 || got[1].Offset != 1 || got[1].Fault != nil {
			t.Errorf("%s: %d records, the last is %+v", tt.name, len(got), got[len(got)-1])
			continue
		}
		if r := got[0]; r.Dropped != tt.dropped || len(r.Key) != tt.keyLen || len(r.Value) != tt.valLen || len(r.Headers) != tt.hdr {
			t.Errorf("%s: %d bytes dropped, kept %d, %d and %d headers", tt.name, r.Dropped, len(r.Key), len(r.Value), len(r.Headers))
		}
	}
}

// TestUnreadable: a batch that was sent broken gives what can be read, then one fault, and the reader goes on behind it.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	good := consumertest.Batch{First: 30, Records: []consumertest.BatchRecord{{Offset: 30}}}
	sound := func(codec consumertest.Codec) *consumertest.Batch {
		return &consumertest.Batch{First: 10, Last: 19, Codec: codec, Records: []consumertest.BatchRecord{{Offset: 10, Value: []byte("a")}, {Offset: 11, Value: bytes.Repeat([]byte("b"), 99)}}}
	}
	window, err := zstd.NewWriter(nil, zstd.WithWindowSize(2*WindowBytes), zstd.WithSingleSegment(false))
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][]byte{"an unknown codec": sound(consumertest.Codec{Bits: 7}).Around([]byte("x"))}
	claims := sound(consumertest.Codec{})
	claims.Claim = 5
	cases["more records claimed"] = claims.Bytes()
	cases["a negative length"] = sound(consumertest.Codec{}).Around(binary.AppendVarint(nil, -1))
	cases["a length of gigabytes"] = sound(consumertest.Codec{}).Around(binary.AppendVarint(nil, 1<<40))
	cases["an offset twice"] = (&consumertest.Batch{First: 10, Last: 19, Records: []consumertest.BatchRecord{{Offset: 10}, {Offset: 11}, {Offset: 11}}}).Bytes()
	cases["an offset outside"] = (&consumertest.Batch{First: 10, Last: 19, Records: []consumertest.BatchRecord{{Offset: 25}}}).Bytes()
	for _, codec := range consumertest.Codecs() {
		b := sound(codec)
		packed := b.Pack()
		cases["half of "+codec.Name] = b.Around(packed[:len(packed)/2])
	}
	for _, codec := range consumertest.Codecs()[1:] {
		cases["no "+codec.Name] = sound(codec).Around([]byte("nothing of that kind, but long enough"))
	}
	cases["a window of 64 MiB"] = sound(consumertest.Codecs()[4]).Around(window.EncodeAll(make([]byte, 3*WindowBytes), nil))
	afar := sound(consumertest.Codec{})
	afar.Records = append(afar.Records, consumertest.BatchRecord{Offset: 12, Zeros: WindowBytes}, afar.Records[1])
	afar.Records[3].Offset = 13
	cases["a copy from afar"] = (&consumertest.Batch{First: 10, Last: 19, Records: afar.Records, Codec: consumertest.Codecs()[5]}).Around(s2.EncodeSnappy(nil, afar.Pack()))
	cases["4 GB in five bytes"] = sound(consumertest.Codecs()[5]).Around([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	for name, raw := range cases {
		got := all(t, append(raw, good.Bytes()...), 0)
		n := len(got)
		if n < 2 || got[n-1].Offset != 30 || got[n-2].Fault == nil || got[n-2].Offset > 19 {
			t.Errorf("%s: %+v", name, got)
			continue
		}
		if !strings.Contains(got[n-2].Fault.Error(), fmt.Sprintf("offsets %d to 19", got[n-2].Offset)) {
			t.Errorf("%s: %v", name, got[n-2].Fault)
		}
		for i, r := range got[:n-2] {
			if r.Fault != nil || r.Offset != 10+int64(i) {
				t.Errorf("%s: record %d: %+v", name, i, r)
			}
		}
	}
}

// TestDamaged: what may be whole at another try is an error.
func TestDamaged(t *testing.T) {
	t.Parallel()
	b := consumertest.Batch{First: 3, Records: []consumertest.BatchRecord{{Offset: 3, Value: []byte("value")}}}
	change := func(at int, to byte) []byte {
		raw := b.Bytes()
		raw[at] ^= to
		return raw
	}
	for name, raw := range map[string][]byte{
		"cut off":         b.Bytes()[:len(b.Bytes())-1],
		"cut in its head": b.Bytes()[:9],
		"a bit":           change(len(b.Bytes())-3, 1),
		"version 3":       change(atMagic, 1),
		"no length":       change(atLength+3, b.Bytes()[atLength+3]),
		"negative length": change(atLength, 0x80),
	} {
		whole := 0
		var last error
		for _, err := range Batches(append(b.Bytes(), raw...)) {
			if last = err; err == nil {
				whole++
			}
		}
		if cut := strings.HasPrefix(name, "cut"); whole != 1 || (last == nil) != cut {
			t.Errorf("%s: %d whole batches, then %v", name, whole, last)
		}
		for _, err := range Batches(raw) {
			if err == nil {
				t.Errorf("%s: taken", name)
			}
		}
	}
}

// TestAppendTime: where the topic says so, the broker's time counts.
func TestAppendTime(t *testing.T) {
	t.Parallel()
	b := consumertest.Batch{Attributes: appendTimeBit, Records: []consumertest.BatchRecord{{Key: []byte("k")}}}
	if got := all(t, b.Bytes(), 0); !got[0].Time.Equal(time.UnixMilli(2000)) {
		t.Errorf("time %v", got[0].Time)
	}
}
