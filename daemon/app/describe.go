package app

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/config"
	"kilim/learner/encode/remote"
	"kilim/learner/model"
	"kilim/learner/model/checkpoint"
	"kilim/learner/model/infer"
	"kilim/learner/train"
	"kilim/learner/train/gate"
	"kilim/learner/train/registry"
)

// Description is what a model is made of.
type Description struct {
	Model registry.Model
	Shape model.Config
	// Meta are those of the checkpoint, nil for a seeded model.
	Meta    *checkpoint.Meta
	params  []model.Param
	weights []float32
	// parent has the weights that training began with, nil if there are none.
	parent []float32
}

// Describe reads the model of an epoch in a state folder, which a daemon may have open.
func Describe(cfg *config.Config, epoch uint32) (*Description, error) {
	if _, err := os.Stat(cfg.Data); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	encoders, err := newEncoders(cfg, remote.NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	models, err := openModels(cfg)
	if err != nil {
		return nil, err
	}
	d := &Description{}
	if d.Model, err = models.Get(epoch); err != nil {
		return nil, err
	}
	now := settings(cfg, encoders).Model
	var meta checkpoint.Meta
	if meta, d.weights, err = weightsOf(models, d.Model, now); err != nil {
		return nil, err
	}
	m, err := model.New(meta.Config)
	if err != nil {
		return nil, err
	}
	d.Shape, d.params = meta.Config, m.Params()
	if d.Model.Checkpoint == "" {
		return d, nil
	}
	d.Meta = &meta
	parent, err := models.Get(d.Model.Parent)
	if err != nil {
		return nil, err
	}
	was, weights, err := weightsOf(models, parent, now)
	if err == nil && len(weights) == len(d.weights) && (&checkpoint.Checkpoint{Meta: was}).Compatible(d.Shape) == nil {
		d.parent = weights
	}
	return d, err
}

// weightsOf are those of a model: of its checkpoint, or of its seed as it would serve now.
func weightsOf(models *registry.Registry, m registry.Model, now infer.Config) (checkpoint.Meta, []float32, error) {
	if m.Checkpoint != "" {
		c, err := checkpoint.Read(models.Path(m.Checkpoint))
		if err != nil {
			return checkpoint.Meta{}, nil, err
		}
		return c.Meta, c.Weights, nil
	}
	now.Seed = m.Seed
	if m.Options != nil {
		now = now.With(*m.Options)
	}
	shape, err := model.New(now.Shape())
	if err != nil {
		return checkpoint.Meta{}, nil, err
	}
	return checkpoint.Meta{Config: shape.Config()}, infer.SeededWeights(now, shape), nil
}

// Print writes it for people.
func (d *Description) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	s := d.Shape
	fmt.Fprintf(t, "epoch\t%d, %s, made %s\n", d.Model.Epoch, d.Model.State, d.Model.Created.UTC().Format("2006-01-02 15:04"))
	from := "trained from"
	if d.Model.Adapted {
		from = "adapted to other encoders from"
	}
	if d.Meta == nil {
		fmt.Fprintf(t, "weights\tof the seed %d (go doc kilim/learner/model)\n", d.Model.Seed)
	} else {
		fmt.Fprintf(t, "weights\t%s, %s epoch %d on what had come until %s\n", d.Model.Checkpoint, from, d.Model.Parent, d.Meta.Watermark)
	}
	var modalities []string
	for _, m := range s.Modalities {
		modalities = append(modalities, fmt.Sprintf("%s (%d features)", m.Name, m.Features))
	}
	fmt.Fprintf(t, "branches\t%s\n", strings.Join(modalities, ", "))
	for _, kind := range slices.Sorted(maps.Keys(d.Model.Encoders)) {
		fmt.Fprintf(t, "%s\tby %s\n", kind, d.Model.Encoders[kind])
	}
	fmt.Fprintf(t, "layers\t%d of width %d, %d relations of %d bases, residual %s, aggregator %s\n", s.Layers, s.Width, s.Relations, s.Bases, cmp.Or(s.Residual, model.ResidualSum), cmp.Or(s.Aggregator, model.AggregatorMean))
	fmt.Fprintf(t, "media\tas %s\n", cmp.Or(s.Media, model.MediaFeatures))
	fmt.Fprintf(t, "fusion\t%s, %d heads\n", cmp.Or(s.Fusion, model.FusionAttention), s.Heads)
	fmt.Fprintf(t, "embedding\t%d numbers\n", s.EmbeddingDim())
	fmt.Fprintf(t, "parameters\t%d\n", len(d.weights))
	if err := d.printTraining(t); err != nil {
		return err
	}
	fmt.Fprintln(t)
	if err := d.printTable(t); err != nil {
		return err
	}
	fmt.Fprintln(t, "PARAMETER\tSHAPE\tPART\tDECAY\tRMS\tMOVED\t")
	for _, p := range d.params {
		own := d.weights[p.Offset : p.Offset+p.Rows*p.Cols]
		moved := "-"
		if d.parent != nil {
			moved = fmt.Sprintf("%.4f", rms(own, d.parent[p.Offset:p.Offset+p.Rows*p.Cols]))
		}
		decay := "no"
		if p.Decay {
			decay = "yes"
		}
		fmt.Fprintf(t, "%s\t%d x %d\t%s\t%s\t%.4f\t%s\t\n", p.Name, p.Rows, p.Cols, p.Group, decay, rms(own, nil), moved)
	}
	return t.Flush()
}

