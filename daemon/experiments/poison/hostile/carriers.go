package hostile

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"kilim/daemon/demo"
)

// carriers are files of pictures and recordings, small and whole.
func carriers() ([][]byte, error) {
	picture := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range picture.Pix {
		picture.Pix[i] = byte(i * i)
	}
	var all [][]byte
	for _, encode := range []func(*bytes.Buffer) error{
		func(b *bytes.Buffer) error { return png.Encode(b, picture) },
		func(b *bytes.Buffer) error { return jpeg.Encode(b, picture, nil) },
		func(b *bytes.Buffer) error { return gif.Encode(b, picture, nil) },
		func(b *bytes.Buffer) error { return bmp.Encode(b, picture) },
		func(b *bytes.Buffer) error {
			return tiff.Encode(b, picture, &tiff.Options{Compression: tiff.Deflate})
		},
		func(b *bytes.Buffer) error { b.Write(wav(1, 8000, 16, 4000)); return nil },
	} {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			return nil, fmt.Errorf("hostile: make a picture: %w", err)
		}
		all = append(all, b.Bytes())
	}
	// The demo archive's own, which have the formats that it knows.
	err := demo.Each(demo.Options{Artifacts: 12, Seed: 1, Media: true}, func(record []byte, _ string) error {
		var a struct {
			Media []struct{ Data string }
		}
		if err := json.Unmarshal(record, &a); err != nil {
			return err
		}
		for _, m := range a.Media {
			b, err := base64.StdEncoding.DecodeString(m.Data)
			if err != nil {
				return err
			}
			if len(b) > 0 {
				all = append(all, b)
			}
		}
		return nil
	})
	return all, err
}
