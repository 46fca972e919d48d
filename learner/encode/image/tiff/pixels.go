package tiff

import (
	"fmt"
	"image"
	"image/color"
)

// canvas is the picture that is filled, seen as its bytes.
type canvas struct {
	img      image.Image
	pix      []byte
	stride   int
	channels int
	depth    int     // bytes of a channel, the high one first
	to       [][]int // the channels that a sample of a pixel goes to
}

// canvas makes the picture of a size. Its type is the narrowest that holds the samples.
func (f *File) canvas(r image.Rectangle) canvas {
	deep := f.bits > 8
	c := canvas{channels: 4, depth: 1, to: [][]int{{0}, {1}, {2}}}
	if deep {
		c.depth = 2
	}
	gray := f.colours() == 1
	switch {
	case f.photometric == separated:
		img := image.NewCMYK(r)
		c.img, c.pix, c.stride, c.depth = img, img.Pix, img.Stride, 1
		c.to = append(c.to, []int{3})
		return c
	case f.photometric == paletted:
		img := image.NewPaletted(r, f.palette)
		c.img, c.pix, c.stride, c.channels, c.to = img, img.Pix, img.Stride, 1, c.to[:1]
		return c
	case gray && f.alpha != associated && f.alpha != unassociated:
		c.channels, c.to = 1, c.to[:1]
		if deep {
			img := image.NewGray16(r)
			c.img, c.pix, c.stride = img, img.Pix, img.Stride
		} else {
			img := image.NewGray(r)
			c.img, c.pix, c.stride = img, img.Pix, img.Stride
		}
		return c
	case f.alpha == unassociated && deep:
		img := image.NewNRGBA64(r)
		c.img, c.pix, c.stride = img, img.Pix, img.Stride
	case f.alpha == unassociated:
		img := image.NewNRGBA(r)
		c.img, c.pix, c.stride = img, img.Pix, img.Stride
	case deep:
		img := image.NewRGBA64(r)
		c.img, c.pix, c.stride = img, img.Pix, img.Stride
	default:
		img := image.NewRGBA(r)
		c.img, c.pix, c.stride = img, img.Pix, img.Stride
	}
	if gray {
		c.to = [][]int{{0, 1, 2}}
	}
	if f.alpha == associated || f.alpha == unassociated {
		c.to = append(c.to, []int{3})
		return c
	}
	for i := 3 * c.depth; i < len(c.pix); i += 4 * c.depth {
		for k := range c.depth {
			c.pix[i+k] = 0xff
		}
	}
	return c
}

// Decode reads the picture. It takes Memory bytes.
func (f *File) Decode() (image.Image, error) {
	across, down := (f.width+f.blockW-1)/f.blockW, (f.height+f.blockH-1)/f.blockH
	u, err := f.unpacker(across * down * f.planes)
	if err != nil {
		return nil, err
	}
	defer u.close()
	c := f.canvas(image.Rect(0, 0, f.width, f.height))
	row := make([]uint32, f.blockW*(f.samples/f.planes))
	for plane := range f.planes {
		if plane >= len(c.to) {
			break // extra samples
		}
		for j := range down {
			for i := range across {
				w, h := f.blockW, f.blockH
				if !f.tiled {
					h = min(h, f.height-j*h)
				}
				b, err := f.block(u, (plane*down+j)*across+i, w, h)
				if err != nil {
					return nil, err
				}
				if err := f.fill(c, b, row, plane, image.Rect(i*f.blockW, j*f.blockH, i*f.blockW+w, j*f.blockH+h)); err != nil {
					return nil, err
				}
			}
		}
	}
	if f.photometric == yCbCr && (f.compression != jpegNew || f.planes > 1) {
		for i := 0; i+3 < len(c.pix); i += 4 {
			c.pix[i], c.pix[i+1], c.pix[i+2] = color.YCbCrToRGB(c.pix[i], c.pix[i+1], c.pix[i+2])
		}
	}
	return c.img, nil
}

