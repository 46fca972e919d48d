package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"kilim/daemon/browse/projection"
	"kilim/daemon/figure"
)

type plotMapCommand struct {
	drawing
	By string `enum:"culture,period,type" default:"culture" help:"What points are coloured by: culture, period or type."`
}

// layoutsMet is how many layouts may end between the answers of which a figure is made.
const layoutsMet = 3

// Run draws the map as it is now. Asking for it has the daemon place who waits, for the next figure.
func (c *plotMapCommand) Run(s *session) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	var status projection.Status
	if err := c.answer(s, "/api/v1/map", nil, &status); err != nil {
		return err
	}
	if status.Made == nil {
		return fmt.Errorf("plot: there is no map yet (%s, %.0f %%): its first layout begins when it was asked for, or no records come; try again soon", status.Phase, 100*status.Ratio)
	}
	for range layoutsMet {
		p, err := c.points(s)
		if errors.Is(err, errOtherEdition) {
			continue
		}
		if err != nil {
			return err
		}
		p.Caption = captionOf(&status, c.By)
		return c.write(s, figure.Map(p), format)
	}
	return errors.New("plot: the map was laid out anew again and again while it was read; try again")
}

var errOtherEdition = errors.New("points and colours are of two editions")

// points are those of the map with their colours.
func (c *plotMapCommand) points(s *session) (*figure.Plane, error) {
	body, err := c.raw(s, "/api/v1/map/points", nil)
	if err != nil {
		return nil, err
	}
	edition, at, err := projection.ReadPoints(body)
	if err != nil {
		return nil, fmt.Errorf("plot: the daemon's answer: %w", err)
	}
	if body, err = c.raw(s, "/api/v1/map/colours", map[string]string{"field": c.By}); err != nil {
		return nil, err
	}
	line, codes, _ := bytes.Cut(body, []byte{'\n'})
	var colours struct {
		Edition int64
		Values  []projection.Value
	}
	if err := json.Unmarshal(line, &colours); err != nil {
		return nil, fmt.Errorf("plot: the daemon's answer: %w", err)
	}
	if colours.Edition != edition {
		return nil, errOtherEdition
	}
	p := &figure.Plane{}
	for _, v := range colours.Values {
		p.Groups = append(p.Groups, figure.Group{Label: v.Label, Size: v.Count})
	}
	for slot, q := range at {
		if q.Gone {
			continue
		}
		point := figure.Point{X: q.X, Y: q.Y}
		if slot < len(codes) { // else it came between the two answers
			point.Group = int(codes[slot])
		}
		p.Points = append(p.Points, point)
	}
	return p, nil
}

func captionOf(s *projection.Status, by string) []string {
	first := fmt.Sprintf("The archive, an artifact a point; what is alike is near. Colour: %s.", by)
	if wait := min(s.Artifacts, s.MostPoints) - s.Points; wait > 0 {
		first += fmt.Sprintf(" %d more artifacts wait for their places.", wait)
	}
	if s.Artifacts > s.MostPoints {
		first += fmt.Sprintf(" Of %d artifacts %d are shown.", s.Artifacts, s.MostPoints)
	}
	second := "Laid out " + s.Made.UTC().Format("2006-01-02 15:04") + " UTC"
	if s.Trust != nil {
		second += fmt.Sprintf("; trustworthiness %.3f, continuity %.3f (k = %d)", s.Trust.Trustworthiness, s.Trust.Continuity, s.Trust.K)
	}
	return []string{first, second + "."}
}
