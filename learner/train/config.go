package train

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"kilim/learner/model"
	"kilim/learner/train/moco"
)

// Config has the settings of a run.
type Config struct {
	Batch     int
	MoCo      moco.Config // New sets its Seed, its Branches, and the Classes and Width of its Prototypes; the Stages set its Rate
	Views     Views
	Negatives Negatives
	Stages    []Stage
	// WarmUp is the share of a stage's steps in which its rate rises.
	WarmUp float64
	// Held are the modalities whose branch is not trained.
	Held []string
	// BranchWeight is that of a contrastive loss behind each branch that is trained, beside the fusion's; 0: none. Its positive pairs are
	// the fusion's, where both views show the modality.
	BranchWeight float64 `json:",omitempty"`
	// HeldOut is the share of the artifacts that are not trained on, at most HeldOutLimit of them. The run is validated
	// on these.
	HeldOut float64
	// Every is how many steps lie between two validations.
	Every int
	// Patience is after how many validations without a better one training ends.
	Patience int
	Seed     uint64
}

// prototypeShare is the part of an embedding's coordinates that the cultures' prototypes take: one in prototypeShare, a
// quarter. On Walters, with the sets of package dataset and 2,000 steps (lab/RESULTS.md), a quarter finds more halves than a half
// does (MRR 0.130 in one seed, for 0.119 to 0.123 in three) and the cultures as well (F1 0.754, for 0.727 to 0.759). With sets
// that the lab made before, the half had found the cultures better. In 400 steps with other settings all coordinates gave an F1 of
// 0.764 and an MRR of 0.084, a quarter 0.742 and 0.094, and no prototypes 0.640 and 0.098.
const prototypeShare = 4

// HeldOutLimit bounds what a validation costs.
const HeldOutLimit = 1024

// Defaults returns the settings for an archive of some thousands of artifacts; layers is the model's. Views.Half is not
// higher because what nothing else in a record hints at, as the subject of many a title, is lost when only halves are
// to meet: with 0.85, a long training on Tate made the neighbours' subjects worse. Patience is long because much of the
// gain comes in the last steps, at the lowest rates. There is one Stage, Full: freezing is made for branches that were
// trained elsewhere, and ours begin seeded or trained on this archive. Of 2,000 steps on Walters, 80 with the branches
// frozen and 170 that unfreeze them cost the halves' MRR 0.010, of 1,200 on the demo archive 0.021 (two seeds,
// lab/RESULTS.md).
func Defaults(layers int) Config {
	fan := []int{12, 6, 4}[:layers]
	return Config{
		Batch: 256,
		MoCo: moco.Config{
			Queue: 4096, Momentum: 0.99, Temperature: 0.07, Coldest: 0.01, Hottest: 1, LearnTemperature: true, Decay: 1e-2, Clip: 5,
			Prototypes: moco.Prototypes{Weight: 2, Temperature: 0.1, Momentum: 0.8},
		},
		Views:     Views{Half: 0.6, NoOrigin: 0.3, FieldDrop: 0.3, ModalityDrop: 0.2, FeatureMask: 0.02, Link: 0.05, Rare: 0.1, Fan: fan},
		Negatives: Negatives{Hard: 2, Beyond: 2},
		Stages:    []Stage{{Full, 2000, 8e-3}},
		WarmUp:    0.1,
		HeldOut:   0.1, Every: 100, Patience: 6,
	}
}

func (c Config) validate(layers int) error {
	var errs []error
	errs = append(errs, c.Views.validate(layers), c.Negatives.validate())
	if len(c.Stages) == 0 {
		errs = append(errs, errors.New("train: no stages"))
	}
	for _, s := range c.Stages {
		if err := s.validate(); err != nil {
			errs = append(errs, fmt.Errorf("train: %w", err))
		}
	}
	if !(c.HeldOut > 0 && c.HeldOut < 1) {
		errs = append(errs, fmt.Errorf("train: held out %v: must be a share between 0 and 1", c.HeldOut))
	}
	if !(c.BranchWeight >= 0 && c.BranchWeight <= maxBranchWeight) {
		errs = append(errs, fmt.Errorf("train: branch weight %v: must be in 0..%v", c.BranchWeight, maxBranchWeight))
	}
	if !(c.WarmUp >= 0 && c.WarmUp <= 1) {
		errs = append(errs, fmt.Errorf("train: warm-up %v: must be a share from 0 to 1", c.WarmUp))
	}
	if c.Every < 1 || c.Patience < 1 {
		errs = append(errs, fmt.Errorf("train: every %d, patience %d: must be 1 or more", c.Every, c.Patience))
	}
	if c.Batch < 1 || c.MoCo.Queue%c.Batch != 0 {
		errs = append(errs, fmt.Errorf("train: batch %d: must divide the queue of %d", c.Batch, c.MoCo.Queue))
	}
	return errors.Join(errs...)
}

const maxBranchWeight = 100

// branches are the weights of the losses behind the branches of a model, nil when there are none.
func (c Config) branches(modalities []model.Modality) []float64 {
	out := make([]float64, len(modalities))
	for i, m := range modalities {
		if !slices.Contains(c.Held, m.Name) {
			out[i] = c.BranchWeight
		}
	}
	if !slices.ContainsFunc(out, func(w float64) bool { return w > 0 }) {
		return nil
	}
	return out
}

// BranchMemory is how many bytes the losses behind the branches of a model add to what a training takes: the heads with their
// gradients, key encoder and moments, the queues, and what a step computes of a batch's cosines with these.
func (c Config) BranchMemory(shape model.Config) int64 {
	const float, copies = 4, 5
	n, d := int64(0), int64(shape.Width)
	for _, w := range c.branches(shape.Modalities) {
		if w > 0 {
			n++
		}
	}
	heads := int64(0)
	if n > 0 {
		heads = int64(len(shape.Modalities)) * 2 * (d*d + d) * copies
	}
	return float * (heads + n*int64(c.MoCo.Queue)*(d+int64(c.Batch)))
}

// holds tells that a parameter is of a branch that is held.
func (c Config) holds(p model.Param) bool {
	modality, _, _ := strings.Cut(p.Name, ".")
	return p.Group != "fusion" && p.Group != "head" && slices.Contains(c.Held, modality)
}

// steps is the number of steps of all stages.
func (c Config) steps() int {
	n := 0
	for _, s := range c.Stages {
		n += s.Steps
	}
	return n
}

// stage returns the Stage that a step belongs to, and the step's number within it.
func (c Config) stage(step int) (Stage, int) {
	for _, s := range c.Stages {
		if step < s.Steps {
			return s, step
		}
		step -= s.Steps
	}
	last := c.Stages[len(c.Stages)-1]
	return last, last.Steps - 1
}
