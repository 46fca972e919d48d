// Package registry keeps what is known of each model: a small JSON file for each epoch, and beside it the checkpoint, if the model
// has one. Files are replaced whole, so a crash leaves the state before a change or after it.
package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"kilim/internal/atomicfile"
)

// State is how far a model has come.
type State string

const (
	// Candidate was made and not yet compared with the one that serves.
	Candidate State = "candidate"
	// Evaluated was compared and found good enough.
	Evaluated State = "evaluated"
	// Promoted serves, or has served.
	Promoted State = "promoted"
	// Rejected was compared and found worse; Reason says in what.
	Rejected State = "rejected"
)

// follows tells the states that a state may be followed by.
var transitions = map[State][]State{
	Candidate: {Evaluated, Promoted, Rejected},
	Evaluated: {Promoted, Rejected},
	Promoted:  {},
	Rejected:  {},
}

// Model is a model by its epoch.
type Model struct {
	// Epoch numbers models from 1, in the order in which they were made.
	Epoch uint32 `json:"epoch"`
	State State  `json:"state"`
	// Seed makes the weights of a model that has no Checkpoint, which is the name of a file beside this one.
	Seed       uint64 `json:"seed"`
	Checkpoint string `json:"checkpoint,omitempty"`
	// Parent is the epoch of the model that it was trained from; 0: none.
	Parent  uint32    `json:"parent,omitempty"`
	Created time.Time `json:"created"`
	// Metrics are those of the evaluation, as it wrote them.
	Metrics json.RawMessage `json:"metrics,omitempty"`
	// Reason says why a model was rejected.
	Reason string `json:"reason,omitempty"`
}

var (
	// ErrUnknown is returned for an epoch of which there is no model.
	ErrUnknown = errors.New("unknown model")
	// ErrState is returned for a change of state that is none.
	ErrState = errors.New("not possible in the model's state")
)

// Registry is the models of one folder. It is safe for concurrent use.
type Registry struct {
	dir    string
	before func(step string) error
	lock   sync.Mutex
	models []Model // by epoch
}

// Open reads the folder, which is made if it is not there. A new one gets first as epoch 1, promoted.
// before may be nil, see atomicfile.Write.
func Open(dir string, first Model, before func(step string) error) (*Registry, error) {
	r := &Registry{dir: dir, before: before}
	if err := r.open(first); err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	return r, nil
}

func (r *Registry) open(first Model) error {
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(r.dir, "*.json"))
	if err != nil {
		return err
	}
	for _, name := range files {
		m, err := read(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.models = append(r.models, m)
	}
	slices.SortFunc(r.models, func(a, b Model) int { return int(a.Epoch) - int(b.Epoch) })
	if len(r.models) > 0 {
		return nil
	}
	first.Epoch, first.State = 1, Promoted
	return r.write(first)
}

func read(name string) (Model, error) {
	var m Model
	data, err := os.ReadFile(name)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, err
	}
	if stem := strings.TrimSuffix(filepath.Base(name), ".json"); m.Epoch == 0 || stem != stemOf(m.Epoch) {
		return m, fmt.Errorf("epoch %d: want that of the file's name", m.Epoch)
	}
	if _, ok := transitions[m.State]; !ok {
		return m, fmt.Errorf("state %q: want candidate, evaluated, promoted or rejected", m.State)
	}
	if m.Checkpoint != filepath.Base(m.Checkpoint) && m.Checkpoint != "" {
		return m, fmt.Errorf("checkpoint %q: want the name of a file in this folder", m.Checkpoint)
	}
	return m, nil
}

func stemOf(epoch uint32) string { return fmt.Sprintf("%04d", epoch) }

// write puts a model to the disk and into memory. It wants the lock, or that nobody else has r.
func (r *Registry) write(m Model) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("epoch %d: %w", m.Epoch, err)
	}
	if err := atomicfile.Write(filepath.Join(r.dir, stemOf(m.Epoch)+".json"), append(data, '\n'), r.before); err != nil {
		return err
	}
	at, found := r.find(m.Epoch)
	if found {
		r.models[at] = m
	} else {
		r.models = slices.Insert(r.models, at, m)
	}
	return nil
}

func (r *Registry) find(epoch uint32) (int, bool) {
	return slices.BinarySearchFunc(r.models, epoch, func(m Model, e uint32) int { return int(m.Epoch) - int(e) })
}

// Path is where a model's file of the given name is, or is to be.
func (r *Registry) Path(name string) string { return filepath.Join(r.dir, name) }

// List returns all models by epoch.
func (r *Registry) List() []Model {
	r.lock.Lock()
	defer r.lock.Unlock()
	return slices.Clone(r.models)
}

// Get returns the model of an epoch.
func (r *Registry) Get(epoch uint32) (Model, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.get(epoch)
}

func (r *Registry) get(epoch uint32) (Model, error) {
	at, ok := r.find(epoch)
	if !ok {
		return Model{}, fmt.Errorf("registry: epoch %d: %w", epoch, ErrUnknown)
	}
	return r.models[at], nil
}

// Add keeps a new model, as a candidate of the next epoch. A checkpoint must be in its place already.
func (r *Registry) Add(m Model) (Model, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	m.Epoch, m.State = r.models[len(r.models)-1].Epoch+1, Candidate
	if m.Checkpoint != "" {
		if _, err := os.Stat(r.Path(m.Checkpoint)); err != nil {
			return Model{}, fmt.Errorf("registry: checkpoint of epoch %d: %w", m.Epoch, err)
		}
	}
	if err := r.write(m); err != nil {
		return Model{}, fmt.Errorf("registry: %w", err)
	}
	return m, nil
}

// Judge gives a model another state, with the metrics and the reason that it is due to; nil metrics leave those that it has. A
// state that it has already is no fault.
func (r *Registry) SetState(epoch uint32, state State, metrics json.RawMessage, reason string) (Model, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	m, err := r.get(epoch)
	if err != nil {
		return m, err
	}
	if m.State != state && !slices.Contains(transitions[m.State], state) {
		return m, fmt.Errorf("registry: epoch %d is %s and can't become %s: %w", epoch, m.State, state, ErrState)
	}
	m.State, m.Reason = state, reason
	if metrics != nil {
		m.Metrics = metrics
	}
	if err := r.write(m); err != nil {
		return m, fmt.Errorf("registry: %w", err)
	}
	return m, nil
}
