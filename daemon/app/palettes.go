package app

import (
	"sync"
	"time"

	"kilim/daemon/web"
)

// paletteAge is how long the colours of a map are answered again. To make them goes through all artifacts, some tens of milliseconds among 200,000, and
// everybody who looks asks for them when something has arrived: later than that.
const paletteAge = 5 * time.Second

// palettes are the colours that were made last, by field.
type palettes struct {
	lock sync.Mutex
	kept map[string]*palette
}

// palette is what points are coloured by, and a code a slot.
type palette struct {
	lock    sync.Mutex
	made    time.Time
	colours *web.MapColours
	codes   []byte
}

// of gives the colours of a field for an edition of the map, which create makes where there are none, or old ones. Others who want the same wait meanwhile, and nobody else.
func (p *palettes) of(field string, edition int64, now time.Time, create func() (*web.MapColours, []byte)) (*web.MapColours, []byte) {
	k := p.palette(field)
	k.lock.Lock()
	defer k.lock.Unlock()
	if k.colours == nil || k.colours.Edition != edition || now.Sub(k.made) >= paletteAge {
		k.made = now
		k.colours, k.codes = create()
	}
	return k.colours, k.codes
}

func (p *palettes) palette(field string) *palette {
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.kept == nil {
		p.kept = map[string]*palette{}
	}
	if p.kept[field] == nil {
		p.kept[field] = &palette{}
	}
	return p.kept[field]
}
