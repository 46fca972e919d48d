package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"kilim/learner/encode/feature"
	own "kilim/learner/encode/image/tiff"
)

func reason(err error) string {
	if r, ok := feature.AsRefusal(err); ok {
		return r.Reason
	}
	return ""
}

func TestEveryFormatIsSeenAlike(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	pictures := sample(t)
	want := vector(t, e, pictures["PNG"])
	for name, data := range pictures {
		v := vector(t, e, data)
		if c := cosine(want, v); c < 0.95 {
			t.Errorf("%s: cosine with the PNG is %.3f", name, c)
		}
		_, format, err := decode(data, e.lim)
		if err != nil || !strings.HasPrefix(name, format) {
			t.Errorf("%s: read as %q, %v", name, format, err)
		}
	}
}

// sides are, by EXIF orientation, where the stored row 0 and column 0 are seen (CIPA DC-008,
// 4.6.5).
var sides = [9][2]string{1: {"top", "left"}, 2: {"top", "right"}, 3: {"bottom", "right"}, 4: {"bottom", "left"},
	5: {"left", "top"}, 6: {"right", "top"}, 7: {"right", "bottom"}, 8: {"left", "bottom"}}

// stored is the picture that is seen as img when the orientation is followed.
func stored(img image.Image, orientation int) *image.RGBA {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	sw, sh := w, h
	if orientation >= 5 {
		sw, sh = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, sw, sh))
	for row := range sh {
		for col := range sw {
			var x, y int
			for i, n := range [2]int{row, col} {
				switch sides[orientation][i] {
				case "top":
					y = n
				case "bottom":
					y = h - 1 - n
				case "left":
					x = n
				case "right":
					x = w - 1 - n
				}
			}
			out.Set(col, row, img.At(x, y))
		}
	}
	return out
}

// exif is a TIFF header with the one tag (CIPA DC-008, 4.5 and 4.6.5).
func exif(orientation int, order binary.AppendByteOrder) []byte {
	b := []byte("II")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM")
	}
	b = order.AppendUint16(b, 42)
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, 0x112)
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, uint16(orientation))
	b = order.AppendUint16(b, 0)
	return order.AppendUint32(b, 0)
}

func TestOrientationIsFollowed(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	// No symmetry at all, so that each turn is another picture.
	img := cloth(motifs()[1], red, cream, 0, 0)
	for y := range 40 {
		for x := range 30 {
			img.SetRGBA(x, y, blue)
		}
	}
	want := vector(t, e, asPNG(t, img))
	for o := 1; o <= 8; o++ {
		raw := stored(img, o)
		jpg := asJPEG(t, raw)
		app1 := append([]byte("Exif\x00\x00"), exif(o, binary.BigEndian)...)
		head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(app1)+2))
		pic := asPNG(t, raw)
		const ihdr = 8 + 25
		for name, data := range map[string][]byte{
			"JPEG": bytes.Join([][]byte{head, app1, jpg[2:]}, nil),
			"PNG":  bytes.Join([][]byte{pic[:ihdr], pngChunk("eXIf", exif(o, binary.LittleEndian)), pic[ihdr:]}, nil),
		} {
			if c := cosine(want, vector(t, e, data)); c < 0.97 {
				t.Errorf("%s, orientation %d: cosine %.3f with the upright picture", name, o, c)
			}
		}
		if o > 1 {
			if c := cosine(want, vector(t, e, pic)); c > 0.97 {
				t.Errorf("orientation %d makes no difference (cosine %.3f): this test shows nothing", o, c)
			}
		}
	}
}

func TestBrokenMetadataLeavesThePicture(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	jpg := asJPEG(t, cloth(motifs()[0], red, cream, 0, 0))
	want := vector(t, e, jpg)
	for name, tag := range map[string][]byte{
		"orientation 9":       exif(9, binary.BigEndian),
		"orientation 0":       exif(0, binary.BigEndian),
		"cut":                 exif(6, binary.BigEndian)[:13],
		"offset far away":     append([]byte("MM\x00*\x7f\xff\xff\xff"), make([]byte, 20)...),
		"offset to itself":    append([]byte("MM\x00*\x00\x00\x00\x00"), make([]byte, 20)...),
		"a million of tags":   append([]byte("MM\x00*\x00\x00\x00\x08\xff\xff"), make([]byte, 20)...),
		"nothing but a magic": []byte("MM\x00*"),
	} {
		app1 := append([]byte("Exif\x00\x00"), tag...)
		head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(app1)+2))
		if c := cosine(want, vector(t, e, bytes.Join([][]byte{head, app1, jpg[2:]}, nil))); c < 0.9999 {
			t.Errorf("%s: cosine %.3f with the picture without", name, c)
		}
	}
}

