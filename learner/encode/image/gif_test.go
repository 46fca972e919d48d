package image

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/gif"
	"testing"

	"kilim/learner/encode/feature"
)

func TestGIFWithMoreThanPixels(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	good := sample(t)["GIF"]
	frame := gifScreen + gifTable(good[10])
	for good[frame] != gifImage {
		frame += 8
	}
	put := func(at int, more string) []byte {
		return bytes.Join([][]byte{good[:at], []byte(more), good[at:]}, nil)
	}
	end := len(good) - 1 // of the pixels
	small := bytes.Clone(good)
	binary.LittleEndian.PutUint16(small[6:], 20)
	none := bytes.Clone(good)
	clear(none[6:10])
	for name, changed := range map[string][]byte{
		"no trailer":                               good[:end],
		"no empty block at the end":                good[:end-1],
		"zeros before the frame":                   put(frame, "\x00\x00\x00"),
		"a comment":                                put(frame, "\x21\xfe\x05woven\x00"),
		"a strange extension":                      put(frame, "\x21\x42\x02ab\x00"),
		"a comment that is cut, behind":            append(bytes.Clone(good[:end]), "\x21\xfe\x50wov"...),
		"junk behind":                              append(bytes.Clone(good[:end]), "junk"...),
		"a frame that leaves the screen, as it is": small,
		"a screen of nothing":                      none,
	} {
		same(t, e, name, good, changed)
	}
	two := &gif.GIF{Delay: []int{1, 1}}
	for range 2 {
		img, err := gif.Decode(bytes.NewReader(good))
		if err != nil {
			t.Fatal(err)
		}
		two.Image = append(two.Image, img.(*image.Paletted))
	}
	animated := written(t, func(b *bytes.Buffer) error { return gif.EncodeAll(b, two) })
	same(t, e, "an animation", good, animated)
	same(t, e, "an animation that is cut off in its second frame", good, animated[:len(animated)-20])
	if _, err := e.Encode(good[:end-20]); reason(err) != feature.ReasonCorrupt {
		t.Errorf("cut off in its pixels: %v", err)
	}
}
