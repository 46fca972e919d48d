package moco

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"kilim/learner/model"
	"kilim/learner/tensor/par"
	"kilim/learner/tensor/tape"
	"kilim/learner/tensor/vec"
)

// Config has the settings of a Trainer.
type Config struct {
	Queue       int     // keys, a multiple of the batch
	Momentum    float64 // of the key encoder, 0.9..1 without 1
	Temperature float64 // at the beginning
	// LearnTemperature trains the temperature too, within Coldest..Hottest; both 0 stand for 0.01..1.
	LearnTemperature bool
	Coldest, Hottest float64
	Rate, Decay      float64 // of AdamW
	// Clip bounds the length of the gradient; 0 leaves it unbounded.
	Clip       float64
	Prototypes Prototypes
	Seed       uint64
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

// Trainer has the two encoders, the queue and the optimizer. It belongs to one goroutine at a time.
type Trainer struct {
	cfg                                    Config
	model                                  *model.Model
	tape                                   *tape.Tape
	query, key                             *model.Weights
	optimizer                              *optimizer
	temperature                            tape.Matrix // its logarithm
	temperatureMoment1, temperatureMoment2 []float32
	queue                                  tape.Matrix
	centres                                *centres
	slot                                   int
	step                                   int
	gradientNorm                           float64
	rates                                  []float64 // of each parameter; nil: Config.Rate for all
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
	key, err := m.Weights(append([]float32(nil), query.Data...), nil)
	if err != nil {
		return nil, fmt.Errorf("moco: key encoder: %w", err)
	}
	t := &Trainer{
		cfg: cfg, model: m, tape: tape.New(pool), query: query, key: key,
		optimizer:          newOptimizer(m.Params(), query, key, cfg.Momentum, pool.Caller()),
		temperatureMoment1: make([]float32, 1), temperatureMoment2: make([]float32, 1),
		queue:   tape.Constant(cfg.Queue, width, make([]float32, cfg.Queue*width)),
		centres: newCentres(cfg.Prototypes),
	}
	log := []float32{float32(math.Log(cfg.Temperature))}
	if cfg.LearnTemperature {
		t.temperature = tape.Variable(1, 1, log, make([]float32, 1))
	} else {
		t.temperature = tape.Constant(1, 1, log)
	}
	r := rand.New(rand.NewPCG(cfg.Seed, 0x9e0e))
	for i := range cfg.Queue {
		row := t.queue.Row(i)
		for j := range row {
			row[j] = float32(r.NormFloat64())
		}
		length := float32(math.Sqrt(float64(vec.Dot(row, row))))
		for j := range row {
			row[j] /= length
		}
	}
	return t, nil
}

// Temperature is the present temperature.
func (t *Trainer) Temperature() float64 { return math.Exp(float64(t.temperature.Data[0])) }

// GradientNorm is the length of the last step's gradient, before clipping, over the parameters whose rate is not 0.
func (t *Trainer) GradientNorm() float64 { return t.gradientNorm }

// Steps is the number of steps done.
func (t *Trainer) Steps() int { return t.step }

// Slot is where in the queue the next step's keys go.
func (t *Trainer) Slot() int { return t.slot }

// SetRates sets the learning rate of each of the model's parameters. At rate 0 a parameter and its moments stay as they
// are. The temperature has the greatest of the rates.
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
func (t *Trainer) Step(q, k View, weigh tape.Weigher) (float64, error) {
	items := q.Block.Mask.Items
	if k.Block.Mask.Items != items || t.cfg.Queue%items != 0 {
		return 0, fmt.Errorf("moco: views of %d and %d items, the queue has %d: want equal ones which divide it", items, k.Block.Mask.Items, t.cfg.Queue)
	}
	clear(t.query.Grad)
	clear(t.temperature.Grad())
	t.tape.Reset()
	seed := t.cfg.Seed + uint64(2*t.step)<<40
	var embedded, projected [2]tape.Matrix
	var errs [2]error
	t.tape.Fork(2, func(i int, child *tape.Tape) {
		if i == 0 {
			embedded[0], projected[0], errs[0] = t.model.Forward(child, t.query, q.Features, q.Block, seed, true)
			return
		}
		child.SetRecording(false)
		embedded[1], projected[1], errs[1] = t.model.Forward(child, t.key, k.Features, k.Block, seed+1<<40, true)
	})
	if errs[0] != nil {
		return 0, fmt.Errorf("moco: query: %w", errs[0])
	}
	if errs[1] != nil {
		return 0, fmt.Errorf("moco: key: %w", errs[1])
	}
	a, b := projected[0], projected[1]
	if err := t.centres.check(items, q.Classes, k.Classes); err != nil {
		return 0, err
	}
	loss := t.tape.InfoNCE(a, b, t.queue, t.temperature, weigh)
	if t.cfg.Prototypes.Classes > 0 && q.Classes != nil {
		sum := t.tape.New(1, 1)
		t.tape.Copy(sum, loss)
		t.tape.Add(sum, t.centres.loss(t.tape, embedded[0], q.Classes))
		loss = sum
	}
	value := float64(loss.Data[0])
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return value, fmt.Errorf("moco: step %d: loss is %v", t.step+1, value)
	}
	t.tape.Backward(loss)
	t.update()
	copy(t.queue.Data[t.slot*t.queue.Cols:], b.Data)
	t.slot = (t.slot + items) % t.cfg.Queue
	if t.cfg.Prototypes.Classes > 0 && k.Classes != nil {
		t.centres.update(embedded[1], k.Classes)
	}
	return value, nil
}

// update moves the weights and the temperature.
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
	adam.Update(t.temperature.Data, t.temperature.Grad(), t.temperatureMoment1, t.temperatureMoment2)
	x := &t.temperature.Data[0]
	low, high := t.cfg.bounds()
	*x = min(max(*x, float32(math.Log(low))), float32(math.Log(high)))
}
