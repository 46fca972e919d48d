package adapt

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"kilim/learner/encode/feature"
	"kilim/learner/model"
	"kilim/learner/model/checkpoint"
	"kilim/learner/model/infer"
	"kilim/learner/train/registry"
)

type identities = map[string]feature.Identity

var shape = infer.Config{Text: 12, Facts: 3, Image: 5, Width: 8, Bases: 2, Heads: 2, Relations: 4, Types: 3, Seed: 1}

// TestAdapt goes from encoder to encoder and back: whatever is asked again has the same answer, a model that has served is taken
// before another is made, and weights are read for their own encoders only.
func TestAdapt(t *testing.T) {
	t.Parallel()
	models, err := registry.Open(t.TempDir(), registry.Model{Seed: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	hawk, owl := identities{"image": {Name: "hawk", Version: 1, Dim: 5}}, identities{"image": {Name: "owl", Version: 1, Dim: 5}}
	tm, err := model.New(shape.Shape())
	if err != nil {
		t.Fatal(err)
	}
	weights := tm.Init().Data
	for i := range weights {
		weights[i] += 1
	}
	if err := checkpoint.Write(models.Path("0002.safetensors"), &checkpoint.Checkpoint{Meta: checkpoint.Meta{Config: shape.Shape(), Encoders: hawk, Watermark: "w"}, Weights: weights}); err != nil {
		t.Fatal(err)
	}
	first, err := models.Get(1)
	if err != nil {
		t.Fatal(err)
	}
	good, err := models.Add(registry.Model{Checkpoint: "0002.safetensors", Parent: 1, Created: time.Unix(0, 0), Encoders: hawk})
	if err != nil {
		t.Fatal(err)
	}
	if good, err = models.SetState(good.Epoch, registry.Promoted, nil, ""); err != nil {
		t.Fatal(err)
	}
	with := func(ids identities) *Adapter {
		return &Adapter{Models: models, Shape: shape, Encoders: ids, Unnamed: shape.Shape().Options()}
	}
	adapted := func(ids identities, m registry.Model) registry.Model {
		t.Helper()
		if err := with(ids).Fits(m); err == nil || !strings.Contains(err.Error(), "image by hawk v1, 5 numbers, configured is owl v1, 5 numbers") {
			t.Errorf("epoch %d: %v", m.Epoch, err)
		}
		to, err := with(ids).Adapt(m)
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	for _, m := range []registry.Model{first, good} {
		if to, err := with(hawk).Adapt(m); err != nil || to.Epoch != m.Epoch || with(hawk).Fits(m) != nil {
			t.Errorf("epoch %d does not fit: %d, %v", m.Epoch, to.Epoch, err)
		}
	}
	if with(owl).Fits(first) != nil {
		t.Error("a model that was not trained does not fit")
	}
	other := adapted(owl, good)
	if other.Epoch != 3 || other.Parent != 2 || !other.Adapted || other.State != registry.Candidate {
		t.Fatalf("adapted: %+v", other)
	}
	if again := adapted(owl, good); again.Epoch != 3 {
		t.Errorf("adapted again: %+v", again)
	}
	got, err := Weights(models, other, shape, owl)
	want, err2 := infer.Adopt(shape, shape.Shape(), weights, func(kind string) bool { return kind == "image" })
	if err != nil || err2 != nil || !slices.Equal(got, want) || slices.Equal(got, weights) {
		t.Errorf("the adapted weights are others than infer's (%v, %v)", err, err2)
	}
	if _, err := Weights(models, other, shape, hawk); !errors.Is(err, ErrOther) {
		t.Errorf("weights for another encoder: %v", err)
	}
	if w, err := Weights(models, first, shape, owl); w != nil || err != nil {
		t.Errorf("weights of a seeded model: %d, %v", len(w), err)
	}
	if back, err := with(hawk).Adapt(other); err != nil || back.Epoch != good.Epoch {
		t.Errorf("back: epoch %d, %v", back.Epoch, err)
	}
	if _, err := models.SetState(other.Epoch, registry.Rejected, nil, "by the test"); err != nil {
		t.Fatal(err)
	}
	if anew := adapted(owl, good); anew.Epoch != 4 {
		t.Errorf("after the first was rejected: %+v", anew)
	}
	torn := with(owl)
	if to, err := torn.Adapt(registry.Model{Epoch: 2, Checkpoint: "none", Encoders: hawk}); to.Epoch != 4 || err != nil {
		t.Errorf("a model that is made already: %+v, %v", to, err)
	}
	if _, err := torn.Adapt(registry.Model{Epoch: 9, Checkpoint: "none", Encoders: hawk}); err == nil || !strings.Contains(err.Error(), "the model of epoch 9 to what is configured") {
		t.Errorf("a checkpoint that is gone: %v", err)
	}
}

// TestOtherSpellings: a trained model keeps all its weights where only words are read otherwise, and is another epoch that is judged.
func TestOtherSpellings(t *testing.T) {
	t.Parallel()
	models, err := registry.Open(t.TempDir(), registry.Model{Seed: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tm, err := model.New(shape.Shape())
	if err != nil {
		t.Fatal(err)
	}
	weights := tm.Init().Data
	hawk := identities{"image": {Name: "hawk", Version: 1, Dim: 5}}
	spelled := identities{"image": hawk["image"], feature.Spellings: {Name: "0a1b", Version: 1}}
	if err := checkpoint.Write(models.Path("0002.safetensors"), &checkpoint.Checkpoint{Meta: checkpoint.Meta{Config: shape.Shape(), Encoders: hawk}, Weights: weights}); err != nil {
		t.Fatal(err)
	}
	good, err := models.Add(registry.Model{Checkpoint: "0002.safetensors", Parent: 1, Created: time.Unix(0, 0), Encoders: hawk})
	if err != nil {
		t.Fatal(err)
	}
	a := &Adapter{Models: models, Shape: shape, Encoders: spelled, Unnamed: shape.Shape().Options()}
	if err := a.Fits(good); err == nil || !strings.Contains(err.Error(), "spellings by none, configured is 0a1b v1") {
		t.Errorf("it fits: %v", err)
	}
	to, err := a.Adapt(good)
	if err != nil || to.Epoch == good.Epoch || to.State != registry.Candidate || a.Fits(to) != nil {
		t.Fatalf("adapted: %+v, %v", to, err)
	}
	if got, err := Weights(models, to, shape, spelled); err != nil || !slices.Equal(got, weights) {
		t.Errorf("its weights are others (%v)", err)
	}
	if _, err := Weights(models, good, shape, spelled); !errors.Is(err, ErrOther) {
		t.Errorf("weights of other spellings: %v", err)
	}
}
