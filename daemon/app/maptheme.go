package app

import (
	"sync"
	"time"

	"kilim/daemon/browse/projection"
	"kilim/daemon/themes/groups"
)

// drawnTheme is what the map of a theme is laid out of: where the artifacts lie that the theme applies to, by their profiles, as the maps of cultures in it have
// them. It is a projection.Archive.
type drawnTheme struct {
	app   *App
	theme string

	lock sync.Mutex
	// places are those of a version of sums, made at a time in which that took so long.
	places  *groups.Places
	of      *groups.Sums
	version uint64
	made    time.Time
	took    time.Duration
	// state counts the models.
	state int
}

const (
	// placesAge is how old places become while profiles change, and placesSpacing how many times as long as it takes to make them: 12,000 take some 60 ms.
	placesAge     = time.Second
	placesSpacing = 20
)

// Vectors are the same until there are others.
func (d *drawnTheme) Vectors() (projection.Vectors, int) {
	now, _ := d.app.themes.Summed()
	d.lock.Lock()
	defer d.lock.Unlock()
	if d.places != nil && now == d.of && (now == nil || now.Version() == d.version || time.Since(d.made) < max(placesAge, placesSpacing*d.took)) {
		return d.places, d.state
	}
	if now != d.of {
		d.state++
	}
	start := time.Now()
	d.of, d.places = now, &groups.Places{}
	if now != nil {
		d.version = now.Version()
		if in := now.Theme(d.theme); in != nil {
			d.places = in.Places()
		}
	}
	d.made, d.took = start, time.Since(start)
	return d.places, d.state
}

func (d *drawnTheme) Quiet() bool { return d.app.manager.Engine().Quiet() }
