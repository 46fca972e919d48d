package app

import (
	"sync"
	"time"

	"kilim/daemon/browse/projection"
	"kilim/daemon/web"
)

// paletteAge is how long the colours of a map are answered again. To make them goes through all artifacts, some tens of milliseconds among 200,000, and
// everybody who looks asks for them when something has arrived: later than that.
const paletteAge = 5 * time.Second

// mostPalettes are kept: those of the map of the archive, and of as many themes as have one.
const mostPalettes = 3 * (1 + projection.MostThemes)

// palettes are the colours that were made last.
type palettes struct {
	lock sync.Mutex
	kept map[shade]*palette
}

// shade is by what the points of a map are coloured: that of a theme, or of the archive.
type shade struct{ theme, field string }

// palette is what points are coloured by, and a code a slot.
type palette struct {
	lock    sync.Mutex
	made    time.Time
	colours *web.MapColours
	codes   []byte
}

// of gives the colours of a shade for an edition of the map, which create makes where there are none, or old ones. Others who want the same wait meanwhile, and nobody else.
func (p *palettes) of(by shade, edition int64, now time.Time, create func() (*web.MapColours, []byte)) (*web.MapColours, []byte) {
	k := p.palette(by)
	k.lock.Lock()
	defer k.lock.Unlock()
	if k.colours == nil || k.colours.Edition != edition || now.Sub(k.made) >= paletteAge {
		k.made = now
		k.colours, k.codes = create()
	}
	return k.colours, k.codes
}

func (p *palettes) palette(by shade) *palette {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.kept[by] == nil {
		if p.kept == nil || len(p.kept) == mostPalettes { // of themes that nobody looks at any more
			p.kept = map[shade]*palette{}
		}
		p.kept[by] = &palette{}
	}
	return p.kept[by]
}
