package rank

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

func marshal(t testing.TB, m *Model) []byte {
	t.Helper()
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sealed puts a true checksum behind what may be damaged.
func sealed(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func small(t testing.TB) *Model {
	return fit(t, 3, judged(21, 12, 3, 20, func(x []float32) float32 { return x[0] * x[1] }), func(c *Config) { c.Trees, c.Leaves = 4, 5 }).Model
}

func TestModelRoundTrip(t *testing.T) {
	t.Parallel()
	m := fit(t, 5, judged(20, 15, 5, 100, either), nil).Model
	b := marshal(t, m)
	got, err := Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b) // a model must not live in the caller's buffer
	if !reflect.DeepEqual(got, m) {
		t.Error("another model is read than was written")
	}
}

// Every prefix, every changed bit, every version is refused; with a true checksum, nothing panics.
func TestDamagedModels(t *testing.T) {
	t.Parallel()
	b := marshal(t, small(t))
	for n := range b {
		if _, err := Unmarshal(b[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for a model", n, len(b))
		}
		for bit := range 8 {
			damaged := bytes.Clone(b)
			damaged[n] ^= 1 << bit
			if _, err := Unmarshal(damaged); err == nil {
				t.Fatalf("bit %d of byte %d is changed, and nobody notices", bit, n)
			}
			if n < len(b)-4 {
				harmless(t, sealed(damaged[:len(b)-4:len(b)-4]))
			}
		}
	}
}

// harmless scores by whatever is taken for a model.
func harmless(t testing.TB, b []byte) {
	t.Helper()
	m, err := Unmarshal(b)
	if err != nil {
		return
	}
	if again := marshal(t, m); !bytes.Equal(again, b) {
		t.Fatalf("a model of %x is written as %x", b, again)
	}
	n := len(m.Names())
	for _, v := range []float32{0, -1e30, 1e30, float32(math.Inf(1)), float32(math.NaN())} {
		x, parts := make([]float32, n), make([]float64, 1+n)
		for f := range x {
			x[f] = v
		}
		score, sum := m.Explain(v, x, parts), 0.0
		for _, p := range parts {
			sum += p
		}
		if sum != score || score != m.Score(v, x) {
			t.Fatalf("score %v, %v by its parts, %v explained", m.Score(v, x), sum, score)
		}
	}
}

func TestDecodersNameTheFault(t *testing.T) {
	t.Parallel()
	head := append(append([]byte{}, magic...), format)
	oneName := append(append([]byte{}, head...), 1, 1, 'a')
	scaled := binary.LittleEndian.AppendUint64(append([]byte{}, oneName...), math.Float64bits(1))
	nodes := func(nodes ...[4]uint32) []byte {
		b := append(append([]byte{}, scaled...), 1, byte(len(nodes)))
		for _, n := range nodes {
			b = binary.LittleEndian.AppendUint16(b, uint16(n[0]))
			b = binary.LittleEndian.AppendUint16(b, uint16(n[1]))
			b = binary.LittleEndian.AppendUint32(b, n[2])
			b = binary.LittleEndian.AppendUint32(b, n[3])
		}
		return b
	}
	inf := math.Float32bits(float32(math.Inf(1)))
	for what, c := range map[string]struct {
		body []byte
		want string
	}{
		"nothing":              {head, "features: ends too early"},
		"endless features":     {append(append([]byte{}, head...), 0xff, 0xff, 0xff, 0xff, 0x0f), "features: 4294967295 of them"},
		"no features":          {binary.LittleEndian.AppendUint64(append(append([]byte{}, head...), 0), 0), "trees: ends too early"},
		"scale":                {binary.LittleEndian.AppendUint64(append([]byte{}, oneName...), math.Float64bits(math.NaN())), "scale: is NaN"},
		"endless trees":        {append(append([]byte{}, scaled...), 0xff, 0xff, 0x7f), "trees: 2097151 of them"},
		"a tree of nothing":    {append(append(append([]byte{}, scaled...), 1, 0), make([]byte, 16)...), "tree 0: has no nodes"},
		"its own ancestor":     {nodes([4]uint32{0, 1, 0, 0}, [4]uint32{0, 0, 0, 0}, [4]uint32{0, 2, inf, 0}), "tree 0: node 1"},
		"a child of nobody":    {nodes([4]uint32{0, 0, inf, 0}, [4]uint32{0, 1, inf, 0}), "tree 0: node 1 is no child"},
		"beyond the tree":      {nodes([4]uint32{0, 2, 0, 0}, [4]uint32{0, 1, inf, 0}, [4]uint32{0, 2, inf, 0}), "tree 0: node 0"},
		"unknown feature":      {nodes([4]uint32{1, 1, 0, 0}, [4]uint32{0, 1, inf, 0}, [4]uint32{0, 2, inf, 0}), "tree 0: node 0"},
		"a threshold of NaN":   {nodes([4]uint32{0, 1, math.Float32bits(float32(math.NaN())), 0}, [4]uint32{0, 1, inf, 0}, [4]uint32{0, 2, inf, 0}), "tree 0: node 0"},
		"a root with a value":  {nodes([4]uint32{0, 0, inf, 7}), "tree 0: node 0 has the value 7"},
		"an enormous value":    {nodes([4]uint32{0, 1, 0, 0}, [4]uint32{0, 1, inf, 0x7fffffff}, [4]uint32{0, 2, inf, 0}), "tree 0: node 1 has the value 2147483647"},
		"bytes that are left":  {append(append([]byte{}, scaled...), 0, 1), "end: 1 bytes too many"},
		"a version of the day": {append(append([]byte{}, magic...), 9, 0), "is of version 9, this program reads 1"},
	} {
		if _, err := Unmarshal(sealed(c.body)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to say %q", what, err, c.want)
		}
	}
	if _, err := Unmarshal([]byte("kilim theme")); err == nil || !strings.Contains(err.Error(), "kilim rank") {
		t.Errorf("another file: %v", err)
	}
}

// A few bytes that speak of very much make no memory be taken.
func TestHostileLengths(t *testing.T) {
	for _, tail := range [][]byte{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, {0x80, 0x02}, {1, 0xff, 0xff, 0x03}} {
		b := sealed(append(append(append([]byte{}, magic...), format), tail...))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := Unmarshal(b); err == nil {
			t.Fatalf("%x is taken for a model", b)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 64<<10 {
			t.Errorf("%d bytes take %d of memory", len(b), took)
		}
	}
}

func FuzzModel(f *testing.F) {
	b := marshal(f, small(f))
	f.Add(b[:len(b)-4])
	f.Add([]byte("kilim rank\x01\x01\x01a"))
	f.Fuzz(func(t *testing.T, b []byte) { harmless(t, sealed(b)) })
}
