package model

import (
	"cmp"
	"errors"
	"fmt"
)

// Modality is a branch of the model.
type Modality struct {
	Name     string `json:"name"`
	Features int    `json:"features"` // length of a feature vector
}

// Fusion says how the tokens of an item become one vector, Residual how a branch's input reaches its token. The empty
// string stands for FusionAttention and ResidualSum.
const (
	FusionAttention   = "attention"
	FusionMLP         = "mlp"
	FusionTransformer = "transformer"

	ResidualSum    = "sum"
	ResidualConcat = "concat"

	// AggregatorMean takes the mean of a relation's neighbours and adds up the relations; AggregatorAttention weights both (package attend).
	// The empty string stands for AggregatorMean.
	AggregatorMean      = "mean"
	AggregatorAttention = "attention"
)

// Media says how an artifact's pictures and recordings reach it. Of MediaFeatures, for which the empty string stands, the mean of their
// vectors is its features of that modality. Of MediaNodes each is a neighbour besides, with features of its own, and artifacts of the
// same picture have one in common. The forward pass is the same: the edges that it is given differ.
const (
	MediaFeatures = "features"
	MediaNodes    = "nodes"
)

// Config is the shape of a model.
type Config struct {
	Modalities []Modality `json:"modalities"`
	Width      int        `json:"width"`
	// Embedding is the length of an embedding; 0 stands for Width. Another one is made by an output projection behind the fusion.
	Embedding int     `json:"embedding,omitempty"`
	Layers    int     `json:"layers"` // of a branch, 1..3
	Relations int     `json:"relations"`
	Bases     int     `json:"bases"`
	Heads     int     `json:"heads"`   // of attention; divides Width
	Dropout   float64 `json:"dropout"` // 0..0.5, after ReLU in the layers
	// Inside normalizes a layer's residual with its result (post-norm); without it the residual is added after the
	// LayerNorm.
	Inside   bool   `json:"inside,omitempty"`
	Fusion   string `json:"fusion,omitempty"`
	Residual string `json:"residual,omitempty"`
	// Aggregator says how a node's neighbours become one message.
	Aggregator string `json:"aggregator,omitempty"`
	Media      string `json:"media,omitempty"`
	Seed       uint64 `json:"seed"`
}

// Options are what a user chooses of a Config; the rest follows from what is encoded. Options of equal Configs are equal.
type Options struct {
	Width     int    `json:"width"`
	Embedding int    `json:"embedding,omitempty"` // 0 stands for Width
	Layers    int    `json:"layers,omitempty"`    // 0 stands for 2
	Heads     int    `json:"heads"`
	Fusion    string `json:"fusion,omitempty"`
	Residual  string `json:"residual,omitempty"`
	// Aggregator is "" for AggregatorMean.
	Aggregator string `json:"aggregator,omitempty"`
	Media      string `json:"media,omitempty"`
}

// Options are those of the Config: attention, sum and features are empty strings, two layers and an embedding of Width are 0.
func (c Config) Options() Options {
	o := Options{c.Width, c.Embedding, c.Layers, c.Heads, c.Fusion, c.Residual, c.Aggregator, c.Media}
	if o.Embedding == o.Width {
		o.Embedding = 0
	}
	if o.Layers == 2 {
		o.Layers = 0
	}
	if o.Fusion == FusionAttention {
		o.Fusion = ""
	}
	if o.Residual == ResidualSum {
		o.Residual = ""
	}
	if o.Aggregator == AggregatorMean {
		o.Aggregator = ""
	}
	if o.Media == MediaFeatures {
		o.Media = ""
	}
	return o
}

func (o Options) String() string {
	return fmt.Sprintf("%d layers of width %d, embeddings of %d, %d heads, fusion %s, residual %s, aggregator %s, media as %s",
		cmp.Or(o.Layers, 2), o.Width, cmp.Or(o.Embedding, o.Width), o.Heads, cmp.Or(o.Fusion, FusionAttention), cmp.Or(o.Residual, ResidualSum), cmp.Or(o.Aggregator, AggregatorMean), cmp.Or(o.Media, MediaFeatures))
}

// Attends tells whether neighbours and relations are weighted.
func (c Config) Attends() bool { return c.Aggregator == AggregatorAttention }

// EmbeddingDim is the length of an embedding.
func (c Config) EmbeddingDim() int { return cmp.Or(c.Embedding, c.Width) }

const maxSize = 1 << 14

func (c Config) validate() error {
	var errs []error
	bad := func(field string, value any, want string) {
		errs = append(errs, fmt.Errorf("model: %s %v: must be %s", field, value, want))
	}
	size := func(field string, v, limit int) {
		if v < 1 || v > limit {
			bad(field, v, fmt.Sprintf("in 1..%d", limit))
		}
	}
	size("number of modalities", len(c.Modalities), 8)
	names := map[string]bool{}
	for _, m := range c.Modalities {
		if m.Name == "" || names[m.Name] {
			bad("modality", fmt.Sprintf("%q", m.Name), "a name, once")
		}
		names[m.Name] = true
		size("features of "+m.Name, m.Features, maxSize)
	}
	size("width", c.Width, maxSize)
	size("embedding", c.EmbeddingDim(), maxSize)
	size("layers", c.Layers, 3)
	size("relations", c.Relations, maxSize)
	size("bases", c.Bases, 64)
	size("heads", c.Heads, maxSize)
	if c.Heads > 0 && c.Width%c.Heads != 0 {
		bad("heads", c.Heads, fmt.Sprintf("a divisor of width %d", c.Width))
	}
	if !(c.Dropout >= 0 && c.Dropout <= 0.5) {
		bad("dropout", c.Dropout, "in 0..0.5")
	}
	switch c.Fusion {
	case "", FusionAttention, FusionMLP, FusionTransformer:
	default:
		bad("fusion", fmt.Sprintf("%q", c.Fusion), "attention, mlp or transformer")
	}
	switch c.Residual {
	case "", ResidualSum, ResidualConcat:
	default:
		bad("residual", fmt.Sprintf("%q", c.Residual), "sum or concat")
	}
	switch c.Aggregator {
	case "", AggregatorMean, AggregatorAttention:
	default:
		bad("aggregator", fmt.Sprintf("%q", c.Aggregator), "mean or attention")
	}
	switch c.Media {
	case "", MediaFeatures, MediaNodes:
	default:
		bad("media", fmt.Sprintf("%q", c.Media), "features or nodes")
	}
	return errors.Join(errs...)
}
