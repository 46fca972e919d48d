package encode

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
	"kilim/learner/encode/feature"
)

// desk is a state with its Media, driven as the pipeline drives it.
type desk struct {
	t        *testing.T
	encoders Encoders
	media    *Media
	from     Rows
	revision uint64
	// durable is the archive as the last unit left it.
	durable *archive
	// behind are the bytes behind URIs; of others there are none.
	behind map[string]string
}

func newDesk(t *testing.T, encoders Encoders) *desk {
	return &desk{t: t, encoders: encoders, media: NewMedia(encoders), durable: newArchive(), behind: map[string]string{}}
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// attempt does a unit's work and leaves it there, as a crash does.
func (d *desk) attempt(work func(p *Pass, g *archive)) (*Pass, *archive) {
	g := d.durable.clone()
	d.revision++
	p := d.media.Begin(g, d.from, d.revision)
	work(p, g)
	return p, g
}

func (d *desk) unit(work func(p *Pass, g *archive)) {
	p, g := d.attempt(work)
	d.durable = g
	p.Committed()
}

// put replaces an artifact within a unit, or deletes it when there is no record.
func (d *desk) put(p *Pass, g *archive, id string, record *profile.Artifact) {
	d.t.Helper()
	media := func(a *profile.Artifact) []Medium {
		if a == nil {
			return nil
		}
		return d.encoders.MediaOf(a, weave.Edges(a))
	}
	old := media(g.records[id])
	gone := g.replace(id, record)
	d.must(p.Put(old, media(record)))
	d.must(p.Gone(gone))
}

// feed is a unit of records.
func (d *desk) feed(records ...*profile.Artifact) {
	d.t.Helper()
	d.unit(func(p *Pass, g *archive) {
		for _, a := range records {
			d.put(p, g, a.ID, a)
		}
	})
}

func (d *desk) remove(id string) {
	d.t.Helper()
	d.unit(func(p *Pass, g *archive) { d.put(p, g, id, nil) })
}

// restart makes the Media anew from what is durable.
func (d *desk) restart() {
	d.t.Helper()
	d.media = NewMedia(d.encoders)
	d.must(d.media.Load(d.durable))
}

// tasks are those in the queue, by node.
func (d *desk) tasks() []Task {
	var out []Task
	for _, e := range d.media.queue.by {
		out = append(out, e.Task)
	}
	slices.SortFunc(out, func(a, b Task) int { return cmp.Compare(a.Node, b.Node) })
	return out
}

// Vector makes a desk a Cache.
func (d *desk) Vector(c graphstore.Content, encoder string) ([]float32, error) {
	v, err := d.durable.MediaVector(c, encoder)
	if err == nil && v == nil && d.from != nil {
		v, err = d.from.MediaVector(c, encoder)
	}
	return v, err
}

// ask answers a task, as a Worker does; ok is false when nobody asks any more.
func (d *desk) ask(t Task) (a Answer, ok bool) {
	d.t.Helper()
	s, err := t.Source(d.durable, d.durable.record)
	if errors.Is(err, ErrOutdated) {
		return a, false
	}
	d.must(err)
	a = Answer{Task: t, Encoder: d.encoders.Identity(t.Kind)}
	if s.Item.Text == "" && s.Item.Data == nil {
		bytes, found := d.behind[s.URI]
		if !found {
			a.Refusal = feature.Refuse(feature.ReasonNotFound, "nothing is behind it")
			return a, true
		}
		s.Item.Data = []byte(bytes)
	}
	a.Content = graphstore.ContentOf(append([]byte(s.Item.Text), s.Item.Data...))
	a.Vector, err = d.Vector(a.Content, a.Encoder)
	d.must(err)
	if a.Vector != nil {
		return a, true
	}
	r := d.encoders.Of(t.Kind).Encode(context.Background(), []feature.Item{s.Item})[0]
	a.Vector = r.Vector
	a.Refusal, _ = feature.AsRefusal(r.Err)
	return a, true
}

// take is a unit of answers. It returns the artifacts that they touch.
func (d *desk) take(answers []Answer) (touched []graphstore.NodeID) {
	d.t.Helper()
	d.unit(func(p *Pass, _ *archive) {
		var err error
		touched, err = p.Take(answers)
		d.must(err)
	})
	return touched
}

// encodeAll answers everything that waits.
func (d *desk) encodeAll() {
	d.t.Helper()
	var answers []Answer
	for _, t := range d.tasks() {
		if a, ok := d.ask(t); ok {
			answers = append(answers, a)
		}
	}
	d.take(answers)
}

// vectors are those by which an artifact is known.
func (d *desk) vectors(id string) Vectors {
	d.t.Helper()
	v, err := d.encoders.Vectors(d.durable, graphstore.ID(graphstore.Artifact, id))
	d.must(err)
	return v
}

// row is that of a medium of an artifact, by its place; nil when there is none.
func (d *desk) row(id string, typ graphstore.Type, place int) *graphstore.Media {
	d.t.Helper()
	row, err := d.durable.Media(graphstore.ID(typ, fmt.Sprintf("%s\x00%d", id, place)))
	d.must(err)
	return row
}

func artifact(id string, media ...profile.Media) *profile.Artifact {
	return &profile.Artifact{ID: id, Media: media}
}

func picture(data string) profile.Media {
	return profile.Media{Kind: profile.Image, Data: []byte(data)}
}
func pictureAt(uri string) profile.Media { return profile.Media{Kind: profile.Image, URI: uri} }
func soundAt(uri string) profile.Media   { return profile.Media{Kind: profile.Audio, URI: uri} }
func written(text string) profile.Media  { return profile.Media{Kind: profile.Text, Text: text} }
func embedded(kind, encoder string, v ...float32) profile.Media {
	return profile.Media{Kind: kind, URI: "http://example.org/e", Encoder: encoder, Embedding: v}
}
