package app

import (
	"sync"
	"time"

	"kilim/daemon/web"
)

// paletteAge is how long the colours of a map are answered again. To make them goes through all artifacts, some 100 ms among 200,000, and
// everybody who looks asks for them when something has arrived: later than that.
const paletteAge = 5 * time.Second

// palettes are the colours that were made last, by field.
type palettes struct {
	lock sync.Mutex
	kept map[string]palette
}

// palette is what points are coloured by, and a code a slot.
type palette struct {
	made    time.Time
	colours *web.MapColours
	codes   []byte
}

// of gives the colours of a field for an edition of the map, which create makes where there are none, or old ones. Others wait meanwhile: they want the same.
func (p *palettes) of(field string, edition int64, now time.Time, create func() (*web.MapColours, []byte)) (*web.MapColours, []byte) {
	p.lock.Lock()
	defer p.lock.Unlock()
	k, ok := p.kept[field]
	if !ok || k.colours.Edition != edition || now.Sub(k.made) >= paletteAge {
		if p.kept == nil {
			p.kept = map[string]palette{}
		}
		k.made = now
		k.colours, k.codes = create()
		p.kept[field] = k
	}
	return k.colours, k.codes
}
