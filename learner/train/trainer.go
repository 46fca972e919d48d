package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
	"kilim/learner/train/moco"
)

// Progress is the state of a run after a step, or, of Step 0, after the validation of the starting weights: of that it has Steps,
// Stage and Validation alone.
type Progress struct {
	Step, Steps  int
	Stage        string
	Loss         float64
	Temperature  float64
	GradientNorm float64
	Rate         float64 // the stage's at this step
	QueueAge     int     // steps since the oldest key in the queue was made; 0 while seeded ones are there
	// Validated is true when the step ended with a validation. Validation is the last one.
	Validated  bool
	Validation Validation
}

// Validation measures the weights on the held-out artifacts.
type Validation struct {
	Step int
	// MRR is the mean reciprocal rank at which the embedding of one half of an artifact finds the other's among the
	// halves of all held-out ones.
	MRR      float64
	Collapse Collapse
}

// Trainer is one run. It belongs to one goroutine at a time.
type Trainer struct {
	cfg     Config
	set     *Set
	model   *model.Model
	weights *model.Weights
	// trained is the model with what only the training has, its branches' heads, and branchHeads their weights; without BranchWeight
	// it is the model, and they are empty.
	trained     *model.Model
	branchHeads []float32
	moco        *moco.Trainer
	tape        *tape.Tape
	sampler     *Sampler
	owners      *queueOwners
	heldOut     []int32

	bestWeights []float32 // the best weights
	validations []Validation
	bestIndex   int // of the best in validations
}

// New returns a Trainer of the weights start, which it may change. The set must be made for the model's shape.
func New(cfg Config, set *Set, m *model.Model, start *model.Weights, pool *par.Pool) (*Trainer, error) {
	if err := cfg.validate(m.Config().Layers); err != nil {
		return nil, err
	}
	if !slices.Equal(set.shape.Modalities, m.Config().Modalities) || set.shape.Layers != m.Config().Layers || set.shape.Attends() != m.Config().Attends() || set.shape.Relations != m.Config().Relations ||
		(set.shape.Media == model.MediaNodes) != (m.Config().Media == model.MediaNodes) {
		return nil, fmt.Errorf("train: a set for the model %+v, the model is %+v", set.shape, m.Config())
	}
	cfg.MoCo.Seed = cfg.Seed
	if p := &cfg.MoCo.Prototypes; p.Weight > 0 {
		p.Classes, p.Width = set.classes, max(m.Config().EmbeddingDim()/prototypeShare, 1)
	}
	cfg.MoCo.Branches = cfg.branches(m.Config().Modalities)
	t := &Trainer{cfg: cfg, set: set, model: m, weights: start, trained: m, tape: tape.New(pool)}
	train, heldOut := Split(len(set.artifacts), cfg.HeldOut, cfg.Seed)
	t.heldOut = heldOut
	var err error
	if t.sampler, err = NewSampler(set, train, cfg.Batch, cfg.Views, cfg.Seed); err != nil {
		return nil, err
	}
	all, err := t.addBranchHeads(start)
	if err != nil {
		return nil, err
	}
	if t.moco, err = moco.New(cfg.MoCo, t.trained, all, m.Config().EmbeddingDim(), pool); err != nil {
		return nil, err
	}
	t.owners = newOwners(set, cfg.Negatives, cfg.MoCo.Queue)
	return t, nil
}

// addBranchHeads returns the weights that are trained: start, or start with the seeded heads of the branches, of which the model's
// weights are then the first part.
func (t *Trainer) addBranchHeads(start *model.Weights) (*model.Weights, error) {
	if t.cfg.MoCo.Branches == nil {
		return start, nil
	}
	t.trained = t.model.WithBranchHeads()
	all := t.trained.Init()
	n := copy(all.Data, start.Data)
	t.branchHeads = all.Data[n:]
	var err error
	t.weights, err = t.model.Weights(all.Data[:n:n], all.Grad[:n:n])
	return all, err
}

// Split divides n artifacts at random into those that a run of a Config trains on and those that it holds out, by number.
func Split(n int, share float64, seed uint64) (train, heldOut []int32) {
	order := rand.New(rand.NewPCG(seed, 0x5e1d)).Perm(n)
	k := max(2, int(math.Round(share*float64(n))))
	for i, a := range order {
		switch {
		case i >= k:
			train = append(train, int32(a))
		case i < HeldOutLimit:
			heldOut = append(heldOut, int32(a))
		}
	}
	slices.Sort(train)
	slices.Sort(heldOut)
	return train, heldOut
}

