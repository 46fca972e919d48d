package moco

import (
	"fmt"

	"kilim/learner/model/safetensors"
)

// State is all that a Trainer needs to go on, besides the weights of its query encoder.
type State struct {
	Step, Slot int
	Tensors    []safetensors.Tensor `json:"-"`
}

// tensors are the Trainer's own memory, by name.
func (t *Trainer) tensors() []safetensors.Tensor {
	n := len(t.key.Data)
	out := []safetensors.Tensor{
		safetensors.Floats("key", t.key.Data, n), safetensors.Floats("moment1", t.optimizer.m, n), safetensors.Floats("moment2", t.optimizer.v, n),
	}
	for _, c := range t.contrasts() {
		out = append(out, c.tensors()...)
	}
	out = append(out, safetensors.Ints("updates", t.optimizer.updates, len(t.optimizer.updates)))
	if c := t.centres.at; c.Rows > 0 {
		out = append(out, safetensors.Floats("prototypes", c.Data, c.Rows, c.Cols))
	}
	return out
}

// State returns the present State. It shares memory with the Trainer: it must be written before the next step.
func (t *Trainer) State() State { return State{t.step, t.slot, t.tensors()} }

// Restore sets the State of a Trainer of the same Config; the caller restores the query encoder's weights. On an error
// nothing has changed.
func (t *Trainer) Restore(s State) error {
	if s.Step < 0 || s.Slot < 0 || s.Slot >= t.cfg.Queue {
		return fmt.Errorf("moco: state: step %d, place %d in a queue of %d", s.Step, s.Slot, t.cfg.Queue)
	}
	f := safetensors.File{Tensors: s.Tensors}
	own := t.tensors()
	for _, to := range own {
		from, ok := f.Tensor(to.Name)
		if !ok || len(from.F32) != len(to.F32) || len(from.I32) != len(to.I32) {
			return fmt.Errorf("moco: state: %s has shape %v, want %v", to.Name, from.Shape, to.Shape)
		}
	}
	for _, to := range own {
		from, _ := f.Tensor(to.Name)
		copy(to.F32, from.F32)
		copy(to.I32, from.I32)
	}
	for _, c := range t.branches {
		for place := range c.there {
			c.find(place)
		}
	}
	t.step, t.slot = s.Step, s.Slot
	return nil
}