// bombs are headers that promise about 10^9 pixels (or as many as the format can), with
// little behind them.
func bombs() map[string][]byte {
	const side = 31_623
	be, le := binary.BigEndian, binary.LittleEndian
	ihdr := be.AppendUint32(be.AppendUint32(nil, side), side)
	out := map[string][]byte{
		"PNG": append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", append(ihdr, 8, 6, 0, 0, 0))...),
		"GIF": append(le.AppendUint16(le.AppendUint16([]byte("GIF89a"), side), side), 0x80, 0, 0, 0, 0, 0, 255, 255, 255),
		"JPEG": append(be.AppendUint16(be.AppendUint16([]byte("\xff\xd8\xff\xc0\x00\x11\x08"), side), side),
			3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0),
		"WebP lossless": append(le.AppendUint32([]byte("RIFF\x20\x00\x00\x00WEBPVP8L\x0a\x00\x00\x00\x2f"), 0x3fff|0x3fff<<14), make([]byte, 16)...),
		"WebP canvas":   append([]byte("RIFF\x20\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x86\x7b\x00\x86\x7b\x00"), make([]byte, 16)...),
	}
	dib := le.AppendUint32([]byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00"), 40)
	dib = le.AppendUint32(le.AppendUint32(dib, side), side)
	out["BMP"] = append(dib, append([]byte{1, 0, 24, 0}, make([]byte, 24)...)...)
	tags := [][3]uint32{{256, 4, side}, {257, 4, side}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1}, {273, 4, 8}, {277, 3, 1}, {278, 4, side}, {279, 4, 100}}
	ifd := le.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), uint16(len(tags)))
	for _, tag := range tags {
		ifd = le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(ifd, uint16(tag[0])), uint16(tag[1])), 1), tag[2])
	}
	out["TIFF"] = append(ifd, make([]byte, 200)...)
	return out
}

