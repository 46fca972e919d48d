package tiff

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// What a header leaves out or says wrongly and every viewer guesses.
func TestCarelessFiles(t *testing.T) {
	t.Parallel()
	base := layout{photometric: rgb, bits: 8, samples: 3, rows: 10}
	for name, change := range map[string]func(*layout){
		"no lengths":           func(l *layout) { l.leave = []uint16{tagStripCounts} },
		"lengths of 0":         func(l *layout) { l.more = map[uint16][]uint64{tagStripCounts: {0, 0, 0}} },
		"lengths beyond":       func(l *layout) { l.more = map[uint16][]uint64{tagStripCounts: {1 << 31, 1 << 31, 1 << 31}} },
		"no compression":       func(l *layout) { l.leave = []uint16{tagCompression} },
		"no photometric":       func(l *layout) { l.leave = []uint16{tagPhotometric} },
		"one number of bits":   func(l *layout) { l.more = map[uint16][]uint64{tagBits: {8}} },
		"an unknown tag":       func(l *layout) { l.more = map[uint16][]uint64{700: {1, 2, 3}} },
		"bytes of a camera":    func(l *layout) { l.raw = map[uint16][]byte{700: make([]byte, 3000)} },
		"a predictor of none":  func(l *layout) { l.more = map[uint16][]uint64{tagPredictor: {2}} },
		"deflate, no lengths":  func(l *layout) { l.compression, l.leave = deflate, []uint16{tagStripCounts} },
		"packbits, no lengths": func(l *layout) { l.compression, l.leave = packBits, []uint16{tagStripCounts} },
	} {
		l := base
		change(&l)
		if off := worst(decode(t, l.write(t)), inColour); off > 1 {
			t.Errorf("%s: off by %.1f", name, off)
		}
	}
	// A checksum that is cut off, as the last strip's end code may be.
	l := layout{photometric: blackIsZero, bits: 8, samples: 1, encode: func(v []uint32, w, h int) []byte {
		b := layout{photometric: blackIsZero, bits: 8, samples: 1, compression: deflate}.block(t, 0, 0, 0, w, h)
		return b[:len(b)-4]
	}, compression: deflate}
	if off := worst(decode(t, l.write(t)), inGray); off > 1 {
		t.Errorf("without a checksum: off by %.1f", off)
	}
}

// What is not read is refused by its name, what is broken as such; both before memory is taken.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		l    layout
		want string
	}{
		"floats":        {layout{photometric: blackIsZero, bits: 32, samples: 1, more: map[uint16][]uint64{tagSampleFormat: {3}}}, "floating-point"},
		"signed":        {layout{photometric: blackIsZero, bits: 16, samples: 1, more: map[uint16][]uint64{tagSampleFormat: {2}}}, "signed"},
		"CIELab":        {layout{photometric: 8, bits: 8, samples: 3}, "CIELab"},
		"JPEG 2000":     {layout{photometric: rgb, bits: 8, samples: 3, more: map[uint16][]uint64{tagCompression: {34712}}}, "JPEG 2000"},
		"LZMA":          {layout{photometric: rgb, bits: 8, samples: 3, more: map[uint16][]uint64{tagCompression: {34925}}}, "LZMA"},
		"old JPEG":      {layout{photometric: yCbCr, bits: 8, samples: 3, more: map[uint16][]uint64{tagCompression: {jpegOld}}}, "old style"},
		"less chroma":   {layout{photometric: yCbCr, bits: 8, samples: 3, planar: true, compression: jpegNew, encode: func([]uint32, int, int) []byte { return nil }}, "in planes"},
		"5 6 5 bits":    {layout{photometric: rgb, bits: 8, samples: 3, more: map[uint16][]uint64{tagBits: {5, 6, 5}}}, "[5 6 5] bits"},
		"64 bits":       {layout{photometric: blackIsZero, bits: 8, samples: 1, more: map[uint16][]uint64{tagBits: {64}}}, "64 bits"},
		"other inks":    {layout{photometric: separated, bits: 8, samples: 4, more: map[uint16][]uint64{tagInkSet: {2}}}, "CMYK"},
		"a filter":      {layout{photometric: 32803, bits: 16, samples: 1}, "colour filter"},
		"predictor 3":   {layout{photometric: rgb, bits: 8, samples: 3, more: map[uint16][]uint64{tagPredictor: {3}}}, "predictor 3"},
		"two of colour": {layout{photometric: separated, bits: 8, samples: 3}, "needs 4"},
		"no width":      {layout{photometric: rgb, bits: 8, samples: 3, leave: []uint16{tagWidth}}, "size"},
		"no offsets":    {layout{photometric: rgb, bits: 8, samples: 3, leave: []uint16{tagStripOffsets}}, "places"},
	} {
		f, err := Open(c.l.write(t))
		if err == nil {
			_, err = f.Decode()
		}
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(c.want)) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
}

// Files that are cut, at each byte, and files with changed bytes are refused or read, without a panic.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 18))
	for _, l := range []layout{
		{photometric: rgb, bits: 8, samples: 3, rows: 7}, {photometric: rgb, bits: 16, samples: 4, planar: true, tiled: true, compression: deflate, predicted: true, big: true},
		{photometric: blackIsZero, bits: 1, samples: 1, compression: packBits}, {photometric: yCbCr, bits: 8, samples: 3, more: map[uint16][]uint64{tagSubsampling: {2, 2}}},
	} {
		whole := l.write(t)
		try := func(b []byte) {
			f, err := Open(b)
			if err != nil || f.Memory() > 1<<20 {
				return
			}
			_, _ = f.Decode()
		}
		for n := range whole {
			try(whole[:n])
		}
		for range 1000 {
			b := bytes.Clone(whole)
			for range 1 + rng.IntN(4) {
				b[rng.IntN(len(b))] = byte(rng.Uint32())
			}
			try(b)
		}
	}
}
