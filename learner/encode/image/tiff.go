package image

import (
	"image"

	"kilim/learner/encode/feature"
	"kilim/learner/encode/image/tiff"
)

func openTIFF(b []byte) (picture, error) {
	if len(b) > 10 && string(b[8:10]) == "CR" {
		return picture{}, feature.Refuse(feature.ReasonUnsupported, "Canon CR2 (raw) is not read")
	}
	f, err := tiff.Open(b)
	if err != nil {
		return picture{}, err
	}
	return picture{f.Config(), f.Memory(), func() (image.Image, error) { return f.Decode() }}, nil
}