// allocated is how many bytes fn takes in all. Tests that use it are not parallel.
func allocated(fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestBombsAreRefusedBeforeDecoding(t *testing.T) {
	e := encoder(t, Limits{})
	for name, data := range bombs() {
		var err error
		took := allocated(func() { _, err = e.Encode(data) })
		if reason(err) != feature.ReasonTooManyPixels {
			t.Errorf("%s: %v, want it refused for its pixels", name, err)
		}
		if took > 1<<20 {
			t.Errorf("%s: took %d bytes to be refused", name, took)
		}
	}
}

func TestHeadersThatLieTakeBoundedMemory(t *testing.T) {
	lim := Limits{Pixels: 1 << 16, Memory: 2 << 20}
	e := encoder(t, lim)
	le := binary.LittleEndian
	tile := func(w, h uint32) []byte {
		tags := [][3]uint32{{256, 4, 16}, {257, 4, 16}, {258, 3, 8}, {259, 3, 8}, {262, 3, 1}, {277, 3, 1}, {322, 4, w}, {323, 4, h}, {324, 4, 8}, {325, 4, 100}}
		ifd := le.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), uint16(len(tags)))
		for _, tag := range tags {
			ifd = le.AppendUint32(le.AppendUint32(le.AppendUint16(le.AppendUint16(ifd, uint16(tag[0])), uint16(tag[1])), 1), tag[2])
		}
		return append(ifd, make([]byte, 200)...)
	}
	bomb := written(t, func(b *bytes.Buffer) error {
		return tiff.Encode(b, image.NewGray(image.Rect(0, 0, 8_000, 8_000)), &tiff.Options{Compression: tiff.Deflate})
	})
	// The header says 16 x 16, the strip unpacks to 64 MB.
	shrunk := bytes.Clone(bomb)
	at := int(le.Uint32(shrunk[4:]))
	for i := range int(le.Uint16(shrunk[at:])) {
		entry := shrunk[at+2+12*i:]
		switch le.Uint16(entry) {
		case 256, 257, 278:
			le.PutUint32(entry[8:], 16)
			le.PutUint16(entry[2:], 4)
		}
	}
	frame := []byte("RIFF\x40\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x0f\x00\x00\x0f\x00\x00VP8L\x10\x00\x00\x00\x2f")
	frame = append(le.AppendUint32(frame, 0x3fff|0x3fff<<14), make([]byte, 32)...)
	for name, data := range map[string][]byte{
		"tiles of 2^30 pixels a side": tile(1<<30, 1<<30), "tiles of 2^15": tile(1<<15, 1<<15), "tiles of none": tile(0, 0),
		"a strip that unpacks to 64 MB": shrunk, "a WebP frame beyond its canvas": frame,
	} {
		var err error
		took := allocated(func() { _, err = e.Encode(data) })
		if _, ok := feature.AsRefusal(err); err != nil && !ok {
			t.Errorf("%s: %v is no refusal", name, err)
		}
		if took > 32<<20 {
			t.Errorf("%s: took %d bytes (%v)", name, took, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{Bytes: 1 << 20, Pixels: 1 << 16, Memory: 1 << 20})
	good := sample(t)
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"no bytes", feature.ReasonEmpty, nil},
		{"text", feature.ReasonUnknownFormat, []byte("a picture, believe me")},
		{"HTML", feature.ReasonUnknownFormat, []byte("<html><img src=x>")},
		{"SVG", feature.ReasonUnsupported, []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")},
		{"a picture in a PDF", feature.ReasonUnsupported, append([]byte("%PDF-1.4\n"), good["JPEG"]...)},
		{"a picture behind a zip", feature.ReasonUnknownFormat, append([]byte("PK\x03\x04"), good["PNG"]...)},
		{"a sound", feature.ReasonUnknownFormat, []byte("RIFF\x24\x00\x00\x00WAVEfmt ")},
		{"a script in a GIF", feature.ReasonTooManyPixels, []byte("GIF89a/*\x00*/=1;alert(1)//")},
		{"only a magic", feature.ReasonCorrupt, []byte("\xff\xd8\xff")},
		{"too many bytes", feature.ReasonTooManyBytes, append(bytes.Clone(good["PNG"]), make([]byte, 1<<20)...)},
		{"too many pixels", feature.ReasonTooManyPixels, asPNG(t, image.NewGray(image.Rect(0, 0, 257, 256)))},
		{"a line too long", feature.ReasonTooManyPixels, asPNG(t, image.NewGray(image.Rect(0, 0, 1<<16+1, 1)))},
	} {
		_, err := e.Encode(c.data)
		if reason(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	deep := image.NewNRGBA64(image.Rect(0, 0, 200, 200)) // 8 bytes a pixel
	deep.Pix[1] = 1
	data := asPNG(t, deep)
	if _, err := encoder(t, Limits{Memory: 200 * 200 * 8}).Encode(data); err != nil {
		t.Errorf("just enough: %v", err)
	}
	if _, err := encoder(t, Limits{Memory: 200*200*8 - 1}).Encode(data); reason(err) != feature.ReasonTooManyPixels {
		t.Errorf("a byte too little: %v", err)
	}
}

func TestTruncatedPicturesAreRefused(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	for name, data := range sample(t) {
		for _, keep := range []int{len(data) / 4, len(data) / 2, len(data) - len(data)/8} {
			if _, err := e.Encode(data[:keep]); reason(err) != feature.ReasonCorrupt {
				t.Errorf("%s, %d of %d bytes: %v, want it refused as corrupt", name, keep, len(data), err)
			}
		}
	}
}

// What stands behind a picture is not looked at, and no other decoder runs on it.
func TestWhatFollowsAPictureIsIgnored(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	for name, data := range sample(t) {
		want := vector(t, e, data)
		got := vector(t, e, append(bytes.Clone(data), "PK\x03\x04 and <script>"...))
		if cosine(want, got) < 0.999999 {
			t.Errorf("%s: another picture with a tail", name)
		}
	}
}

func TestLimitsAreChecked(t *testing.T) {
	t.Parallel()
	for _, lim := range []Limits{{Bytes: -1}, {Pixels: -1}, {Memory: -1}} {
		if _, err := New(lim); err == nil || !strings.Contains(err.Error(), "-1") {
			t.Errorf("%+v: %v", lim, err)
		}
	}
}

func TestDecoderErrorsKeepTheirCause(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]string{
		jpeg.UnsupportedError("x"): feature.ReasonUnsupported, png.UnsupportedError("x"): feature.ReasonUnsupported,
		own.UnsupportedError("x"): feature.ReasonUnsupported, errors.New("x"): feature.ReasonCorrupt,
	} {
		if r := unreadable(format{name: "X"}, err); r.Reason != want || !strings.Contains(r.Detail, "x") {
			t.Errorf("%T: %v, want %s", err, r, want)
		}
	}
}
