package audio

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"kilim/learner/encode/feature"
)

// riff is a WAV of chunks, each padded to an even length.
func riff(chunks ...[]byte) []byte {
	return append([]byte("RIFF\xff\xff\xff\xffWAVE"), bytes.Join(chunks, nil)...)
}

func chunk(order binary.AppendByteOrder, id string, body []byte) []byte {
	b := append(order.AppendUint32([]byte(id), uint32(len(body))), body...)
	return append(b, make([]byte, len(body)&1)...)
}

func TestLengthsThatWereNotKnown(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	le := binary.LittleEndian
	good := asWAV(tune(), 16000)
	for _, n := range []uint32{0, math.MaxUint32, math.MaxUint32 - 36, 0x7fffffff, 0x7fffffff - 36, 0x7ffff000, 0x80000000, 0xfffffffe} {
		for _, file := range []uint32{0, n, n + 36, 24} {
			changed := bytes.Clone(good)
			le.PutUint32(changed[4:], file)
			le.PutUint32(changed[40:], n)
			same(t, e, "a length of "+string(le.AppendUint32(nil, n)), good, changed)
		}
	}
	counts := bytes.Clone(good)
	le.PutUint32(counts[40:], uint32(len(good)))
	same(t, e, "a length that counts the header", good, counts)
	form, data := good[12:36], good[36:]
	odd := append(le.AppendUint32([]byte("LIST"), 5), "INFOx"...)
	for name, changed := range map[string][]byte{
		"an odd chunk":              riff(form, append(bytes.Clone(odd), 0), data),
		"an odd chunk, not padded":  riff(form, odd, data),
		"junk before the format":    riff(chunk(le, "JUNK", make([]byte, 28)), form, data),
		"a tag behind":              riff(form, data, chunk(le, "id3 ", []byte("ID3\x04\x00\x00\x00\x00\x00\x00"))),
		"zeros behind":              append(bytes.Clone(good), make([]byte, 999)...),
		"a chunk that is cut":       append(bytes.Clone(good), "LIST\xff\x00\x00\x00ab"...),
		"zeros before":              append(make([]byte, 512), good...),
		"an RF64 of unknown length": append(append([]byte("RF64\xff\xff\xff\xffWAVE"), chunk(le, "ds64", make([]byte, 28))...), bytes.Join([][]byte{form, []byte("data\xff\xff\xff\xff"), data[8:]}, nil)...),
	} {
		same(t, e, name, good, changed)
	}
	for _, n := range []int{100, len(good) - 1000, len(good) - 45} {
		if _, err := e.Encode(good[:n]); reason(err) != feature.ReasonCorrupt {
			t.Errorf("cut to %d of %d bytes: %v", n, len(good), err)
		}
	}
}

// A sample may stand in more bytes than it needs.
func TestWideSamples(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	le := binary.LittleEndian
	sound := tune()
	write := func(align int, put func(b []byte, v int32) []byte) []byte {
		var body []byte
		for _, s := range sound {
			body = put(body, int32(s*(1<<23-1)))
		}
		b := wavFile(wavPCM, 16000, 1, 24, body)
		le.PutUint16(b[32:], uint16(align))
		return b
	}
	low := func(b []byte, v int32) []byte { return append(b, byte(v), byte(v>>8), byte(v>>16)) }
	good := write(3, low)
	same(t, e, "in the high bytes", good, write(4, func(b []byte, v int32) []byte { return le.AppendUint32(b, uint32(v)<<8) }))
	same(t, e, "in the low bytes", good, write(4, func(b []byte, v int32) []byte { return le.AppendUint32(b, uint32(v)) }))
	same(t, e, "a frame of no bytes", good, write(0, low))
	// WAVE_FORMAT_EXTENSIBLE says how many of 32 bits count.
	wide := write(4, func(b []byte, v int32) []byte { return le.AppendUint32(b, uint32(v)<<8) })
	form := append([]byte(nil), wide[20:36]...)
	le.PutUint16(form, wavExtensible)
	le.PutUint16(form[14:], 32)
	form = le.AppendUint16(le.AppendUint16(form, 22), 24)
	form = append(form, "\x04\x00\x00\x00\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"...)
	same(t, e, "extensible", good, riff(chunk(le, "fmt ", form), chunk(le, "data", wide[44:])))
	same(t, e, "extensible, cut short", good, riff(chunk(le, "fmt ", form[:16]), chunk(le, "data", wide[44:])))
}
