package tiff

import (
	"bytes"
	"image"
	"os"
	"path/filepath"
	"testing"
)

// runs is the page of testdata/runs-*.tif, which libtiff 4.5 wrote: black and white runs of all lengths of codes.
func runs() func(x, y int) bool {
	lengths := make([]int, 0, 400)
	for n := range 130 {
		lengths = append(lengths, n)
	}
	for k := 2; k < 41; k++ {
		for _, j := range []int{0, 1, 63, 37, 5} {
			lengths = append(lengths, 64*k+j)
		}
	}
	return func(x, y int) bool {
		from := y * 7 % 50
		to := min(2700, from+lengths[y%len(lengths)])
		return x >= from && x < to || y%3 == 0 && x >= to+3
	}
}

// figure is the page of testdata/small-*.tif.
func figure(x, y int) bool {
	d := x - 2*y
	return x < 7 && y > 3 || d > -2 && d < 2 || y == 20 || x > 50 && x*y%3 == 0
}

// setTag changes the value of a tag of a little-endian file.
func setTag(t *testing.T, b []byte, tag uint16, value byte) []byte {
	t.Helper()
	d, err := readIFD(b)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(b)
	at := int(d.order.Uint32(b[4:])) + 2
	for ; d.order.Uint16(b[at:]) != tag; at += 12 {
	}
	out[at+8] = value
	return out
}

// A page is black where it was, whether its black is 0 or 1, in every code of CCITT, with the low bits first too.
func TestFaxPages(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.tif")
	if err != nil || len(files) != 8 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want := runs()
		if filepath.Base(name)[:5] == "small" {
			want = figure
		}
		for photometric, black := range map[byte]byte{blackIsZero: 0, whiteIsZero: 255} {
			img := decode(t, setTag(t, b, tagPhotometric, photometric)).(*image.Gray)
			wrong := 0
			for y := range img.Rect.Dy() {
				for x := range img.Rect.Dx() {
					if (img.Pix[y*img.Stride+x] == black) != want(x, y) {
						wrong++
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%s, photometric interpretation %d: %d pixels are wrong", name, photometric, wrong)
			}
		}
	}
}

// A page that ends in its last row without an end code is read, one that ends before is not.
func TestFaxPagesWithoutAnEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form int
		b    []byte // two rows of 8 white pixels
		ok   bool
	}{
		{fax4, []byte{0b11_000000}, true}, {fax4, []byte{0b11}, false}, {fax4, nil, false},
		{faxBytes, []byte{0b10011_000, 0b10011_000}, true}, {faxBytes, []byte{0b10011_000}, false}, {faxBytes, []byte{0, 0}, false},
		{fax3, []byte{0, 1, 0b10011_000, 0, 0b00000001, 0b10011_000}, true}, {fax3, []byte{0, 1, 0b10011_000, 0}, false},
	} {
		out := []byte{0xaa, 0xaa}
		err := newFax(c.form, 0, false).decode(out, c.b, 8, 2)
		if (err == nil) != c.ok || c.ok && (out[0] != 0 || out[1] != 0) {
			t.Errorf("compression %d, %08b: %v, %08b", c.form, c.b, err, out)
		}
	}
}

// Codes of runs of no pixels take no memory.
func TestFaxRunsOfNothing(t *testing.T) {
	t.Parallel()
	b := bytes.Repeat([]byte{0b001_00110, 0b101_00001, 0b10111_001, 0b00110101, 0b00001101, 0b11_001_001}, 1<<16) // horizontal, 0, 0
	out := make([]byte, 1)
	if err := newFax(fax4, 0, false).decode(out, b, 8, 1); err == nil {
		t.Error("read")
	}
}
