package app

import (
	"fmt"
	"testing"
	"time"

	"kilim/daemon/web"
)

// TestPalettes: colours are made once for all who ask within paletteAge, and anew for another field, another edition, and later.
func TestPalettes(t *testing.T) {
	t.Parallel()
	var p palettes
	start, made := time.Now(), 0
	for _, c := range []struct {
		field   string
		edition int64
		after   time.Duration
		want    int
	}{
		{"culture", 1, 0, 1}, {"culture", 1, paletteAge - 1, 1}, {"type", 1, paletteAge - 1, 2}, {"culture", 1, paletteAge, 3}, {"culture", 2, paletteAge, 4},
		{"culture", 2, paletteAge + 1, 4}, {"type", 1, 2 * paletteAge, 5},
	} {
		colours, codes := p.of(shade{"", c.field}, c.edition, start.Add(c.after), func() (*web.MapColours, []byte) {
			made++
			return &web.MapColours{Edition: c.edition, Field: c.field}, []byte{1}
		})
		if made != c.want || colours.Field != c.field || colours.Edition != c.edition || len(codes) != 1 {
			t.Errorf("%+v: made %d times, %+v", c, made, colours)
		}
	}
	for i := range 3 * mostPalettes { // themes come and go
		p.of(shade{fmt.Sprint("theme ", i), "culture"}, 1, start, func() (*web.MapColours, []byte) { return &web.MapColours{Edition: 1}, nil })
		if len(p.kept) > mostPalettes {
			t.Fatalf("%d palettes are kept", len(p.kept))
		}
	}
}

// TestPalettesDoNotWaitForOthers: while the colours of a field are made, those of another can be had.
func TestPalettesDoNotWaitForOthers(t *testing.T) {
	t.Parallel()
	var p palettes
	now := time.Now()
	colours := func(field string) (*web.MapColours, []byte) { return &web.MapColours{Field: field}, nil }
	p.of(shade{"", "culture"}, 0, now, func() (*web.MapColours, []byte) {
		made := make(chan struct{})
		go func() {
			defer close(made)
			p.of(shade{"", "type"}, 0, now, func() (*web.MapColours, []byte) { return colours("type") })
		}()
		<-made
		return colours("culture")
	})
}
