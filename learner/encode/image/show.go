package image

import (
	"image"
	"image/color"
	"image/draw"

	xdraw "golang.org/x/image/draw"
)

// MediaType is the type of a picture by its bytes, "" where it is none that this package reads. What a record or server says of them
// does not count.
func MediaType(data []byte) string {
	f, ok := sniff(afterPadding(data))
	if !ok {
		return ""
	}
	return map[string]string{
		"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WebP": "image/webp", "TIFF": "image/tiff", "BMP": "image/bmp",
	}[f.name]
}

// Shown is the picture in data for people, upright and on white, with sides of at most so many pixels; a smaller one stays as small.
// The error is that of Encode: of bytes that it refuses nothing is shown.
func (e *Encoder) Shown(data []byte, side int) (image.Image, error) {
	data = afterPadding(data)
	src, format, err := decode(data, e.lim)
	if err != nil {
		return nil, err
	}
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	if long := max(w, h); long > side {
		w, h = max(w*side/long, 1), max(h*side/long, 1)
	}
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(small, small.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	xdraw.BiLinear.Scale(small, small.Bounds(), src, b, draw.Over, nil)
	turn := orientation(data, format)
	if turn <= 1 {
		return small, nil
	}
	uw, uh, at := upright(turn, w, h)
	out := image.NewRGBA(image.Rect(0, 0, uw, uh))
	for y := range uh {
		for x := range uw {
			sx, sy := at(x, y)
			out.SetRGBA(x, y, small.RGBAAt(sx, sy))
		}
	}
	return out, nil
}
