package finetune

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/graphstore"
	"kilim/learner/encode/facts"
	"kilim/learner/encode/feature"
	"kilim/learner/encode/text"
	"kilim/learner/model"
	"kilim/learner/model/checkpoint"
	"kilim/learner/model/infer"
	"kilim/learner/refresh"
	"kilim/learner/train"
	"kilim/learner/train/dataset"
	"kilim/learner/train/gate"
	"kilim/learner/train/registry"
)

// archive is an archive in memory, with a seeded model.
type archive struct {
	t        *testing.T
	records  *dataset.Memory
	settings dataset.Config
	weights  []float32
	fed      int
	changed  float64
}

func (a *archive) Dataset(ctx context.Context, limit int, until time.Time) (*dataset.Dataset, error) {
	return dataset.Make(ctx, a.records, a.settings, limit, until)
}

func (a *archive) Encoders() map[string]feature.Identity { return nil }

func (a *archive) Lists() gate.Lists { return nil }

func (a *archive) Model() (model.Config, []float32)                 { return a.settings.Shape, a.weights }
func (a *archive) Epoch() uint32                                    { return 1 }
func (a *archive) Artifacts() int                                   { return a.records.Len() }
func (a *archive) Changed() float64                                 { return a.changed }
func (a *archive) Mix(n int) (map[string]map[string]float64, error) { return dataset.Mix(a.records, n) }

// feed adds one more record.
func (a *archive) feed(id, raw string) {
	a.t.Helper()
	doc := &graphstore.Doc{ID: id, Raw: []byte(raw), Timestamp: time.Unix(1_700_000_000+int64(a.fed), 0)}
	if err := a.records.Put(doc, dataset.Vectors{}); err != nil {
		a.t.Fatal(err)
	}
	a.fed++
	a.changed += 1 / float64(a.records.Len())
}

