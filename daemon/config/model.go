package config

import (
	"cmp"

	"kilim/learner/model"
)

// Model is the shape of the model. A trained model serves on in its own shape until one in the configured shape was trained, and is
// in nothing worse; one that was not trained is replaced by the configured one beside the one that serves.
type Model struct {
	Preset     string `default:"default" oneof:"small,default,large" help:"Size of the model: small, default or large, whose vectors have 128, 256 or 512 numbers, with 4, 4 or 8 heads. The lab's results are of the default one."`
	Width      int    `default:"0" min:"0" max:"2048" help:"Length of the model's vectors, a multiple of 8 and of the heads; 0: the preset's."`
	Embedding  int    `default:"0" min:"0" max:"2048" help:"Length of an embedding, a multiple of 8; 0: that of model.width. A shorter one takes less of the index and of each comparison, and tells fewer apart."`
	Layers     int    `default:"2" min:"2" max:"3" help:"How many edges away an embedding reads: 2 or 3. With 3, what an artifact shares with others tells it of those whom these share something with, at about the cost that README tells."`
	Heads      int    `default:"0" min:"0" max:"64" help:"Heads of the fusion's attention, 4 or more; 0: the preset's."`
	Fusion     string `default:"attention" oneof:"attention,mlp,transformer" help:"How text, pictures and recordings become one vector: attention among them, with a gate for each; mlp, a network over all side by side; or transformer, in which each reads itself too."`
	Residual   string `default:"sum" oneof:"sum,concat" help:"How a branch's own features reach its result, beside what the graph says: sum, or concat, which learns how to mix the two."`
	Aggregator string `default:"mean" oneof:"mean,attention" help:"How an artifact's neighbours become one message: mean, where all of a relation weigh the same; or attention, which learns by what a neighbour is how much it says, and by what an artifact is how much each relation does. It costs a newcomer and a training step more, as README tells."`
	Media      string `default:"features" oneof:"features,nodes" help:"What pictures and recordings are to the model: features, the mean of an artifact's, or nodes too, each with its own vector, which joins the artifacts that hold the same bytes; README tells what that costs."`
}

// presets are the sizes by name.
var presets = map[string]model.Options{
	"small":   {Width: 128, Heads: 4},
	"default": {Width: 256, Heads: 4},
	"large":   {Width: 512, Heads: 8},
}

// Options are what the keys say together.
func (m *Model) Options() model.Options {
	preset := presets[m.Preset]
	return model.Config{
		Width: cmp.Or(m.Width, preset.Width), Embedding: m.Embedding, Layers: m.Layers, Heads: cmp.Or(m.Heads, preset.Heads), Fusion: m.Fusion, Residual: m.Residual, Aggregator: m.Aggregator, Media: m.Media,
	}.Options()
}

func (m *Model) check() (faults []*Fault) {
	if _, ok := presets[m.Preset]; !ok {
		return nil // which its tag tells
	}
	o := m.Options()
	if o.Heads < 4 {
		faults = append(faults, faultf("model.heads", "%d: want 4 or more, or 0 for the preset's", o.Heads))
	}
	if o.Width%8 != 0 || o.Width%o.Heads != 0 {
		faults = append(faults, faultf("model.width", "%d: want a multiple of 8 and of the %d heads", o.Width, o.Heads))
	}
	if o.Embedding%8 != 0 {
		faults = append(faults, faultf("model.embedding", "%d: want a multiple of 8, or 0 for the width", o.Embedding))
	}
	return faults
}
