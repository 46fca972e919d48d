package infer

import (
	"errors"
	"fmt"

	"kilim/learner/model"
)

// Config is the shape of a model that serves.
type Config struct {
	// Text, Facts, Image and Audio are the lengths of the features. Without pictures or
	// recordings, Image or Audio is 0.
	Text, Facts, Image, Audio int
	Width                     int // of a block, and of the embedding
	Bases                     int // matrices that the relations of a layer share
	Heads                     int // of the fusion's attention
	// Fusion and Residual are the ways of package model to make one vector of the modalities' tokens; empty for the first of each.
	Fusion, Residual string
	Relations        int // relation indices are below it
	Types            int // type indices are below it
	Seed             uint64
}

// layers is the depth: what lies two steps away has a say.
const layers = 2

// Modalities are the blocks of a vector, in their order.
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
	return errors.Join(errs...)
}

// dims are the lengths of the features of each modality, 0 for none.
func (c Config) dims() [modalities]int {
	return [modalities]int{c.Text + c.Facts + c.Types, c.Image, c.Audio}
}

// Shape is the trainable model of the same function.
func (c Config) Shape() model.Config {
	out := model.Config{Width: c.Width, Layers: layers, Relations: c.Relations, Bases: c.Bases, Heads: c.Heads, Dropout: trainingDropout, Fusion: c.Fusion, Residual: c.Residual, Seed: c.Seed}
	for m, name := range names {
		if d := c.dims()[m]; d > 0 {
			out.Modalities = append(out.Modalities, model.Modality{Name: name, Features: d})
		}
	}
	return out
}

// trainingDropout has no effect here; it is a part of the shape.
const trainingDropout = 0.2
