package adapt

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kilim/consumer/profile"
	"kilim/learner/encode/feature"
	"kilim/learner/model"
	"kilim/learner/model/checkpoint"
	"kilim/learner/model/infer"
	"kilim/learner/train/registry"
)

// Adapter makes models fit what is configured.
type Adapter struct {
	Models *registry.Registry
	// Shape is that of a model for the Encoders, which are those configured, by modality.
	Shape    infer.Config
	Encoders map[string]feature.Identity
	// Dropout is that of training.
	Dropout float64
	// Unnamed are the options of a model whose row names none.
	Unnamed model.Options
}

// options are those of a model.
func (a *Adapter) options(m registry.Model) model.Options {
	if m.Options != nil {
		return *m.Options
	}
	return a.Unnamed
}

// Options are those configured.
func (a *Adapter) Options() model.Options { return a.Shape.Shape().Options() }

// ShapeOf is the shape that a model has with the encoders of shape.
func (a *Adapter) ShapeOf(m registry.Model, shape infer.Config) infer.Config {
	shape.Seed = m.Seed
	return shape.With(a.options(m))
}

// Fits returns an error that says in what a model is not for what is configured. A trained one must be for the
// configured encoders; its shape is no reason to replace it before another one has learned as much (Begin). One that was
// not trained fits any encoders, and must be of the configured shape: it has nothing to lose.
func (a *Adapter) Fits(m registry.Model) error {
	if m.Checkpoint == "" {
		if is, want := a.options(m), a.Options(); is != want {
			return fmt.Errorf("the model of epoch %d is of another shape: %s; configured is %s", m.Epoch, is, want)
		}
		return nil
	}
	if maps.Equal(m.Encoders, a.Encoders) {
		return nil
	}
	return fmt.Errorf("the model of epoch %d was made for other encoders: %s", m.Epoch, differences(m.Encoders, a.Encoders))
}

// differences tells how the encoders that there were differ from those that are configured.
func differences(were, are map[string]feature.Identity) string {
	name := func(kind string, of map[string]feature.Identity) string {
		if id, ok := of[kind]; ok {
			return id.String()
		}
		if kind == profile.Text {
			return "the built-in one"
		}
		return "none"
	}
	var out []string
	for _, kind := range []string{profile.Text, profile.Image, profile.Audio, feature.Spellings} {
		if were, are := name(kind, were), name(kind, are); were != are {
			out = append(out, fmt.Sprintf("%s by %s, configured is %s", kind, were, are))
		}
	}
	return strings.Join(out, "; ")
}

// Begin returns the shape and the weights that a training begins with, of those of the model that serves: with what it
// has learned, as far as the configured shape has a place for it.
func (a *Adapter) Begin(serving model.Config, weights []float32) (model.Config, []float32, error) {
	shape := serving
	if serving.Options() != a.Options() {
		to := a.Shape
		to.Seed = serving.Seed
		adopted, err := infer.Adopt(to, serving, weights, func(string) bool { return false })
		if err != nil {
			return shape, nil, fmt.Errorf("adapt: to the configured shape: %w", err)
		}
		shape, weights = to.Shape(), adopted
	}
	shape.Dropout = a.Dropout
	return shape, weights, nil
}

// Adapt returns the model that is to serve in the place of m with what is configured: m itself, if it fits.
func (a *Adapter) Adapt(m registry.Model) (registry.Model, error) {
	if a.Fits(m) == nil {
		return m, nil
	}
	for _, other := range slices.Backward(a.Models.List()) {
		served := other.State == registry.Promoted && (other.Checkpoint != "" || m.Checkpoint == "")
		made := other.Adapted && other.Parent == m.Epoch && other.State != registry.Rejected
		if (served || made) && a.Fits(other) == nil {
			return other, nil
		}
	}
	adapted, err := a.adapt(m)
	if err != nil {
		return adapted, fmt.Errorf("adapt: the model of epoch %d to what is configured: %w", m.Epoch, err)
	}
	return adapted, nil
}

// adapt adds a model made of m for what is configured: first its weights, then its row. A trained one keeps its shape.
func (a *Adapter) adapt(m registry.Model) (registry.Model, error) {
	if m.Checkpoint == "" {
		options := a.Options()
		return a.Models.Add(registry.Model{Seed: m.Seed, Parent: m.Epoch, Created: time.Now().UTC(), Options: &options, Adapted: true})
	}
	was, err := checkpoint.Read(a.Models.Path(m.Checkpoint))
	if err != nil {
		return registry.Model{}, err
	}
	options := was.Config.Options()
	shape := a.Shape.With(options)
	shape.Seed = was.Config.Seed
	weights, err := infer.Adopt(shape, was.Config, was.Weights, func(kind string) bool { return a.Encoders[kind] != was.Encoders[kind] })
	if err != nil {
		return registry.Model{}, err
	}
	all := a.Models.List()
	epoch := uint64(all[len(all)-1].Epoch) + 1
	name := fmt.Sprintf("%04d.safetensors", epoch)
	if err := checkpoint.Write(a.Models.Path(name), &checkpoint.Checkpoint{
		Meta:    checkpoint.Meta{Config: shape.Shape(), Encoders: a.Encoders, Epoch: epoch, Parent: uint64(m.Epoch), Watermark: was.Watermark},
		Weights: weights,
	}); err != nil {
		return registry.Model{}, err
	}
	return a.Models.Add(registry.Model{Checkpoint: name, Parent: m.Epoch, Created: time.Now().UTC(), Encoders: a.Encoders, Options: &options, Adapted: true})
}

// ErrOther is wrapped when weights were made for other encoders than those of a state.
var ErrOther = errors.New("the weights were made for other encoders")

// Weights returns the weights of a model for a state whose vectors are made by encoders; nil for a model that was not
// trained, whose seed gives its weights. shape is that of the state.
func Weights(models *registry.Registry, m registry.Model, shape infer.Config, encoders map[string]feature.Identity) ([]float32, error) {
	if m.Checkpoint == "" {
		return nil, nil
	}
	c, err := checkpoint.Read(models.Path(m.Checkpoint))
	if err != nil {
		return nil, err
	}
	if !maps.Equal(c.Encoders, encoders) {
		return nil, fmt.Errorf("adapt: %s: %w: %s", m.Checkpoint, ErrOther, differences(c.Encoders, encoders))
	}
	return c.Weights, c.Compatible(shape.Shape())
}
