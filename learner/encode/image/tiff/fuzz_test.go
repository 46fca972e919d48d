package tiff

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzDecode reads whatever comes as a TIFF: it is refused with a reason, or is as large as its header says.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/small-*.tif")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, l := range []layout{
		{photometric: rgb, bits: 8, samples: 3, planar: true, tiled: true, compression: deflate, predicted: true},
		{photometric: separated, bits: 16, samples: 5, rows: 9, compression: packBits, big: true},
		{photometric: yCbCr, bits: 8, samples: 3, more: map[uint16][]uint64{tagSubsampling: {2, 2}}},
		{photometric: blackIsZero, bits: 12, samples: 2, extra: []uint64{2}, compression: zStandard},
	} {
		f.Add(l.write(f))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Open(b)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("no reason")
			}
			return
		}
		cfg := file.Config()
		if cfg.Width < 1 || cfg.Height < 1 {
			t.Fatalf("%d x %d pixels", cfg.Width, cfg.Height)
		}
		if file.Memory() > 1<<20 {
			return
		}
		img, err := file.Decode()
		if err == nil && (img.Bounds().Dx() != cfg.Width || img.Bounds().Dy() != cfg.Height) {
			t.Fatalf("%v, the header says %d x %d", img.Bounds(), cfg.Width, cfg.Height)
		}
	})
}
