package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"kilim/daemon/app"
	"kilim/daemon/config"
	"kilim/learner/train"
	"kilim/learner/train/finetune"
)

type trainCommand struct{ config.Config }

// Help is shown by kilim train --help.
func (trainCommand) Help() string {
	return `The model that serves is trained further on the archive, and both are held against each other on what was held out: finding one half of a record by the other, held-out links, theme labels, and your own judgments (train.truth). Only when nothing is worse beyond noise, and something better, a state of the new model is made, which takes the place of the present one; its lists are published by the next daemon. "kilim model rollback" goes back. The daemon does all this by itself, beside its work (train.share).

Ctrl-C leaves a checkpoint; the same command goes on from it.

Exit code 0: trained and decided, whether the new model serves or was rejected; the last line says which. 1: not finished.`
}

// Run trains, prints the table of the gate, and says in the last line what serves.
func (c *trainCommand) Run(s *session) error {
	if err := s.settle(&c.Config); err != nil {
		return err
	}
	show := newTraining(s.stderr)
	out, err := app.Train(s.ctx, &c.Config, version(), c.Log.New(s.stderr), app.Progress{Phase: show.phase, Step: show.step, Making: show.making})
	show.end()
	if out.Table != nil {
		if err := out.Table.Print(s.stdout); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(err, context.Canceled) && out.Table != nil:
		return fmt.Errorf("train: interrupted: the state of epoch %d is not made; the daemon, or \"kilim train\", goes on with it", out.Model.Epoch)
	case errors.Is(err, context.Canceled):
		return errors.New("train: interrupted: the same command goes on from the checkpoint")
	case err != nil:
		return fmt.Errorf("train: %w", opened(c.Data, err, "it trains by itself (train.share); to train at once, stop it first"))
	case out.Serves:
		fmt.Fprintf(s.stdout, "epoch %d serves, in the place of epoch %d\n", out.Model.Epoch, out.Model.Parent)
	default:
		fmt.Fprintf(s.stdout, "epoch %d serves on; epoch %d is kept as %s\n", out.Model.Parent, out.Model.Epoch, out.Model.State)
	}
	return nil
}

// trainingProgress shows how far a training is: a bar on a terminal, else a line now and then.
type trainingProgress struct {
	out  io.Writer
	bar  *progressbar.ProgressBar
	last time.Time
}

// parts is the number of steps of the progress bar.
const parts = 1000

func newTraining(w io.Writer) *trainingProgress {
	return &trainingProgress{out: w, last: time.Now(), bar: newBar(w, parts)}
}

func (p *trainingProgress) show(ratio float64, now bool, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if p.bar != nil {
		p.bar.Describe(text)
		_ = p.bar.Set(min(int(parts*ratio), parts-1)) // a bar that can't be drawn is no reason to stop
		return
	}
	if now || time.Since(p.last) >= linesEvery {
		p.last = time.Now()
		fmt.Fprintln(p.out, text)
	}
}

func (p *trainingProgress) phase(phase string) {
	texts := map[string]string{finetune.Snapshot: "reading the archive", finetune.Training: "training", finetune.Judging: "holding it against the model that serves"}
	p.show(0, true, "%s", texts[phase])
}

func (p *trainingProgress) step(s train.Progress) {
	if s.Step == 0 {
		p.show(0, true, "before the first step: halves found at %.3f", s.Validation.MRR)
		return
	}
	p.show(float64(s.Step)/float64(s.Steps), s.Validated, "%s: step %d of at most %d, loss %.3f, halves found at %.3f", s.Stage, s.Step, s.Steps, s.Loss, s.Validation.MRR)
}

func (p *trainingProgress) making(ratio float64) {
	p.show(ratio, false, "making the state of the new model: %.0f %%", 100*ratio)
}

func (p *trainingProgress) end() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
