package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/config"
	"kilim/daemon/web"
	"kilim/learner/encode/remote"
	"kilim/learner/model"
	"kilim/learner/model/checkpoint"
	"kilim/learner/model/infer"
	"kilim/learner/train"
	"kilim/learner/train/adapt"
	"kilim/learner/train/dataset"
	"kilim/learner/train/finetune"
	"kilim/learner/train/registry"
	"kilim/rerank"
)

// trained puts a candidate into a state folder: the seeded model of cfg, each weight of which is changed a little, judged as good.
func trained(t *testing.T, cfg *config.Config, models *registry.Registry, change func(*model.Config)) registry.Model {
	t.Helper()
	encoders, err := newEncoders(cfg, remote.NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	seeded := settings(cfg, encoders).Model.With(cfg.Model.Options())
	shape := seeded.Shape()
	if change != nil {
		change(&shape)
	}
	m, err := model.New(shape)
	if err != nil {
		t.Fatal(err)
	}
	weights := infer.SeededWeights(seeded, m)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range weights {
		weights[i] += 0.02 * float32(rng.NormFloat64())
	}
	all := models.List()
	name := fmt.Sprintf("%04d.safetensors", all[len(all)-1].Epoch+1)
	if err := checkpoint.Write(models.Path(name), &checkpoint.Checkpoint{Meta: checkpoint.Meta{Config: shape, Encoders: encoders.Identities(), Epoch: 2, Parent: 1}, Weights: weights}); err != nil {
		t.Fatal(err)
	}
	options := shape.Options()
	out, err := models.Add(registry.Model{Checkpoint: name, Parent: 1, Created: time.Now(), Encoders: encoders.Identities(), Options: &options})
	if err != nil {
		t.Fatal(err)
	}
	if out, err = models.SetState(out.Epoch, registry.Evaluated, []byte(`{"rows":[],"promote":true,"reason":"by the test"}`), ""); err != nil {
		t.Fatal(err)
	}
	return out
}

// refused wants a start to fail while the checkpoint of the model that serves is of another shape, or damaged.
func refused(t *testing.T, cfg *config.Config, models *registry.Registry, serving registry.Model) {
	t.Helper()
	path := models.Path(serving.Checkpoint)
	right, err := checkpoint.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	wider := right.Config
	wider.Bases++
	m, err := model.New(wider)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := (&checkpoint.Checkpoint{Meta: checkpoint.Meta{Config: wider, Encoders: right.Encoders}, Weights: m.Init().Data}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := right.Encode()
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-1] ^= 1
	for want, raw := range map[string][]byte{"bases is 5, want 4": foreign, "damaged": damaged} {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Start(t.Context(), cfg, "test", prometheus.NewRegistry(), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a start with a checkpoint that is not its model's: %v, want %q", err, want)
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTrainedModelServes starts on a state in which a trained model was found good before a crash: it comes to serve by itself, with the
// weights of its checkpoint, serves after the next start too, and the way back leads to the lists there were, to the bit.
// One whose checkpoint is of another shape is not made, and the difference is told.
func TestTrainedModelServes(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Refresh.Epsilon, cfg.Refresh.Sweep, cfg.Lists.Tolerance, cfg.Index.Engine = 0, 0, 0, "flat" // lists are a function of what lives and of the model
	d := start(t, cfg)
	d.feed(kilims(0, 30, woollen)...)
	d.settle(30)
	before := d.stored(30)
	d.end()

	models, err := openModels(cfg)
	if err != nil {
		t.Fatal(err)
	}
	good := trained(t, cfg, models, nil)
	d = start(t, cfg)
	d.serves(good.Epoch)
	d.settle(30)
	after := d.stored(30)
	if maps.Equal(after, before) {
		t.Error("the lists of the trained model are those of the seeded one")
	}
	d.end()
	d = start(t, cfg)
	s := d.settle(30)
	if s.Epoch != good.Epoch || !maps.Equal(d.stored(30), after) {
		t.Errorf("after a start epoch %d serves, or other lists", s.Epoch)
	}
	if s.Training == nil || s.Training.Phase != "idle" {
		t.Errorf("the status of training is %+v", s.Training)
	}
	d.end()
	refused(t, cfg, models, good)
	d = start(t, cfg)
	foreign := trained(t, cfg, d.app.models, func(c *model.Config) { c.Bases++ })
	d.post(fmt.Sprintf("/api/v1/models/%d/promote", foreign.Epoch), 202)
	var m web.Models
	for deadline := time.Now().Add(hang); m.Next == nil || m.Next.Error == ""; time.Sleep(10 * time.Millisecond) {
		if d.get("/api/v1/models", &m); time.Now().After(deadline) {
			t.Fatalf("a foreign checkpoint is not refused: %+v", m)
		}
	}
	if !strings.Contains(m.Next.Error, "bases is 5, want 4") || m.Serving != good.Epoch {
		t.Errorf("epoch %d serves, and the foreign one is refused with %q", m.Serving, m.Next.Error)
	}
	d.post("/api/v1/models/1/rollback", 202)
	d.serves(1)
	d.settle(30)
	if back := d.stored(30); !maps.Equal(back, before) {
		t.Errorf("after the way back the lists are\n%v\nthey were\n%v", back, before)
	}
	d.end()
}

// TestScoresByDefault: the defaults of the keys are what the weights of scores were before there were keys.
func TestScoresByDefault(t *testing.T) {
	t.Parallel()
	if got, want := score(&defaults(t).Lists.Weights), rerank.DefaultScoreWeights(); got != want {
		t.Errorf("by default %+v, want %+v", got, want)
	}
}

// TestStagesArrive: what the configuration says of a training is what is trained, and the program's own where it says nothing.
func TestStagesArrive(t *testing.T) {
	t.Parallel()
	c := defaults(t).Train
	stages := func() []train.Stage {
		t.Helper()
		got, err := training(&c, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		return got.Settings(1000, 2, 1).Stages
	}
	if got := stages(); !slices.Equal(got, train.Defaults(2).Stages) {
		t.Errorf("by default %v; want those of package train, %v", got, train.Defaults(2).Stages)
	}
	byDefault, err := training(&c, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]train.Config{300: finetune.Settings(300, 2, 7), 20_000: finetune.Settings(20_000, 2, 7)} {
		if got := byDefault.Settings(n, 2, 7); !reflect.DeepEqual(got, want) {
			t.Errorf("the keys' defaults make %+v of %d artifacts, package train's are %+v", got, n, want)
		}
	}
	if dropout := (infer.Config{}).Shape().Dropout; c.Dropout != dropout {
		t.Errorf("train.dropout is %v, the model's own %v", c.Dropout, dropout)
	}
	c.Hold, c.WarmUp, c.Patience, c.Queue, c.Momentum, c.Decay, c.Hardness, c.HardBeyond = config.List{"image"}, 0.3, 2, 512, 0.95, 0.5, 3, 1.5
	c.Temperature = config.Temperature{Start: 0.2, Least: 0.1, Most: 0.3, Fixed: true}
	c.Branches, c.Cultures = 0.25, 0.75
	chosen, err := training(&c, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	got := chosen.Settings(20_000, 2, 7)
	m := got.MoCo
	if !slices.Equal(got.Held, []string{"image"}) || got.WarmUp != 0.3 || got.Patience != 2 || m.Queue != 512 || m.Momentum != 0.95 || m.Decay != 0.5 || got.Negatives != (train.Negatives{Hard: 3, Beyond: 1.5}) ||
		m.Temperature != 0.2 || m.Coldest != 0.1 || m.Hottest != 0.3 || m.LearnTemperature || got.BranchWeight != 0.25 || m.Prototypes.Weight != 0.75 {
		t.Errorf("what was chosen is not what is trained with: %+v", got)
	}
	c.Stages = config.List{"heads:10:0.01", "full:20:0.002"}
	want := []train.Stage{{Name: train.Heads, Steps: 10, Rate: 0.01}, {Name: train.Full, Steps: 20, Rate: 0.002}}
	if got := stages(); !slices.Equal(got, want) {
		t.Errorf("%v; want %v", got, want)
	}
}

// TestTrainOffline lets `kilim train` find a model that was trained, and found good, before an interruption: it comes to serve without a
// daemon, the description tells where it comes from, and what the next daemon serves and publishes is of it.
func TestTrainOffline(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	d := start(t, cfg)
	d.feed(kilims(0, 30, "")...)
	d.settle(30)
	_, seeded := d.app.manager.Engine().Archive().Model()
	d.end()
	if first, err := Describe(cfg, 1); err != nil || !slices.Equal(first.weights, seeded) {
		t.Errorf("the seeded model is not described as it serves: %v", err)
	}
	log := slog.New(slog.DiscardHandler)
	models, err := openModels(cfg)
	if err != nil {
		t.Fatal(err)
	}
	good := trained(t, cfg, models, nil)
	out, err := Train(t.Context(), cfg, "test", log, Progress{})
	if err != nil || !out.Serves || out.Model.Epoch != good.Epoch || out.Model.State != registry.Promoted || out.Table.Reason != "by the test" {
		t.Fatalf("trained: %+v, %v", out, err)
	}
	if _, err := Check(cfg, log, func(fault string) { t.Error(fault) }); err != nil {
		t.Error(err)
	}
	about, err := Describe(cfg, good.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := about.Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0002.safetensors, trained from epoch 1", "by the test", "record (", "fusion.", "layer2", "0.020"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in the description\n%s", want, text.String())
		}
	}
	d = start(t, cfg)
	d.serves(good.Epoch)
	d.settle(30)
	d.compare(d.stored(30))
	d.end()
}

// TestBranchesTakeRoom: what losses behind the branches take is not there for a training's snapshot, and where they leave none for it
// the daemon does not start but says what to change.
func TestBranchesTakeRoom(t *testing.T) {
	t.Parallel()
	cfg := defaults(t)
	cfg.Memory.Limit, cfg.Train.Artifacts = 1<<30, 1_000_000
	f := fitting{&adapt.Adapter{Shape: infer.Config{Text: 64, Image: 32, Audio: 32, Width: 256, Bases: 2, Heads: 4, Relations: 4, Types: 2}}, cfg, nil}
	limit := func() int {
		t.Helper()
		got, err := f.training()
		if err != nil {
			t.Fatal(err)
		}
		return got.Limit
	}
	without := limit()
	if want := int(cfg.Memory.Budget().Training / dataset.RoomPerArtifact); without != want {
		t.Errorf("a snapshot of %d, want %d", without, want)
	}
	cfg.Train.Branches = 0.5
	// Three queues of 4,096 keys and cosines with a batch of 256, and three heads with gradients and moments.
	if less, want := without-limit(), (3*4096*512+3*5*2*256*257)*4/dataset.RoomPerArtifact; less < want || less > want+1 {
		t.Errorf("a snapshot with losses behind the branches is %d artifacts smaller, want %d", less, want)
	}
	cfg.Train.Queue = 65536
	if _, err := f.training(); err == nil || !strings.Contains(err.Error(), "train.branch-weight: what it adds to a training takes") {
		t.Errorf("with a queue that leaves no room: %v", err)
	}
}

// TestTrainingIsDescribed: `kilim model show` tells of the losses that a model was trained with.
func TestTrainingIsDescribed(t *testing.T) {
	t.Parallel()
	for weight, want := range map[float64]string{0: "cultures weigh 2, none behind branches\n", 0.25: "cultures weigh 2, behind each branch with weight 0.25\n"} {
		c := train.Defaults(2)
		c.BranchWeight = weight
		raw, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		d := Description{Meta: &checkpoint.Meta{Settings: raw}}
		if err := d.printTraining(&text); err != nil || !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s(%v)", want, text.String(), err)
		}
	}
}