// archiveOf returns an archive of invented records, whose cultures have something in common.
func archiveOf(t *testing.T, artifacts int) *archive {
	t.Helper()
	words, err := text.NewEncoder(text.Config{Dim: 64, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	served := infer.Config{Text: 64, Facts: facts.Dim, Width: 32, Bases: 2, Heads: 4, Relations: refresh.Relations, Types: refresh.Relations / 2, Seed: 1}
	m, err := infer.Seeded(served)
	if err != nil {
		t.Fatal(err)
	}
	a := &archive{
		t: t, records: dataset.NewMemory(), weights: m.Weights(),
		settings: dataset.Config{Words: words, Shape: served.Shape()},
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range artifacts {
		culture := rng.IntN(6)
		raw := fmt.Sprintf(`{"title":"%s %d","description":"Made of %[3]s. A %[4]s with %[5]s. Found in a grave.","culture":["People %[6]d"],"material":["%[3]s"],"creator":["maker %[7]d"],"date":{"begin":%[8]d},"theme":{"motif":["%[5]s"]},"link":[{"type":"related","target":"r%[9]d"}]}`,
			things[rng.IntN(len(things))], rng.IntN(50), materials[(culture+rng.IntN(3))%len(materials)], things[rng.IntN(len(things))],
			motifs[(culture+rng.IntN(2))%len(motifs)], culture, rng.IntN(artifacts/4), 1000+100*culture+rng.IntN(100), (i+1+rng.IntN(artifacts-1))%artifacts)
		a.feed(fmt.Sprintf("r%d", i), raw)
	}
	return a
}

var (
	things    = []string{"bowl", "belt", "rug", "drum", "mask", "knife", "cup"}
	materials = []string{"bronze", "wool", "clay", "silver", "birch bark"}
	motifs    = []string{"a stag", "a spiral", "ram horns", "a star", "a fish", "two birds"}
)

func openModels(t *testing.T) *registry.Registry {
	t.Helper()
	r, err := registry.Open(t.TempDir(), registry.Model{Seed: 1, Created: time.Unix(0, 0)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func short(_, layers int, _ uint64) train.Config {
	c := train.Defaults(layers)
	c.Batch, c.MoCo.Queue, c.Every, c.Seed = 16, 64, 10, 3
	c.Stages = []train.Stage{{Name: train.Heads, Steps: 10, Rate: 1e-3}, {Name: train.Full, Steps: 20, Rate: 1e-3}}
	return c
}

func settings(step func(train.Progress)) Config {
	return Config{Settings: short, Every: 5, Seed: 3, Step: step, Log: slog.New(slog.DiscardHandler)}
}

// branched are settings with a loss behind each branch.
func branched(step func(train.Progress)) Config {
	c := settings(step)
	c.Settings = func(n, layers int, seed uint64) train.Config {
		s := short(n, layers, seed)
		s.BranchWeight = 0.5
		return s
	}
	return c
}

// TestRunIsResumable: a Run makes the same bytes twice, also when it was stopped again and again; and it adds a model
// that is evaluated, with its Table.
func TestRunIsResumable(t *testing.T) {
	t.Parallel()
	a := archiveOf(t, 150)
	bytesOf := func(r *registry.Registry) []byte {
		m, table, err := Run(t.Context(), settings(nil), a, 1, r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(r.Path(checkpointName)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the checkpoint of a finished run is left: %v", err)
		}
		var kept gate.Table
		if err := json.Unmarshal(m.Metrics, &kept); err != nil || len(kept.Rows) != len(table.Rows) || len(kept.Rows) == 0 {
			t.Errorf("the table is not kept: %s (%v)", m.Metrics, err)
		}
		if want := map[bool]registry.State{true: registry.Evaluated, false: registry.Rejected}[table.Promote]; m.State != want || m.Epoch != 2 || m.Parent != 1 {
			t.Errorf("the model is %+v, want %s", m, want)
		}
		raw, err := os.ReadFile(r.Path(m.Checkpoint))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	once, twice := bytesOf(openModels(t)), bytesOf(openModels(t))
	if !bytes.Equal(once, twice) {
		t.Error("two runs differ")
	}
	stopped := openModels(t)
	for _, at := range []int{4, 11, 26} {
		ctx, cancel := context.WithCancel(t.Context())
		_, _, err := Run(ctx, settings(func(p train.Progress) {
			if p.Step == at {
				cancel()
			}
		}), a, 1, stopped)
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped at step %d: %v", at, err)
		}
		c, err := checkpoint.Read(stopped.Path(checkpointName))
		if err != nil || len(c.Training) == 0 {
			t.Fatalf("stopped at step %d: no checkpoint: %v", at, err)
		}
	}
	if len(stopped.List()) != 1 {
		t.Error("a run that was stopped has left a model")
	}
	a.feed("later", `{"title":"a cloth that came later","culture":"Elsewhere"}`)
	if !bytes.Equal(bytesOf(stopped), once) {
		t.Error("a run that was stopped and went on, after another record had come, differs")
	}
}

// TestKilledAnywhere keeps what is on the disk after steps, and before each write and rename of a model's row, which is
// what SIGKILL would leave at these moments: a run over it ends in the same model, to the byte, and there is one of it. The runs have
// losses behind their branches, whose state a checkpoint must have too.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	a := archiveOf(t, 120)
	dir := t.TempDir()
	left := map[string]string{}
	kept := func(moment string) {
		to := t.TempDir()
		if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		// The process died during a write.
		for _, name := range []string{checkpointName, "0002.safetensors", "0002.json"} {
			if err := os.WriteFile(filepath.Join(to, name+".new"), []byte("torn"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		left[moment] = to
	}
	writes := 0
	first := registry.Model{Seed: 1, Created: time.Unix(0, 0)}
	r, err := registry.Open(dir, first, func(step string) error {
		writes++
		kept(fmt.Sprintf("write %d (%s)", writes, step))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	clear(left) // of the folder before it was one
	end := func(r *registry.Registry) string {
		all := r.List()
		if len(all) != 2 {
			return fmt.Sprintf("%d models", len(all))
		}
		raw, err := os.ReadFile(r.Path(all[1].Checkpoint))
		if err != nil {
			return err.Error()
		}
		_, err = os.Stat(r.Path(checkpointName))
		return fmt.Sprintf("%s, %s, %s, %x, unfinished: %v", all[1].State, all[1].Reason, all[1].Metrics, sha256.Sum256(raw), err == nil)
	}
	cfg := branched(func(p train.Progress) {
		if p.Step%4 == 1 {
			kept(fmt.Sprintf("step %d", p.Step))
		}
	})
	if _, _, err := Run(t.Context(), cfg, a, 1, r); err != nil {
		t.Fatal(err)
	}
	kept("the end")
	want := end(r)
	if len(left) < 12 {
		t.Errorf("only %d moments", len(left))
	}
	for moment, dir := range left {
		r, err := registry.Open(dir, first, nil)
		if err != nil {
			t.Fatalf("%s: %v", moment, err)
		}
		if moment != "the end" {
			if _, _, err := Run(t.Context(), branched(nil), a, 1, r); err != nil {
				t.Fatalf("%s: %v", moment, err)
			}
		}
		if got := end(r); canonical(got) != canonical(want) {
			t.Errorf("killed at %s it ends in\n%s\nwant\n%s", moment, got, want)
		}
	}
}

// canonical strips the white space of a row that was read from its file.
func canonical(s string) string { return strings.Join(strings.Fields(s), "") }

// TestForeignCheckpoints: what is left of another run, or is no checkpoint, does not stop a run.
func TestForeignCheckpoints(t *testing.T) {
	t.Parallel()
	a := archiveOf(t, 120)
	r := openModels(t)
	if err := os.WriteFile(r.Path(checkpointName), []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	steps := 0
	count := func(p train.Progress) {
		if p.Step > 0 {
			steps++
		}
	}
	if _, _, err := Run(t.Context(), settings(count), a, 1, r); err != nil || steps != 30 {
		t.Errorf("after a torn checkpoint: %d steps, %v", steps, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, _, err := Run(ctx, settings(func(p train.Progress) {
		if p.Step > 0 {
			cancel()
		}
	}), a, 1, r); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	steps = 0
	cfg := settings(count)
	cfg.Settings = func(n, layers int, seed uint64) train.Config {
		c := short(n, layers, seed)
		c.MoCo.Momentum = 0.9
		return c
	}
	if _, _, err := Run(t.Context(), cfg, a, 1, r); err != nil || steps != 30 {
		t.Errorf("after a checkpoint of other settings: %d steps, %v", steps, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	a := archiveOf(t, 20)
	if _, _, err := Run(t.Context(), settings(nil), a, 1, openModels(t)); !errors.Is(err, ErrTooFew) {
		t.Errorf("20 artifacts: %v", err)
	}
	cfg := settings(nil)
	cfg.Share = 2
	if _, _, err := Run(t.Context(), cfg, a, 1, openModels(t)); err == nil || !strings.Contains(err.Error(), "share 2") {
		t.Errorf("a share of 2: %v", err)
	}
}

// manager records what is promoted.
type manager struct {
	a        *archive
	promoted []uint32
}

func (m *manager) Archive() Archive        { return m.a }
func (m *manager) Serving() (uint32, bool) { return m.a.Epoch(), false }
func (m *manager) Promote(epoch uint32) error {
	m.promoted = append(m.promoted, epoch)
	return nil
}

// TestAnotherShapeIsTrained: a training in another shape than that of the model that serves makes a candidate of it, held against
// the one that serves, and its row and its checkpoint say how it was made. It is due without a change of the archive, once.
func TestAnotherShapeIsTrained(t *testing.T) {
	t.Parallel()
	a := archiveOf(t, 120)
	served := a.settings.Shape.Options()
	r, err := registry.Open(t.TempDir(), registry.Model{Seed: 1, Options: &served}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wanted := model.Options{Width: 16, Embedding: 24, Layers: 3, Heads: 8, Fusion: model.FusionMLP, Aggregator: model.AggregatorAttention}
	cfg := settings(nil)
	cfg.Options = &wanted
	cfg.Begin = func(serving model.Config, _ []float32) (model.Config, []float32, error) {
		serving.Width, serving.Embedding, serving.Layers, serving.Heads, serving.Fusion, serving.Dropout = 16, 24, 3, 8, model.FusionMLP, 0.1
		serving.Aggregator = model.AggregatorAttention
		m, err := model.New(serving)
		if err != nil {
			return serving, nil, err
		}
		return serving, m.Init().Data, nil
	}
	due := func() bool {
		s := New(cfg, Triggers{Changes: 1e6}, &manager{a: a}, r, NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
		s.restore()
		s.poll()
		return s.due(time.Now())
	}
	if !due() {
		t.Error("a training in the configured shape is not due")
	}
	m, table, err := Run(t.Context(), cfg, a, 1, r)
	if err != nil || len(table.Rows) == 0 {
		t.Fatalf("%+v, %v", table, err)
	}
	c, err := checkpoint.Read(r.Path(m.Checkpoint))
	if err != nil || m.Options == nil || *m.Options != wanted || c.Config.Options() != wanted || c.Config.Dropout != 0.1 {
		t.Errorf("the row has %v, the checkpoint %+v (%v)", m.Options, c.Config, err)
	}
	var how train.Config
	if err := json.Unmarshal(c.Settings, &how); err != nil || how.MoCo.Queue != 64 || how.Batch != 16 {
		t.Errorf("the checkpoint's settings are %s (%v)", c.Settings, err)
	}
	if due() {
		t.Error("it is due again")
	}
}
