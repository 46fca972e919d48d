package infer

import (
	"cmp"
	"errors"
	"fmt"

	"kilim/learner/model"
)

// Config is the shape of a model that serves: package model's, with the features taken apart.
type Config struct {
	// Text, Facts, Image and Audio are the lengths of the features; Image or Audio is 0 in an archive without pictures
	// or recordings.
	Text, Facts, Image, Audio int
	Width                     int // of a block
	Embedding                 int // length of an embedding; 0 stands for Width
	Bases                     int // matrices that the relations of a layer share
	Heads                     int // of the fusion's attention
	// Layers is the depth of every branch, 2 or 3, so that an embedding reads what lies as many edges away; 0 stands for 2.
	Layers int
	// Fusion, Residual, Aggregator and Media are those of model.Config.
	Fusion, Residual, Aggregator, Media string

	Relations int // number of relation indices
	Types     int // number of type indices
	Seed      uint64
}

// record, image and audio number the modalities, whose blocks follow each other in a vector in this order.
const (
	record = iota
	image
	audio
	modalities
)

var names = [modalities]string{"record", "image", "audio"}

func (c Config) validate() error {
	var errs []error
	for _, f := range []struct {
		name        string
		value, from int
	}{{"text", c.Text, 1}, {"facts", c.Facts, 0}, {"image", c.Image, 0}, {"audio", c.Audio, 0}, {"types", c.Types, 1}} {
		if f.value < f.from {
			errs = append(errs, fmt.Errorf("infer: %s %d: must be %d or more", f.name, f.value, f.from))
		}
	}
	if d := c.depth(); d != 2 && d != 3 {
		errs = append(errs, fmt.Errorf("infer: %d layers: must be 2 or 3", d))
	}
	return errors.Join(errs...)
}

func (c Config) depth() int { return cmp.Or(c.Layers, 2) }

// dims returns the lengths of the features of each modality, 0 for a modality that the model lacks.
func (c Config) dims() [modalities]int {
	return [modalities]int{c.Text + c.Facts + c.Types, c.Image, c.Audio}
}

// With returns the Config with other options.
func (c Config) With(o model.Options) Config {
	c.Width, c.Embedding, c.Layers, c.Heads = o.Width, o.Embedding, o.Layers, o.Heads
	c.Fusion, c.Residual, c.Aggregator, c.Media = o.Fusion, o.Residual, o.Aggregator, o.Media
	return c
}

// Shape returns the shape of the trainable model that computes the same function.
func (c Config) Shape() model.Config {
	out := model.Config{Width: c.Width, Embedding: c.Embedding, Layers: c.depth(), Relations: c.Relations, Bases: c.Bases, Heads: c.Heads, Dropout: trainingDropout, Fusion: c.Fusion, Residual: c.Residual, Aggregator: c.Aggregator, Media: c.Media, Seed: c.Seed}
	for m, name := range names {
		if d := c.dims()[m]; d > 0 {
			out.Modalities = append(out.Modalities, model.Modality{Name: name, Features: d})
		}
	}
	return out
}

// trainingDropout has no effect in this package; it is a part of the trainable shape.
const trainingDropout = 0.2
