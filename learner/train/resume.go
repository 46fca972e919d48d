package train

import (
	"bytes"
	"encoding/json"
	"fmt"

	"kilim/learner/model/checkpoint"
	"kilim/learner/model/safetensors"
	"kilim/learner/train/moco"
)

// progress is the part of a Trainer's state that is no tensor, as JSON.
type progress struct {
	Config      Config
	MoCo        moco.State
	Validations []Validation
	BestIndex   int
}

// branchHeadsTensor are the weights of the branches' heads, which belong to no model.
const branchHeadsTensor = "branch heads"

// Checkpoint returns the present weights and all that Resume needs. It shares memory with the Trainer: it must be
// written before the next step.
func (t *Trainer) Checkpoint(meta checkpoint.Meta) (*checkpoint.Checkpoint, error) {
	state := t.moco.State()
	raw, err := json.Marshal(progress{t.cfg, state, t.validations, t.bestIndex})
	if err != nil {
		return nil, fmt.Errorf("train: checkpoint: %w", err)
	}
	meta.Config = t.model.Config()
	own := append(state.Tensors,
		safetensors.Floats("best", t.bestWeights, len(t.bestWeights)),
		safetensors.Ints("owners", t.owners.artifact, len(t.owners.artifact)))
	if n := len(t.branchHeads); n > 0 {
		own = append(own, safetensors.Floats(branchHeadsTensor, t.branchHeads, n))
	}
	return &checkpoint.Checkpoint{Meta: meta, Weights: t.weights.Data, Progress: raw, Training: own}, nil
}

// Resume restores the state of a checkpoint that was made with the same Config and Set. After an error the Trainer must
// not be used.
func (t *Trainer) Resume(c *checkpoint.Checkpoint) error {
	if err := c.Compatible(t.model.Config()); err != nil {
		return err
	}
	var p progress
	d := json.NewDecoder(bytes.NewReader(c.Progress))
	d.DisallowUnknownFields() // of another version of progress
	if err := d.Decode(&p); err != nil {
		return fmt.Errorf("train: resume: the checkpoint's progress: %w", err)
	}
	if have, want := fmt.Sprintf("%+v", p.Config), fmt.Sprintf("%+v", t.cfg); have != want {
		return fmt.Errorf("train: resume: the checkpoint was made with %s, this run has %s", have, want)
	}
	f := safetensors.File{Tensors: c.Training}
	best, _ := f.Tensor("best")
	owners, _ := f.Tensor("owners")
	heads, _ := f.Tensor(branchHeadsTensor)
	if len(heads.F32) != len(t.branchHeads) {
		return fmt.Errorf("train: resume: %d weights of branches' heads, this run has %d", len(heads.F32), len(t.branchHeads))
	}
	if len(owners.I32) != t.cfg.MoCo.Queue || p.BestIndex < 0 || p.BestIndex >= max(len(p.Validations), 1) || len(p.Validations) > 0 && len(best.F32) != len(c.Weights) {
		return fmt.Errorf("train: resume: %d owners for a queue of %d, validation %d of %d, %d best weights of %d",
			len(owners.I32), t.cfg.MoCo.Queue, p.BestIndex, len(p.Validations), len(best.F32), len(c.Weights))
	}
	for _, a := range owners.I32 {
		if int(a) >= len(t.set.artifacts) {
			return fmt.Errorf("train: resume: a key of artifact %d: the set has %d", a, len(t.set.artifacts))
		}
	}
	p.MoCo.Tensors = c.Training
	if err := t.moco.Restore(p.MoCo); err != nil {
		return fmt.Errorf("train: resume: %w", err)
	}
	copy(t.weights.Data, c.Weights)
	copy(t.branchHeads, heads.F32)
	t.bestWeights, t.validations, t.bestIndex = best.F32, p.Validations, p.BestIndex
	for place, a := range owners.I32 {
		t.owners.put(place, a)
	}
	return nil
}
