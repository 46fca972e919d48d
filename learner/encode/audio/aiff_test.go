package audio

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"kilim/learner/encode/feature"
)

// extendedRate is a rate as a number of 80 bits.
func extendedRate(rate int) []byte {
	shift := 63 - int(math.Log2(float64(rate)))
	b := binary.BigEndian.AppendUint16(nil, uint16(16383+63-shift))
	return binary.BigEndian.AppendUint64(b, uint64(rate)<<shift)
}

func asAIFF(form, encoding string, rate, frames, bits int, body []byte) []byte {
	be := binary.BigEndian
	common := be.AppendUint16(nil, 1)
	common = append(be.AppendUint16(be.AppendUint32(common, uint32(frames)), uint16(bits)), extendedRate(rate)...)
	if encoding != "" {
		common = append(common, encoding+"\x00\x00"...)
	}
	b := append([]byte("FORM\x00\x00\x00\x00"), form...)
	b = append(b, chunk(be, "COMM", common)...)
	return append(b, chunk(be, "SSND", append(make([]byte, 8), body...))...)
}

func TestAIFF(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	be, le := binary.BigEndian, binary.LittleEndian
	sound := tune()
	var big, little, three, float, double, eight []byte
	for _, s := range sound {
		v := int32(int16(s * 32767))
		big, little = be.AppendUint16(big, uint16(v)), le.AppendUint16(little, uint16(v))
		three = append(three, byte(v>>8), byte(v), 0)
		float = be.AppendUint32(float, math.Float32bits(float32(v)/32768))
		double = be.AppendUint64(double, math.Float64bits(float64(v)/32768))
		eight = append(eight, byte(v>>8))
	}
	n := len(sound)
	good := asWAV(sound, 16000)
	plain := asAIFF("AIFF", "", 16000, n, 16, big)
	unknown := bytes.Clone(plain)
	clear(unknown[12+8+2 : 12+8+6])
	copy(unknown[12+26+4:], "\x7f\xff\xff\xff")
	for name, changed := range map[string][]byte{
		"16 bits":                  plain,
		"24 bits":                  asAIFF("AIFF", "", 16000, n, 24, three),
		"of an unknown length":     unknown,
		"compressed with nothing":  asAIFF("AIFC", "NONE", 16000, n, 16, big),
		"sowt":                     asAIFF("AIFC", "sowt", 16000, n, 16, little),
		"float":                    asAIFF("AIFC", "fl32", 16000, n, 32, float),
		"double":                   asAIFF("AIFC", "FL64", 16000, n, 64, double),
		"the sound first":          append(append([]byte("FORM\x00\x00\x00\x00AIFF"), plain[12+26:]...), plain[12:12+26]...),
		"marks behind":             append(bytes.Clone(plain), chunk(be, "MARK", []byte{0, 0})...),
		"a chunk that is cut":      append(bytes.Clone(plain), "ANNO\x7f\x00\x00\x00x"...),
		"a name before, not even":  bytes.Join([][]byte{plain[:12], []byte("NAME\x00\x00\x00\x03abc"), plain[12:]}, nil),
		"a tag before the file":    append([]byte("ID3\x04\x00\x00\x00\x00\x00\x02ab"), plain...),
		"more sound than is meant": asAIFF("AIFF", "", 16000, n, 16, append(bytes.Clone(big), 1, 2, 3, 4)),
	} {
		same(t, e, name, good, changed)
	}
	if c := cosine(vector(t, e, good), vector(t, e, asAIFF("AIFF", "", 16000, n, 8, eight))); c < 0.9 {
		t.Errorf("8 bits: cosine %.3f", c)
	}
	for name, c := range map[string]struct {
		want string
		data []byte
	}{
		"cut off":         {feature.ReasonCorrupt, plain[:len(plain)/2]},
		"no sound":        {feature.ReasonCorrupt, plain[:12+26]},
		"no common chunk": {feature.ReasonCorrupt, append([]byte("FORM\x00\x00\x00\x00AIFF"), plain[12+26:]...)},
		"IMA":             {feature.ReasonUnsupported, asAIFF("AIFC", "ima4", 16000, n, 16, big)},
		"1 Hz":            {feature.ReasonUnsupported, asAIFF("AIFF", "", 1, n, 16, big)},
	} {
		if _, err := e.Encode(c.data); reason(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
