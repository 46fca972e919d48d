package app

import (
	"bytes"
	"image"
	"image/png"
	"log/slog"
	"testing"

	"kilim/daemon/config"
	"kilim/learner/encode/feature"
)

// The limits of pictures are those of the configuration.
func TestLimitsOfPictures(t *testing.T) {
	t.Parallel()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewNRGBA64(image.Rect(0, 0, 600, 500))); err != nil { // 8 bytes a pixel
		t.Fatal(err)
	}
	for _, c := range []struct {
		pixels int
		memory config.Bytes
		want   string
	}{
		{600 * 500, 600 * 500 * 8, ""}, {600*500 - 1, 600 * 500 * 8, feature.ReasonTooManyPixels}, {600 * 500, 600*500*8 - 1, feature.ReasonTooManyPixels},
	} {
		cfg := defaults(t)
		cfg.Media.MaxPixels, cfg.Media.MaxMemory = c.pixels, c.memory
		encoders, err := newEncoders(cfg, nil, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		answer := encoders.Image.Encode(t.Context(), []feature.Item{{Kind: "image", Data: picture.Bytes()}})[0]
		reason := ""
		if r, ok := feature.AsRefusal(answer.Err); ok {
			reason = r.Reason
		}
		if reason != c.want || c.want == "" && answer.Err != nil {
			t.Errorf("%d pixels, %d bytes: %v, want %q", c.pixels, c.memory, answer.Err, c.want)
		}
	}
}
