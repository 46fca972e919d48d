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
	"kilim/learner/encode/feature"
	"kilim/learner/model"
)

// State is how far a model has come.
type State string

const (
	// Candidate is the state of a model that was not yet compared with the one that serves.
	Candidate State = "candidate"
	// Evaluated is the state of a model that was compared and found better.
	Evaluated State = "evaluated"
	// Promoted is the state of a model that serves, or has served.
	Promoted State = "promoted"
	// Rejected is the state of a model that was compared and not found better; Reason says why.
	Rejected State = "rejected"
)

// transitions has the states that may follow each state.
var transitions = map[State][]State{
	Candidate: {Evaluated, Promoted, Rejected},
	Evaluated: {Promoted, Rejected},
	Promoted:  {},
	Rejected:  {},
}

// Model is what is known of a model.
type Model struct {
	// Epoch numbers models from 1, in the order in which they were made.
	Epoch uint32 `json:"epoch"`
	State State  `json:"state"`
	// Seed gives the weights of a model without a Checkpoint. Checkpoint is the name of a file in the same folder.
	Seed       uint64 `json:"seed"`
	Checkpoint string `json:"checkpoint,omitempty"`
	// Parent is the epoch of the model from which this one was trained; 0: none.
	Parent  uint32    `json:"parent,omitempty"`
	Created time.Time `json:"created"`
	// Encoders are those whose vectors a trained model reads, by modality: the input of another one's would mean nothing. The
	// built-in encoder of texts is not among them. A model without a Checkpoint is of no encoder.
	Encoders map[string]feature.Identity `json:"encoders,omitempty"`
	// Options are those of the model's shape.
	Options *model.Options `json:"options,omitempty"`
	// Adapted: the model was not trained, but made of its Parent for other encoders or, untrained as it was, of another shape.
	Adapted bool `json:"adapted,omitempty"`
	// Metrics are the results of the evaluation, as it wrote them.
	Metrics json.RawMessage `json:"metrics,omitempty"`
	// Reason says why a model was rejected, or why one that was Adapted does not serve.
	Reason string `json:"reason,omitempty"`
}

var (
	// ErrUnknown is returned for an epoch that no model has.
	ErrUnknown = errors.New("unknown model")
	// ErrState is returned for a change of state that transitions does not allow.
	ErrState = errors.New("not possible in the model's state")
)

// Registry is the models of one folder. It is safe for concurrent use.
type Registry struct {
	dir    string
	before func(step string) error
	lock   sync.Mutex
	models []Model // by epoch
}

// Open reads the folder, and makes it if it is not there. A folder without models gets first as epoch 1, promoted.
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

// write writes a model to the disk and into memory. The caller must hold the lock or have the only reference to r.
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

// Path is where the file of a name is, or is to be, in the folder.
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

// Add adds a model as a Candidate of the next epoch. Its Checkpoint must be in its place already.
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

// SetState sets the state of a model, with the metrics and the reason of it; nil metrics keep those that the model has.
// Setting the state that it has already is allowed.
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