// Steps is the number of steps done.
func (t *Trainer) Steps() int { return t.moco.Steps() }

// Done is true when all steps are done, or Patience is exhausted.
func (t *Trainer) Done() bool {
	return t.Steps() >= t.cfg.steps() || len(t.validations) > 0 && len(t.validations)-1-t.bestIndex >= t.cfg.Patience
}

// Best returns the weights of the best validation, and that validation. The starting weights are validated too.
func (t *Trainer) Best() ([]float32, Validation) { return t.bestWeights, t.validations[t.bestIndex] }

// Validations are all so far, the first of the starting weights.
func (t *Trainer) Validations() []Validation { return t.validations }

// Run trains until Done or until ctx ends, whose error it then returns. It calls each when the starting weights are validated and
// after every step, and stops at its error. A later Run goes on.
func (t *Trainer) Run(ctx context.Context, each func(Progress) error) error {
	if len(t.validations) == 0 {
		if err := t.validate(); err != nil {
			return err
		}
		stage, _ := t.cfg.stage(0)
		if err := each(Progress{Steps: t.cfg.steps(), Stage: stage.Name, Validated: true, Validation: t.validations[0]}); err != nil {
			return err
		}
	}
	for !t.Done() {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := t.step()
		if err != nil {
			return err
		}
		if err := each(p); err != nil {
			return err
		}
	}
	return nil
}

func (t *Trainer) step() (Progress, error) {
	step := t.Steps()
	stage, within := t.cfg.stage(step)
	rates, rate := make([]float64, len(t.trained.Params())), stage.rate(within, t.cfg.WarmUp)
	for i, p := range t.trained.Params() {
		if !t.cfg.holds(p) {
			rates[i] = rate * stage.rateFactor(p, t.model.Config().Layers, within)
		}
	}
	t.moco.SetRates(rates)
	b, err := t.sampler.Draw(step)
	if err != nil {
		return Progress{}, err
	}
	t.owners.pairs = b.Pairs
	place := t.moco.Slot()
	loss, err := t.moco.Step(b.Query, b.Key, t.owners)
	if err != nil {
		return Progress{}, err
	}
	for i, p := range b.Pairs {
		t.owners.put(place+i, p.Key)
	}
	out := Progress{
		Step: step + 1, Steps: t.cfg.steps(), Stage: stage.Name, Loss: loss, Rate: rate,
		Temperature: t.moco.Temperature(), GradientNorm: t.moco.GradientNorm(),
	}
	if fill := t.cfg.MoCo.Queue / t.cfg.Batch; out.Step >= fill {
		out.QueueAge = fill
	}
	if out.Step%t.cfg.Every == 0 || out.Step == out.Steps {
		if err := t.validate(); err != nil {
			return Progress{}, err
		}
		out.Validated = true
	}
	out.Validation = t.validations[len(t.validations)-1]
	return out, nil
}

// validate validates the present weights, and keeps them if they are the best.
func (t *Trainer) validate() error {
	j, err := t.validation()
	if err != nil {
		return err
	}
	t.validations = append(t.validations, j)
	if len(t.validations) == 1 || j.MRR > t.validations[t.bestIndex].MRR {
		t.bestIndex = len(t.validations) - 1
		t.bestWeights = append(t.bestWeights[:0], t.weights.Data...)
	}
	return nil
}

func (t *Trainer) validation() (Validation, error) {
	queries, keys, err := embedHalves(t.sampler, t.heldOut, t.cfg.Batch, t.cfg.Seed, t.model, t.weights, t.tape)
	if err != nil {
		return Validation{}, err
	}
	return Validation{Step: t.Steps(), MRR: reciprocalRank(queries, keys), Collapse: MeasureCollapse(keys)}, nil
}

// HeldOut are the held-out artifacts, by number.
func (t *Trainer) HeldOut() []int32 { return t.heldOut }

// Embed computes the exact embeddings of all nodes of a Set, a row of length 1 each. The rows of nodes without features
// are undefined.
func Embed(set *Set, m *model.Model, w *model.Weights, pool *par.Pool) (tape.Matrix, error) {
	features, block, err := set.FullBlock()
	if err != nil {
		return tape.Matrix{}, err
	}
	t := tape.New(pool)
	t.SetRecording(false)
	z, _, err := m.Forward(t, w, features, block, 0, false)
	if err != nil {
		return tape.Matrix{}, fmt.Errorf("train: embed: %w", err)
	}
	return t.Unit(z), nil
}
