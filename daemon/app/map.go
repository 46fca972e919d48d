package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kilim/daemon/browse"
	"kilim/daemon/browse/projection"
	"kilim/daemon/browse/search"
	"kilim/daemon/standby"
	"kilim/daemon/web"
	"kilim/graphstore"
)

// drawn shows the map what serves.
type drawn struct{ manager *standby.Manager }

// Vectors reads the number first: of a cutover between the two, the next look tells.
func (d drawn) Vectors() (projection.Vectors, int) {
	state := d.manager.Status().Serving.Number
	return d.manager.Engine().Index(), state
}

// Quiet is false also while the background has work: embeddings still move, and a layout would take a share of what the lists wait for, to be made again
// when they are at rest.
func (d drawn) Quiet() bool { return d.manager.Engine().Settled() }

// coloured are the fields by which points can be coloured.
func coloured() []string { return []string{search.Culture, search.Period, search.Type} }

// labelRunes are shown of what points are coloured by.
const labelRunes = 80

// plane is the map of a theme, at which somebody looks, or that of the archive.
func (s *service) plane(theme string) (*projection.Keeper, error) {
	if theme == "" {
		return s.app.shelves.plane, nil
	}
	if _, _, err := s.app.themes.Sums(theme); err != nil {
		return nil, webError(err)
	}
	k, err := s.app.shelves.themed.Look(theme)
	return k, browseError(err)
}

func (s *service) Map(_ context.Context, theme string, edition int64, version int) (*web.Map, error) {
	plane, err := s.plane(theme)
	if err != nil {
		return nil, err
	}
	plane.Look()
	m := &web.Map{Status: plane.Status(), Fields: coloured()}
	// What came since the Status was taken is told too, with what is told next once more.
	m.Changes, _ = plane.Since(edition, version)
	return m, nil
}

func (s *service) MapPoints(_ context.Context, theme string) ([]byte, error) {
	plane, err := s.plane(theme)
	if err != nil {
		return nil, err
	}
	return plane.Points(), nil
}

func (s *service) MapSlots(_ context.Context, theme string) ([]byte, error) {
	plane, err := s.plane(theme)
	if err != nil {
		return nil, err
	}
	return plane.Slots(s.app.shelves.plane), nil
}

func (s *service) MapColours(_ context.Context, theme, field string) (c *web.MapColours, codes []byte, err error) {
	if !slices.Contains(coloured(), field) {
		return nil, nil, fmt.Errorf("%w: field %q: want one of %q", web.ErrBadRequest, field, coloured())
	}
	plane, err := s.plane(theme)
	if err != nil {
		return nil, nil, err
	}
	at := s.app.shelves
	c, codes = at.palettes.of(shade{theme, field}, plane.Status().Edition, time.Now(), func() (*web.MapColours, []byte) {
		c := &web.MapColours{Field: field}
		var codes []byte
		l := at.words.Labels(field)
		c.Edition, c.Values, codes = plane.Codes(l.Nodes, l.Of, l.Names)
		for i := range c.Values {
			c.Values[i].Label = browse.Readable(c.Values[i].Label, labelRunes)
		}
		return c, codes
	})
	return c, codes, nil
}

func (s *service) MapPoint(ctx context.Context, of web.MapPlace, list string, k int) (*web.MapPoint, error) {
	plane, err := s.plane(of.Theme)
	if err != nil {
		return nil, err
	}
	p := &web.MapPoint{Edition: of.Edition, Slot: of.Slot, ID: of.ID}
	if of.ID == "" {
		node, err := plane.Node(of.Edition, of.Slot)
		if err != nil {
			return nil, browseError(err)
		}
		if p.ID, err = s.idOf(node); err != nil {
			return nil, browseError(err)
		}
	} else {
		found := false
		p.Edition = plane.Status().Edition
		if p.Slot, found = plane.Find(of.ID); !found {
			return nil, fmt.Errorf("%w: artifact %q is not on the map", web.ErrNotFound, of.ID)
		}
	}
	if p.Card, err = s.Card(ctx, p.ID); err != nil {
		return nil, err
	}
	if p.List, err = s.List(ctx, p.ID, list, nil, k); err != nil {
		return nil, err
	}
	var near []int
	p.Slots = []int{}
	for _, item := range p.List.Items {
		slot, there := plane.Find(item.ID)
		if !there {
			slot = -1
		} else {
			near = append(near, slot)
		}
		p.Slots = append(p.Slots, slot)
	}
	p.Of, p.Kept = len(near), plane.Kept(p.Slot, near)
	return p, nil
}

// idOf is the id of the artifact of a node.
func (s *service) idOf(node graphstore.NodeID) (id string, err error) {
	err = serving{s.app}.View(func(r *graphstore.Reader) error {
		n, err := r.Node(node)
		if err != nil {
			return err
		}
		if !n.IsArtifact() {
			return fmt.Errorf("%w: the artifact is gone", web.ErrNotFound)
		}
		id = n.Key
		return nil
	})
	return id, err
}