// printTraining writes the settings that the model was trained with, if it was.
func (d *Description) printTraining(w io.Writer) error {
	if d.Meta == nil || d.Meta.Settings == nil {
		return nil
	}
	var c train.Config
	if err := json.Unmarshal(d.Meta.Settings, &c); err != nil {
		return fmt.Errorf("settings of the training of epoch %d: %w", d.Model.Epoch, err)
	}
	learned := "fixed"
	if c.MoCo.LearnTemperature {
		learned = fmt.Sprintf("learned in %v..%v", c.MoCo.Coldest, c.MoCo.Hottest)
	}
	held := "no branch held"
	if len(c.Held) > 0 {
		held = "held: " + strings.Join(c.Held, ", ")
	}
	branches := "none behind branches"
	if c.BranchWeight > 0 {
		branches = fmt.Sprintf("behind each branch with weight %v", c.BranchWeight)
	}
	fmt.Fprintf(w, "stages\t%v, warm-up %v, patience %d, %s\n", c.Stages, c.WarmUp, c.Patience, held)
	fmt.Fprintf(w, "loss\ttemperature from %v, %s; %d negatives, those beyond %v deviations weigh %v; cultures weigh %v, %s\n", c.MoCo.Temperature, learned, c.MoCo.Queue, c.Negatives.Beyond, c.Negatives.Hard, c.MoCo.Prototypes.Weight, branches)
	fmt.Fprintf(w, "optimizer\tbatches of %d, momentum %v, decay %v, dropout %v, seed %d\n", c.Batch, c.MoCo.Momentum, c.MoCo.Decay, d.Shape.Dropout, c.Seed)
	return nil
}

// printTable writes how the gate has judged the model, if it has.
func (d *Description) printTable(w io.Writer) error {
	if d.Model.Metrics == nil {
		return nil
	}
	var table gate.Table
	if err := json.Unmarshal(d.Model.Metrics, &table); err != nil {
		return fmt.Errorf("table of epoch %d: %w", d.Model.Epoch, err)
	}
	if err := table.Print(w); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}

// rms is of a, or of its distance to b.
func rms(a, b []float32) float64 {
	sum := 0.0
	for i, x := range a {
		if b != nil {
			x -= b[i]
		}
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum / float64(max(len(a), 1)))
}
