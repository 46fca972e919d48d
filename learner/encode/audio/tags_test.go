package audio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kilim/learner/encode/feature"
)

func TestTagsAndPadding(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	files := sample(t)
	le := binary.LittleEndian
	sync := bytes.Repeat([]byte{0xff, 0xfb, 0x90, 0x64, 'x'}, 40)
	id3v1 := append([]byte("TAG"), sync[:125]...)
	apeFoot := func(size int, flags byte) []byte {
		b := le.AppendUint32(append([]byte("APETAGEX"), 0xd0, 7, 0, 0), uint32(size))
		return append(b, 1, 0, 0, 0, 0, 0, 0, flags, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	ape := bytes.Join([][]byte{apeFoot(232, 0xa0), sync, apeFoot(232, 0x80)}, nil)
	bare := bytes.Join([][]byte{sync, apeFoot(232, 0)}, nil)
	lyrics := append([]byte("LYRICSBEGIN"), sync...)
	lyrics = append(lyrics, "000211LYRICS200"...)
	id3 := append([]byte("ID3\x04\x00\x00\x00\x00\x01\x48"), sync...)
	short := []byte("ID3\x04\x00\x00\x00\x00\x00\x10")
	rng := rand.New(rand.NewPCG(3, 18))
	for range 200_000 { // a picture, which has a sync here and there
		short = append(short, byte(rng.Uint32()))
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, name := range []string{"MP3", "FLAC"} {
		good := files[name]
		for what, changed := range map[string][]byte{
			"ID3v1":                      join(good, id3v1),
			"APE behind":                 join(good, ape),
			"APE without a header":       join(good, bare),
			"APE and ID3v1":              join(good, ape, id3v1),
			"Lyrics3 and ID3v1":          join(good, lyrics, id3v1),
			"Lyrics3, version 1":         join(good, []byte("LYRICSBEGIN"), sync, []byte("LYRICSEND"), id3v1),
			"an extended ID3v1":          join(good, []byte("TAG+"), sync, make([]byte, 23), id3v1),
			"ID3v2 before":               join(id3, good),
			"two of ID3v2":               join(id3, id3, good),
			"ID3v2, zeros and ID3v2":     join(id3, make([]byte, 777), id3, good),
			"zeros behind ID3v2":         join(id3, make([]byte, 3000), good),
			"zeros before":               join(make([]byte, 3000), good),
			"APE before":                 join(ape[:32], sync, apeFoot(232, 0x80), good),
			"everything before and then": join(id3, make([]byte, 10), good, ape, lyrics, id3v1),
		} {
			same(t, e, name+", "+what, good, changed)
		}
	}
	mp3 := files["MP3"]
	same(t, e, "MP3, junk before", mp3, join([]byte("not a frame \xff\xfb\x90"), mp3))
	same(t, e, "MP3, a tag that is larger than it says", mp3, join(short, mp3))
	flac := files["FLAC"]
	same(t, e, "FLAC, zeros behind", flac, join(flac, make([]byte, 5000)))
	same(t, e, "FLAC, junk behind", flac, join(flac, []byte("and more")))
	unknown := bytes.Clone(flac)
	unknown[8+13] &= 0xf0 // the number of samples: 36 bits, behind the rate, channels and bits
	clear(unknown[8+14 : 8+18])
	same(t, e, "FLAC, of an unknown length", flac, unknown)
	same(t, e, "FLAC, of an unknown length, with zeros behind", flac, join(unknown, make([]byte, 5000)))
	same(t, e, "FLAC, of an unknown length, with a tag behind", flac, join(unknown, id3v1))
	if _, err := e.Encode(join(unknown[:len(unknown)/2], make([]byte, 100))); reason(err) != feature.ReasonCorrupt {
		t.Errorf("FLAC, of an unknown length, cut off: %v", err)
	}
	for what, data := range map[string][]byte{
		"junk of 2 MB before": join(bytes.Repeat([]byte("la"), 1<<20), mp3),
		"a zip":               join([]byte("PK\x03\x04"), bytes.Repeat([]byte{0xff, 0xfb, 0x90, 0x64}, 1000)),
	} {
		if _, err := e.Encode(data); reason(err) != feature.ReasonUnknownFormat {
			t.Errorf("%s: %v", what, err)
		}
	}
	// MP3 in WAV.
	form := le.AppendUint32(le.AppendUint16(le.AppendUint16(nil, wavMP3), 1), 16000)
	form = append(form, make([]byte, 8)...)
	same(t, e, "MP3 in WAV", mp3, riff(chunk(le, "fmt ", form), chunk(le, "data", mp3)))
}

// Tags without end take no time and no stack.
func TestAMillionTags(t *testing.T) {
	t.Parallel()
	tags := bytes.Repeat([]byte("ID3\x04\x00\x00\x00\x00\x00\x00\x00"), 1<<20)
	if rest, tagged := skipTags(tags); !tagged || len(rest) > 1 {
		t.Errorf("%d bytes are left, %v", len(rest), tagged)
	}
	if rest := dropTags(bytes.Repeat([]byte("TAG"+string(make([]byte, 125))), 1<<10)); len(rest) > 128 {
		t.Errorf("%d bytes are left", len(rest))
	}
}

// What stands around the sound, in any number and order, changes nothing of it.
func TestHarmlessChangesTogether(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	files := sample(t)
	rng := rand.New(rand.NewPCG(18, 10))
	zeros := func() []byte { return make([]byte, rng.IntN(2000)) }
	filler := func() []byte {
		b := make([]byte, rng.IntN(500))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	id3 := func() []byte {
		body := filler()
		n := len(body)
		return append([]byte{'I', 'D', '3', 3, 0, 0, 0, 0, byte(n >> 7), byte(n & 0x7f)}, body...)
	}
	ape := func() []byte {
		body := filler()
		foot := append([]byte("APETAGEX\xd0\x07\x00\x00"), byte(len(body)+32), byte((len(body)+32)>>8), 0, 0)
		return append(append(body, foot...), make([]byte, 16)...)
	}
	id3v1 := func() []byte { return append([]byte("TAG"), make([]byte, 125)...) }
	changes := 12
	if testing.Short() { // it runs on one goroutine, where the race detector finds nothing
		changes = 2
	}
	for _, name := range []string{"MP3", "FLAC", "WAV", "Ogg Vorbis", "Ogg Opus"} {
		for i := range changes {
			changed := files[name]
			for range rng.IntN(4) {
				changed = append([][]byte{id3(), append(zeros(), id3()...), id3()}[rng.IntN(3)], changed...)
			}
			changed = slices.Clone(changed)
			for range rng.IntN(4) {
				changed = append(changed, [][]byte{ape(), id3v1()}[rng.IntN(2)]...)
			}
			same(t, e, fmt.Sprintf("%s, change %d", name, i), files[name], changed)
		}
	}
}
