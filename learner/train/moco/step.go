package moco

import (
	"errors"
	"fmt"
	"math"

	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
)

// Config has the settings of a Trainer.
type Config struct {
	Queue       int     // keys, a multiple of the batch
	Momentum    float64 // of the key encoder, 0.9..1 without 1
	Temperature float64 // at the beginning
	// LearnTemperature trains the temperature too, that of each branch for itself, within Coldest..Hottest; both 0 stand for 0.01..1.
	LearnTemperature bool
	Coldest, Hottest float64
	Rate, Decay      float64 // of AdamW
	// Clip bounds the length of the gradient; 0 leaves it unbounded.
	Clip       float64
	Prototypes Prototypes
	// Branches are the weights, by modality, of a loss of each branch's projections beside that of the fusion's: for the model with heads
	// behind its branches; 0 or nil: no such loss.
	Branches []float64 `json:",omitempty"`
	Seed     uint64
}

// coldest and hottest bound what Config may bound the temperature to.
const (
	coldest = 0.01
	hottest = 1
)

// bounds are those of the temperature.
func (c Config) bounds() (low, high float64) {
	if c.Coldest == 0 && c.Hottest == 0 {
		return coldest, hottest
	}
	return c.Coldest, c.Hottest
}

func (c Config) validate(width int) error {
	var errs []error
	low, high := c.bounds()
	for _, f := range []struct {
		name     string
		value    float64
		from, to float64
	}{
		{"queue", float64(c.Queue), 1, 1 << 20}, {"momentum", c.Momentum, 0.9, 0.99999},
		{"temperature", c.Temperature, low, high}, {"coldest temperature", low, coldest, hottest}, {"hottest temperature", high, low, hottest}, {"rate", c.Rate, 0, 1},
		{"decay", c.Decay, 0, 1}, {"clip", c.Clip, 0, 1e6},
	} {
		if !(f.value >= f.from && f.value <= f.to) {
			errs = append(errs, fmt.Errorf("moco: %s %v: must be in %v..%v", f.name, f.value, f.from, f.to))
		}
	}
	for i, w := range c.Branches {
		if !(w >= 0 && w <= 100) {
			errs = append(errs, fmt.Errorf("moco: weight %v of branch %d: must be in 0..100", w, i))
		}
	}
	errs = append(errs, c.Prototypes.validate(width))
	return errors.Join(errs...)
}

// View is one view of a batch: what the model reads.
type View struct {
	Features []tape.Features
	Block    *model.Block
	// Classes are those of the items, for the Prototypes, below 0 for none; nil: no item has one.
	Classes []int32
}

// Trainer has the two encoders, the queues and the optimizer. It belongs to one goroutine at a time.
type Trainer struct {
	cfg          Config
	model        *model.Model
	tape         *tape.Tape
	query, key   *model.Weights
	optimizer    *optimizer
	fusion       *contrast
	branches     []*contrast // of those whose loss has a weight
	centres      *centres
	slot         int
	step         int
	gradientNorm float64
	rates        []float64 // of each parameter; nil: Config.Rate for all
}

// New returns a Trainer of the weights query, which must have gradients. The key encoder begins as a copy of them, the
// queue with seeded random directions.
func New(cfg Config, m *model.Model, query *model.Weights, width int, pool *par.Pool) (*Trainer, error) {
	if err := cfg.validate(width); err != nil {
		return nil, err
	}
	if query.Grad == nil {
		return nil, errors.New("moco: the weights to train have no gradients")
	}
	if n := len(m.Config().Modalities); len(cfg.Branches) > n || len(cfg.Branches) > 0 && !m.HasBranchHeads() {
		return nil, fmt.Errorf("moco: weights of %d branches: the model has %d, heads behind them: %v", len(cfg.Branches), n, m.HasBranchHeads())
	}
	key, err := m.Weights(append([]float32(nil), query.Data...), nil)
	if err != nil {
		return nil, fmt.Errorf("moco: key encoder: %w", err)
	}
	t := &Trainer{
		cfg: cfg, model: m, tape: tape.New(pool), query: query, key: key,
		optimizer: newOptimizer(m.Params(), query, key, cfg.Momentum, pool.Caller()),
		fusion:    newContrast(cfg, width), branches: newBranches(cfg, m),
		centres: newCentres(cfg.Prototypes),
	}
	t.fusion.seedQueue(cfg.Seed)
	return t, nil
}

// contrasts are all of the Trainer's, the fusion's first.
func (t *Trainer) contrasts() []*contrast { return append([]*contrast{t.fusion}, t.branches...) }

// Temperature is the present temperature.
func (t *Trainer) Temperature() float64 { return math.Exp(float64(t.fusion.temperature.Data[0])) }

