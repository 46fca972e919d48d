package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os"
	"strings"

	"kilim/consumer/profile"
	"kilim/daemon/demo"
	"kilim/graphstore"
	"kilim/learner/encode/audio"
	"kilim/learner/encode/feature"
	"kilim/learner/encode/image"
)

// piece is what a view shows or hides as a whole.
type piece struct {
	field    string
	text     string
	entities []entity
	date     *profile.Date
}

type entity struct {
	typ   graphstore.Type
	key   string
	label string
}

// record is an artifact.
type record struct {
	id      string
	pieces  []int32 // in corpus.pieces
	place   *profile.Location
	links   []string
	culture string
	themes  map[string]string // of one label
	image   []float32
	audio   []float32
}

type corpus struct {
	records []record
	pieces  []piece
	at      map[string]int // by id
}

func (c *corpus) add(r *record, p piece) {
	r.pieces = append(r.pieces, int32(len(c.pieces)))
	c.pieces = append(c.pieces, p)
}

// read reads a feed, or writes the demo archive and reads that.
func read(feed string, demoArtifacts int) (*corpus, error) {
	c := &corpus{at: map[string]int{}}
	var media media
	var err error
	if media.pictures, err = image.New(image.Limits{}); err != nil {
		return nil, err
	}
	if media.recordings, err = audio.New(audio.Limits{}); err != nil {
		return nil, err
	}
	if feed == "" {
		opt := demo.Options{Artifacts: demoArtifacts, Seed: 1, Media: true}
		err := demo.Each(opt, func(raw []byte, _ string) error { return c.parse(bytes.Clone(raw), media) })
		return c, err
	}
	f, err := os.Open(feed)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in, err := profile.Feed(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", feed, err)
	}
	lines := bufio.NewScanner(in)
	for lines.Buffer(nil, 16<<20); lines.Scan(); {
		if err := c.parse(bytes.Clone(lines.Bytes()), media); err != nil {
			return nil, fmt.Errorf("%s: %w", feed, err)
		}
	}
	return c, lines.Err()
}

func (c *corpus) parse(raw []byte, media media) error {
	a, err := profile.Parse(raw, "", profile.DefaultLimits())
	if err != nil {
		return err
	}
	r := record{id: a.ID, place: a.Location, themes: map[string]string{}}
	c.add(&r, piece{field: "title", text: a.Title})
	for _, s := range strings.SplitAfter(a.Description, ". ") {
		if strings.TrimSpace(s) != "" {
			c.add(&r, piece{field: "description", text: s})
		}
	}
	for _, f := range []struct {
		name  string
		typ   graphstore.Type
		terms []profile.Term
	}{
		{"culture", graphstore.Culture, a.Culture}, {"period", graphstore.Period, a.Period}, {"dynasty", graphstore.Dynasty, a.Dynasty},
		{"reign", graphstore.Reign, a.Reign}, {"style", graphstore.Style, a.Style}, {"creator", graphstore.Creator, a.Creator},
		{"place", graphstore.Place, a.Place}, {"material", graphstore.Material, a.Material}, {"technique", graphstore.Technique, a.Technique},
		{"type", graphstore.Kind, a.Type}, {"subject", graphstore.Subject, a.Subject}, {"collection", graphstore.Collection, a.Collection},
	} {
		for _, t := range f.terms {
			key := t.ID
			if key == "" {
				key = graphstore.NormalizeLabel(t.Label)
			}
			c.add(&r, piece{field: f.name, text: t.Text(), entities: []entity{{f.typ, key, t.Text()}}})
		}
	}
	if a.Date != nil {
		p := piece{field: "date", text: a.Date.Text, date: a.Date}
		for _, y := range []*float64{a.Date.Begin, a.Date.End} {
			if y != nil {
				label := fmt.Sprintf("%ds", int64(math.Floor(*y/10))*10)
				p.entities = append(p.entities, entity{graphstore.Decade, label, label})
			}
		}
		c.add(&r, p)
	}
	if len(a.Culture) > 0 {
		r.culture = a.Culture[0].Text()
	}
	for theme, labels := range a.Theme {
		if len(labels) == 1 {
			r.themes[theme] = labels[0]
		}
	}
	for _, l := range a.Link {
		r.links = append(r.links, l.Target)
	}
	r.image = centre(a, profile.Image, media.pictures.Encode)
	r.audio = centre(a, profile.Audio, media.recordings.Encode)
	for _, m := range a.Media {
		if m.Text != "" {
			c.add(&r, piece{field: "media", text: m.Text})
		}
	}
	c.at[r.id] = len(c.records)
	c.records = append(c.records, r)
	return nil
}

// media are the built-in encoders.
type media struct {
	pictures   *image.Encoder
	recordings *audio.Encoder
}

// centre is the mean of what lies in the record itself of one kind, nil if there is nothing.
func centre(a *profile.Artifact, kind string, encode func([]byte) ([]float32, error)) []float32 {
	var sum []float32
	for _, m := range a.Media {
		if m.Kind != kind || len(m.Data) == 0 {
			continue
		}
		v, err := encode(m.Data)
		if err != nil {
			continue // one that can't be read is none
		}
		if sum == nil {
			sum = make([]float32, len(v))
		}
		for i, x := range v {
			sum[i] += x
		}
	}
	if sum != nil {
		feature.Scale(sum, 1)
	}
	return sum
}
