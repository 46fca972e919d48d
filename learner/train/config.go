package train

import (
	"errors"
	"fmt"

	"kilim/learner/train/moco"
)

// Config is the setting of a run.
type Config struct {
	Batch     int
	MoCo      moco.Config // its Rate is the stages' to say; classes and width of its Prototypes are the set's and the model's
	Views     Views
	Negatives Negatives
	Stages    []Stage
	// HeldOut is the share of the artifacts that are not trained on, and on which
	// the training is judged; at most HeldOutLimit of them.
	HeldOut float64
	// Every is how many steps lie between two judgements.
	Every int
	// Patience is how many judgements without a better one end the training.
	Patience int
	Seed     uint64
}

// prototypeShare is which part of an embedding's coordinates the cultures' prototypes take: a half. With more of them
// the neighbours know the cultures better and the halves less. On Walters (3 seeds, 2,000 steps; lab/RESULTS.md) a quarter
// gave the cultures an F1 of 0.742, beside word tf-idf's 0.705 within noise, and the halves an MRR of 0.128 (tf-idf:
// 0.098); a half gave 0.754 and 0.118, both beyond noise. In 400 steps with other settings all of them gave 0.764 and
// 0.084, a quarter 0.742 and 0.094, and no prototypes 0.640 and 0.098.
const prototypeShare = 2

// HeldOutLimit bounds what a judgement costs.
const HeldOutLimit = 1024

// Defaults are the settings for an archive of some thousands of artifacts; layers
// is the model's. Of the views not too many are halves: what nothing else in a record
// hints at, as the subject of many a title, is lost when only halves are to meet (with 0.85 of them, a long
// training on Tate made the neighbours' subjects worse). What the last steps find, at the lowest rates, is a good part
// of all, so a training ends early only when it has stood still for long.
// Everything is trained from the start: frozen branches are made for branches that were trained elsewhere, and ours
// begin as random ones or as this archive's own. Of 2,000 steps on Walters, 80 with the branches frozen and 170 that
// unfreeze them cost the halves' MRR 0.010, of 1,200 on the demo archive 0.021 (two seeds, lab/RESULTS.md).
func Defaults(layers int) Config {
	fan := []int{12, 6, 4}[:layers]
	return Config{
		Batch: 256,
		MoCo: moco.Config{
			Queue: 4096, Momentum: 0.99, Temperature: 0.07, LearnTemperature: true, Decay: 1e-2, Clip: 5,
			Prototypes: moco.Prototypes{Weight: 2, Temperature: 0.1, Momentum: 0.8},
		},
		Views:     Views{Half: 0.6, NoOrigin: 0.3, FieldDrop: 0.3, ModalityDrop: 0.2, FeatureMask: 0.02, Link: 0.05, Rare: 0.1, Fan: fan},
		Negatives: Negatives{Hard: 2},
		Stages:    []Stage{{Full, 2000, 8e-3}},
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
	if c.Every < 1 || c.Patience < 1 {
		errs = append(errs, fmt.Errorf("train: every %d, patience %d: must be 1 or more", c.Every, c.Patience))
	}
	if c.Batch < 1 || c.MoCo.Queue%c.Batch != 0 {
		errs = append(errs, fmt.Errorf("train: batch %d: must divide the queue of %d", c.Batch, c.MoCo.Queue))
	}
	return errors.Join(errs...)
}

// steps is the length of all stages.
func (c Config) steps() int {
	n := 0
	for _, s := range c.Stages {
		n += s.Steps
	}
	return n
}

// stage is the one of a step, and the step within it.
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
