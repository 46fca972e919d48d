package image

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"testing"

	"kilim/learner/encode/feature"
)

// progressive is a JPEG of several scans, written by libjpeg (cjpeg -progressive).
func progressive(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/progressive.jpg")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestJPEGWithoutAnEnd(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	for kind, good := range map[string][]byte{"baseline": asJPEG(t, cloth(motifs()[1], red, cream, 0, 0)), "progressive": progressive(t)} {
		open := good[:len(good)-2]
		for name, changed := range map[string][]byte{
			"no EOI":                  open,
			"half of EOI":             good[:len(good)-1],
			"zeros instead of EOI":    append(bytes.Clone(open), make([]byte, 4096)...),
			"a lone SOI behind":       append(bytes.Clone(open), 0xff, 0xd8, 1, 2, 3),
			"an unknown marker":       append(bytes.Clone(open), 0xff, 0x17, 0, 9),
			"a comment that is cut":   append(bytes.Clone(open), 0xff, 0xfe, 0x10, 0, 'x'),
			"fill bytes":              append(bytes.Clone(open), 0xff, 0xff, 0xff),
			"a restart marker behind": append(bytes.Clone(open), 0xff, 0xd3),
		} {
			same(t, e, kind+", "+name, good, changed)
		}
		for _, cut := range []int{len(good) / 3, len(good) - 60} {
			for _, tail := range [][]byte{nil, make([]byte, 500)} {
				if _, err := e.Encode(append(bytes.Clone(good[:cut]), tail...)); reason(err) != feature.ReasonCorrupt && tail == nil {
					t.Errorf("%s, %d of %d bytes: %v, want it refused as corrupt", kind, cut, len(good), err)
				}
			}
		}
	}
	// Between its scans a progressive picture is cut off too, though the decoder would take what there is.
	b := progressive(t)
	for at := 2; ; {
		next := bytes.Index(b[at:], []byte{0xff, 0xda})
		if next < 0 {
			break
		}
		at = endOfScan(b, at+next+4)
		if at < len(b)-2 {
			if _, err := e.Encode(b[:at]); reason(err) != feature.ReasonCorrupt {
				t.Errorf("cut off behind a scan, at %d of %d: %v", at, len(b), err)
			}
		}
	}
}

// A baseline picture needs no memory for coefficients, a progressive one does.
func TestMemoryOfJPEG(t *testing.T) {
	t.Parallel()
	img := image.NewRGBA(image.Rect(0, 0, 400, 300))
	lim := Limits{Memory: 400 * 300 * 3}
	if _, err := encoder(t, lim).Encode(asJPEG(t, img)); err != nil {
		t.Errorf("baseline, with 3 bytes a pixel: %v", err)
	}
	p := progressive(t)
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(p))
	if err != nil {
		t.Fatal(err)
	}
	lim.Memory = int64(cfg.Width*cfg.Height*(3+6)) - 1 // with a quarter of the chroma
	if _, err := encoder(t, lim).Encode(p); reason(err) != feature.ReasonTooManyPixels {
		t.Errorf("progressive, with too little: %v", err)
	}
	lim.Memory++
	if _, err := encoder(t, lim).Encode(p); err != nil {
		t.Errorf("progressive, with enough: %v", err)
	}
}

// A JPEG of four components is CMYK, whether it says so as Adobe does, with its inks inverted, or does not.
func TestCMYKOfJPEG(t *testing.T) {
	t.Parallel()
	e := encoder(t, Limits{})
	adobe, err := os.ReadFile("testdata/cmyk.jpg") // written by libjpeg: a chequered cloth of two inks
	if err != nil {
		t.Fatal(err)
	}
	good, _, err := decode(adobe, e.lim)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(adobe, []byte("\xff\xee\x00\x0eAdobe"))
	img, _, err := decode(append(bytes.Clone(adobe[:at]), adobe[at+16:]...), e.lim)
	if err != nil {
		t.Fatal(err)
	}
	want, got := good.(*image.CMYK).Pix, img.(*image.CMYK).Pix
	for i := range want {
		if got[i] != 0xff-want[i] {
			t.Fatalf("ink %d is %d, and %d when it is inverted", i, got[i], want[i])
		}
	}
}
