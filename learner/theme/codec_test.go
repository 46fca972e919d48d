package theme

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// TestCodec: a model that was written and read tells the same profiles to the bit, and is written in the same bytes.
func TestCodec(t *testing.T) {
	t.Parallel()
	works, labels := world(10, 150)
	m := fit(t, basisOf(t, DefaultConfig(), works[:120]), labels, nil)
	data := marshal(t, m)
	read, err := Unmarshal([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	if marshal(t, read) != data {
		t.Error("what was read is written in other bytes")
	}
	for i := range works {
		if got, want := read.Profile(&works[i]), m.Profile(&works[i]); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: the profile %+v, before it was written %+v", works[i].ID, got, want)
		}
	}
}

// TestDamagedModels: no cut and no flipped bit is read as a model, and other versions and analyzers are named.
func TestDamagedModels(t *testing.T) {
	t.Parallel()
	works, labels := world(11, 30)
	data := []byte(marshal(t, fit(t, basisOf(t, DefaultConfig(), works), labels, nil)))
	for i := 0; i < len(data); i += 1 + len(data)/400 {
		if _, err := Unmarshal(data[:i]); err == nil {
			t.Errorf("%d of %d bytes are read", i, len(data))
		}
		flipped := bytes.Clone(data)
		flipped[i] ^= 1 << (i % 8)
		if _, err := Unmarshal(flipped); err == nil {
			t.Errorf("a flipped bit in byte %d is not noticed", i)
		}
	}
	later := bytes.Clone(data)
	later[len(magic)]++
	if _, err := Unmarshal(later); err == nil || !strings.Contains(err.Error(), "version 3") {
		t.Errorf("a later version: %v", err)
	}
	foreign := bytes.Clone(data[:len(data)-crc32.Size])
	foreign[len(magic)+2]++
	foreign = binary.LittleEndian.AppendUint32(foreign, crc32.Checksum(foreign, castagnoli))
	if _, err := Unmarshal(foreign); err == nil || !strings.Contains(err.Error(), "analyzed") {
		t.Errorf("another analyzer: %v", err)
	}
}

// FuzzDecode: whatever stands between version and checksum is refused or is a model that works and is written in bytes that are
// read again; and reading takes memory in proportion to it.
func FuzzDecode(f *testing.F) {
	works, labels := world(13, 12)
	cfg := DefaultConfig()
	m := fit(f, basisOf(f, cfg, works), labels, nil)
	body := []byte(marshal(f, m))
	body = body[len(magic)+1 : len(body)-crc32.Size]
	f.Add(body)
	f.Add(body[:len(body)/2])
	f.Add([]byte{})
	huge := bytes.Clone(body[:1+int(body[0])]) // the analyzer, and then 2^31 - 1 features
	f.Add(append(huge, 0xff, 0xff, 0xff, 0xff, 0x07))
	analyzer, err := newAnalyzer()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := decode(analyzer, body)
		runtime.ReadMemStats(&after)
		if took, most := after.TotalAlloc-before.TotalAlloc, uint64(16<<20+400*len(body)); took > most {
			t.Fatalf("reading %d bytes took %d", len(body), took)
		}
		if err != nil {
			return
		}
		p := m.Profile(&works[0])
		for _, theme := range m.Themes() {
			if _, ok := m.Ask(p).Compare(theme, p); !ok {
				t.Errorf("the theme %q can't be compared in", theme)
			}
		}
		again, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Unmarshal(again); err != nil {
			t.Errorf("what was read and written can't be read: %v", err)
		}
	})
}
