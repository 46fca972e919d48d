package audio

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"kilim/learner/encode/feature"
)

func TestOpus(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	good := sample(t)["Ogg Opus"]
	last := bytes.LastIndex(good, []byte("OggS"))
	open := bytes.Clone(good)
	open[last+5] &^= 4
	binary.LittleEndian.PutUint64(open[last+6:], math.MaxUint64) // and no end that trims
	rechecksum(open)
	if c := cosine(vector(t, e, good), vector(t, e, open)); c < 0.999 {
		t.Errorf("without a last page: cosine %.4f", c)
	}
	for _, file := range [][]byte{good, open} {
		same(t, e, "zeros behind", file, append(bytes.Clone(file), make([]byte, 300)...))
		same(t, e, "a tag behind", file, append(bytes.Clone(file), "TAG"+string(make([]byte, 125))...))
	}
	packets := newOggPackets(good)
	head, err := packets.next()
	if err != nil {
		t.Fatal(err)
	}
	six := bytes.Clone(head)
	six[9], six[18] = 6, 1
	one := append(bytes.Clone(head), 1, 0, 0) // one stream, none of two channels, and its place
	one[18] = 1
	first := 27 + 1 + len(head)
	same(t, e, "one stream of family 1", good, append(page(2, 0, one), renumbered(good[first:], binary.LittleEndian.Uint32(page(2, 0, one)[14:]))...))
	later := bytes.Clone(head)
	later[8] = 16
	for name, c := range map[string]struct {
		want string
		data []byte
	}{
		"6 channels":      {feature.ReasonUnsupported, page(2, 0, six)},
		"version 16":      {feature.ReasonUnsupported, page(2, 0, later)},
		"a header alone":  {feature.ReasonCorrupt, page(2, 0, head)},
		"no tags":         {feature.ReasonCorrupt, append(page(2, 0, bytes.Clone(head)), page(0, 0, []byte("OpusTugs"))...)},
		"cut in a page":   {feature.ReasonCorrupt, good[:len(good)-30]},
		"cut in a header": {feature.ReasonCorrupt, good[:40]},
	} {
		if _, err := e.Encode(c.data); reason(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// A Vorbis stream that was recorded from a broadcast has no last page.
func TestVorbisWithoutALastPage(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	good := sample(t)["Ogg Vorbis"]
	last := bytes.LastIndex(good, []byte("OggS"))
	open := bytes.Clone(good)
	open[last+5] &^= 4
	rechecksum(open)
	if c := cosine(vector(t, e, good), vector(t, e, open)); c < 0.999 {
		t.Errorf("cosine %.4f", c)
	}
	for _, file := range [][]byte{good, open} {
		same(t, e, "zeros behind", file, append(bytes.Clone(file), make([]byte, 300)...))
		same(t, e, "a tag behind", file, append(bytes.Clone(file), "TAG"+string(make([]byte, 125))...))
	}
	if _, err := e.Encode(good[:last]); reason(err) != feature.ReasonCorrupt || !bytes.Contains([]byte(err.Error()), []byte("cut off")) {
		t.Errorf("headers alone: %v", err)
	}
}

// renumbered gives the pages of a stream another serial number.
func renumbered(b []byte, serial uint32) []byte {
	out := bytes.Clone(b)
	for at := 0; at < len(out); {
		binary.LittleEndian.PutUint32(out[at+14:], serial)
		laces := out[at+27 : at+27+int(out[at+26])]
		at += 27 + len(laces)
		for _, lace := range laces {
			at += int(lace)
		}
	}
	rechecksum(out)
	return out
}
