package image

import (
	"os"
	"path/filepath"
	"testing"
)

// The files of ../shared/cases were made after others' bug reports; each has a twin, the same picture in a plain form. JPEG
// and WebP lose a little of theirs.
func TestReportedCases(t *testing.T) {
	t.Parallel()
	const cases = "../../../../shared/cases/media"
	if _, err := os.Stat(cases); err != nil {
		t.Skipf("the cases are not here: %v", err)
	}
	e := encoder(t, Limits{})
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(cases, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for _, c := range []struct {
		name, twin string
		least      float64
	}{
		{"planar.tif", "base.png", 0.999999},
		{"g4-black-is-zero.tif", "base-bw.png", 0.999999},
		{"jpeg-in-tiff.tif", "base.png", 0.96},
		{"no-eoi.jpg", "base.jpg", 0.999999},
		{"animated.webp", "base.png", 0.95},
		{"36mp.jpg", "", 0},
	} {
		got, err := e.Encode(read(c.name))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.twin == "" {
			continue
		}
		if cos := cosine(vector(t, e, read(c.twin)), got); cos < c.least {
			t.Errorf("%s: cosine %.6f with %s", c.name, cos, c.twin)
		}
	}
}