// rowBytes is the size of a row of a block, which begins at a byte.
func (f *File) rowBytes(w int) int { return (w*(f.samples/f.planes)*f.bits + 7) / 8 }

// block unpacks one of w x h pixels.
func (f *File) block(u *unpacker, i, w, h int) ([]byte, error) {
	if f.photometric != yCbCr || f.subX*f.subY == 1 {
		return u.read(i, w, h, f.rowBytes(w)*h)
	}
	// Units of subX x subY pixels: their Y, then Cb, Cr and the extra samples for all.
	across, down := (w+f.subX-1)/f.subX, (h+f.subY-1)/f.subY
	unit := f.subX*f.subY + f.samples - 1
	packed, err := u.read(i, w, h, across*down*unit)
	if err != nil {
		return nil, err
	}
	out := make([]byte, w*h*f.samples)
	for y := range h {
		for x := range w {
			from := packed[(y/f.subY*across+x/f.subX)*unit:]
			to := out[(y*w+x)*f.samples:]
			to[0] = from[y%f.subY*f.subX+x%f.subX]
			copy(to[1:f.samples], from[f.subX*f.subY:])
		}
	}
	return out, nil
}

// fill puts a block, of a plane or of all samples, where it belongs. A tile may reach beyond the picture.
func (f *File) fill(c canvas, b []byte, row []uint32, plane int, r image.Rectangle) error {
	together := f.samples / f.planes // samples that stand together
	row = row[:r.Dx()*together]
	to := c.to[plane:]
	if f.planes > 1 {
		to = to[:1]
	}
	for y := r.Min.Y; y < min(r.Max.Y, f.height); y++ {
		f.unpackRow(row, b[(y-r.Min.Y)*f.rowBytes(r.Dx()):])
		if f.predicted {
			for i := together; i < len(row); i++ {
				row[i] += row[i-together]
			}
		}
		for k, channels := range to {
			line := c.pix[y*c.stride:]
			for x := range min(r.Max.X, f.width) - r.Min.X {
				v, ok := f.level(row[x*together+k])
				if !ok {
					return FormatError(fmt.Sprintf("a pixel of colour %d, there are %d", v>>8, len(f.palette)))
				}
				if k+plane < f.colours() && f.photometric == whiteIsZero {
					v = 0xffff - v
				}
				for _, channel := range channels {
					at := ((r.Min.X+x)*c.channels + channel) * c.depth
					if c.depth == 2 {
						line[at], line[at+1] = byte(v>>8), byte(v)
					} else {
						line[at] = byte(v >> 8)
					}
				}
			}
		}
	}
	return nil
}

// level brings a sample to 16 bits. A palette's colour is its number, in the high byte.
func (f *File) level(v uint32) (uint32, bool) {
	v &= uint32(uint64(1)<<f.bits - 1)
	if f.photometric == paletted {
		return v << 8, int(v) < len(f.palette)
	}
	switch {
	case f.bits == 8:
		return v * 0x101, true
	case f.bits < 8:
		return v * 0xff / (1<<f.bits - 1) * 0x101, true
	case f.bits == 16:
		return v, true
	case f.bits == 32:
		return v >> 16, true
	}
	return v * 0xffff / (1<<f.bits - 1), true
}

// unpackRow reads samples. Those of whole bytes are in the file's order, others have their high bits first.
func (f *File) unpackRow(row []uint32, b []byte) {
	switch f.bits {
	case 8:
		for i := range row {
			row[i] = uint32(b[i])
		}
	case 16:
		for i := range row {
			row[i] = uint32(f.d.order.Uint16(b[2*i:]))
		}
	case 32:
		for i := range row {
			row[i] = f.d.order.Uint32(b[4*i:])
		}
	default:
		var held uint64
		n := 0
		for i := range row {
			for n < f.bits {
				held, n, b = held<<8|uint64(b[0]), n+8, b[1:]
			}
			n -= f.bits
			row[i] = uint32(held >> n & (1<<f.bits - 1))
		}
	}
}