// GradientNorm is the length of the last step's gradient, before clipping, over the parameters whose rate is not 0.
func (t *Trainer) GradientNorm() float64 { return t.gradientNorm }

// Steps is the number of steps done.
func (t *Trainer) Steps() int { return t.step }

// Slot is where in the queue the next step's keys go.
func (t *Trainer) Slot() int { return t.slot }

// SetRates sets the learning rate of each of the model's parameters. At rate 0 a parameter and its moments stay as they
// are. Temperatures have the greatest of the rates.
func (t *Trainer) SetRates(rates []float64) {
	if len(rates) != len(t.model.Params()) {
		panic(fmt.Sprintf("moco: %d rates for %d parameters", len(rates), len(t.model.Params())))
	}
	t.rates = rates
}

func (t *Trainer) rate(parameter int) float64 {
	if t.rates == nil {
		return t.cfg.Rate
	}
	return t.rates[parameter]
}

// Step trains on two views of the same items and returns the loss before the step. weigh may be nil. On an error, or
// when the loss is not finite, nothing has changed.
func (t *Trainer) Step(q, k View, weigh Weigher) (float64, error) {
	items := q.Block.Mask.Items
	if k.Block.Mask.Items != items || t.cfg.Queue%items != 0 {
		return 0, fmt.Errorf("moco: views of %d and %d items, the queue has %d: want equal ones which divide it", items, k.Block.Mask.Items, t.cfg.Queue)
	}
	clear(t.query.Grad)
	for _, c := range t.contrasts() {
		clear(c.temperature.Grad())
	}
	t.tape.Reset()
	seed := t.cfg.Seed + uint64(2*t.step)<<40
	var out [2]model.Output
	var errs [2]error
	t.tape.Fork(2, func(i int, child *tape.Tape) {
		if i == 0 {
			out[0], errs[0] = t.model.Project(child, t.query, q.Features, q.Block, seed, true)
			return
		}
		child.SetRecording(false)
		out[1], errs[1] = t.model.Project(child, t.key, k.Features, k.Block, seed+1<<40, true)
	})
	if errs[0] != nil {
		return 0, fmt.Errorf("moco: query: %w", errs[0])
	}
	if errs[1] != nil {
		return 0, fmt.Errorf("moco: key: %w", errs[1])
	}
	if err := t.centres.check(items, q.Classes, k.Classes); err != nil {
		return 0, err
	}
	loss := t.loss(out[0], out[1], q, k, weigh)
	value := float64(loss.Data[0])
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return value, fmt.Errorf("moco: step %d: loss is %v", t.step+1, value)
	}
	t.tape.Backward(loss)
	t.update()
	copy(t.fusion.queue.Data[t.slot*t.fusion.queue.Cols:], out[1].Projection.Data)
	for _, c := range t.branches {
		c.put(t.slot, out[1].Branches[c.mode], k.Block.Mask)
	}
	t.slot = (t.slot + items) % t.cfg.Queue
	if t.cfg.Prototypes.Classes > 0 && k.Classes != nil {
		t.centres.update(out[1].Embedding, k.Classes)
	}
	return value, nil
}

// loss is that of the fusion's projections, with those of the prototypes and of the branches.
func (t *Trainer) loss(query, key model.Output, q, k View, weigh Weigher) tape.Matrix {
	var keys tape.Weigher // nil for no weigh
	if weigh != nil {
		keys = weigh
	}
	loss := t.tape.InfoNCE(query.Projection, key.Projection, t.fusion.queue, t.fusion.temperature, keys)
	if t.cfg.Prototypes.Classes > 0 && q.Classes != nil {
		loss = sum(t.tape, loss, t.centres.loss(t.tape, query.Embedding, q.Classes))
	}
	for _, c := range t.branches {
		loss = sum(t.tape, loss, c.branchLoss(t.tape, query.Branches[c.mode], key.Branches[c.mode], q.Block.Mask, k.Block.Mask, weigh))
	}
	return loss
}

// update moves the weights and the temperatures.
func (t *Trainer) update() {
	t.step++
	t.gradientNorm = t.optimizer.step(t.rate, t.cfg.Decay, t.cfg.Clip)
	if !t.cfg.LearnTemperature {
		return
	}
	adam := adamW()
	adam.Step = t.step
	for i := range t.model.Params() {
		adam.Rate = max(adam.Rate, t.rate(i))
	}
	low, high := t.cfg.bounds()
	for _, c := range t.contrasts() {
		adam.Update(c.temperature.Data, c.temperature.Grad(), c.moment1, c.moment2)
		x := &c.temperature.Data[0]
		*x = min(max(*x, float32(math.Log(low))), float32(math.Log(high)))
	}
}
