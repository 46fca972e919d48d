package tiff

import (
	"encoding/binary"
	"fmt"
	"image/color"
	"testing"
)

// Every layout of the same samples is the same picture.
func TestLayouts(t *testing.T) {
	t.Parallel()
	colours := []struct {
		name        string
		photometric int
		samples     int
		extra       []uint64
		want        func(x, y int) (r, g, b float64)
	}{
		{"gray", blackIsZero, 1, nil, inGray},
		{"gray, white is 0", whiteIsZero, 1, nil, inverted},
		{"gray and what is unknown", blackIsZero, 3, []uint64{0, 0}, inGray},
		{"RGB", rgb, 3, nil, inColour},
		{"RGB and what is unknown", rgb, 5, []uint64{0, 0}, inColour},
		{"RGB and what is not told", rgb, 4, nil, inColour},
		{"CMYK", separated, 4, nil, inInk},
		{"CMYK and a varnish", separated, 5, []uint64{0}, inInk},
	}
	for _, c := range colours {
		depths := []int{8, 16}
		if c.extra == nil && c.photometric != separated {
			depths = []int{1, 2, 4, 8, 12, 16, 32}
		}
		for _, bits := range depths {
			tolerance := 255/float64(uint64(1)<<min(bits, 8)-1) + 1.1 // half of a step of four inks
			for _, compression := range []int{none, packBits, deflate, zStandard} {
				for way := range 16 {
					l := layout{order: binary.LittleEndian, photometric: c.photometric, bits: bits, samples: c.samples, extra: c.extra, compression: compression,
						big: way&1 != 0, planar: way&2 != 0, tiled: way&4 != 0, rows: 7}
					if way&8 != 0 {
						l.order = binary.BigEndian
					}
					l.predicted = bits >= 8 && way&2 == 0 && (compression == deflate || compression == zStandard)
					if l.planar && l.samples == 1 || compression != none && way%5 != 1 {
						continue
					}
					name := fmt.Sprintf("%s, %d bits, compression %d, %+v", c.name, bits, compression, way)
					if off := worst(decode(t, l.write(t)), c.want); off > tolerance {
						t.Fatalf("%s: off by %.1f", name, off)
					}
				}
			}
		}
	}
}

func TestAlpha(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{8, 16} {
		for _, planar := range []bool{false, true} {
			for kind, samples := range map[uint64]int{associated: 4, unassociated: 4} {
				l := layout{photometric: rgb, bits: bits, samples: samples, extra: []uint64{kind}, planar: planar}
				img := decode(t, l.write(t))
				for y := range testH {
					for x := range testW {
						got := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
						if kind == associated { // the samples are those of the premultiplied colour
							got = color.NRGBA(color.RGBAModel.Convert(img.At(x, y)).(color.RGBA))
						}
						want := level(x, y, 3) * 255
						if d := float64(got.A) - want; d > 1 || d < -1 {
							t.Fatalf("%d bits: alpha %d, want %.0f", bits, got.A, want)
						}
						if d := float64(got.R) - level(x, y, 0)*255; got.A == 255 && (d > 1 || d < -1) {
							t.Fatalf("%d bits: red %d, want %.0f", bits, got.R, level(x, y, 0)*255)
						}
					}
				}
			}
			gray := layout{photometric: blackIsZero, bits: bits, samples: 2, extra: []uint64{unassociated}, planar: planar}
			if _, _, _, a := decode(t, gray.write(t)).At(3, 0).RGBA(); a != uint32(level(3, 0, 1)*0xffff) {
				t.Errorf("gray with alpha: %d", a)
			}
		}
	}
}

// A palette whose colours have only 8 bits, as some programs write it, is the same as one with 16.
func TestPalettes(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{1, 4, 8} {
		wide, narrow := make([]uint64, 3<<bits), make([]uint64, 3<<bits)
		for i := range wide {
			v := uint64(i%(1<<bits)) * 255 / (1<<bits - 1)
			narrow[i], wide[i] = v, v*0x101
		}
		for _, palette := range [][]uint64{wide, narrow} {
			l := layout{photometric: paletted, bits: bits, samples: 1, palette: palette}
			if off := worst(decode(t, l.write(t)), inGray); off > 255/float64(uint64(1)<<bits-1)/2+1 {
				t.Errorf("%d bits: off by %.1f", bits, off)
			}
		}
	}
}

func TestYCbCr(t *testing.T) {
	t.Parallel()
	for _, sub := range [][]uint64{{1, 1}, {2, 1}, {2, 2}, {4, 2}, {1, 2}} {
		sx, sy := int(sub[0]), int(sub[1])
		pack := func(_ []uint32, w, h int) []byte {
			var out []byte
			for y := 0; y < h; y += sy {
				for x := 0; x < w; x += sx {
					for j := range sy {
						for i := range sx {
							out = append(out, byte(4*(x+i)+j))
						}
					}
					out = append(out, 90, 170)
				}
			}
			return out
		}
		l := layout{photometric: yCbCr, bits: 8, samples: 3, encode: pack, more: map[uint16][]uint64{tagSubsampling: sub}}
		img := decode(t, l.write(t))
		for y := range testH {
			for x := range testW {
				r, g, b := color.YCbCrToRGB(byte(4*x+y%sy), 90, 170)
				if got := img.At(x, y).(color.RGBA); got != (color.RGBA{r, g, b, 255}) {
					t.Fatalf("%v: %v at %d, %d, want %d %d %d", sub, got, x, y, r, g, b)
				}
			}
		}
	}
}
