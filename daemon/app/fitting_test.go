package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"kilim/daemon/config"
	"kilim/daemon/web"
	"kilim/learner/model/checkpoint"
	"kilim/learner/train/registry"
)

// held waits until a model is found worse than the one that serves on.
func (d *daemon) held(epoch, serving uint32) {
	d.t.Helper()
	var m web.Models
	for deadline := time.Now().Add(hang); m.Next == nil || m.Next.Error == ""; time.Sleep(10 * time.Millisecond) {
		if d.get("/api/v1/models", &m); m.Serving != serving || time.Now().After(deadline) {
			d.t.Fatalf("a model that is worse is not refused: %+v", m)
		}
	}
	want := fmt.Sprintf(`made of epoch %d for what is configured, is worse beyond noise: halves MRR, halves recall@10. Epoch %[1]d serves on`, serving)
	if !strings.Contains(m.Next.Error, want) || m.Next.Epoch != epoch {
		d.t.Errorf("refused with %q, want %q", m.Next.Error, want)
	}
}

// TestOtherEncodersOnATrainedState switches the encoders of a state that a trained model serves, while records come: to another of
// the same length, of another length, to none, and back. Each switch is a new epoch, judged before it
// serves; one that is worse serves only when it is promoted by hand. The way back has the model serve again that was trained with
// those encoders, and the lists there were.
// Nothing is lost, the state is sound after each stop, and a model of other encoders can't be promoted or rolled back to.
func TestOtherEncodersOnATrainedState(t *testing.T) {
	t.Parallel()
	server := newEye(t)
	cfg := testConfig(t)
	cfg.Refresh.Epsilon, cfg.Refresh.Sweep, cfg.Lists.Tolerance, cfg.Index.Engine = 0, 0, 0, "flat" // lists are a function of what lives and of the model
	eyed := func(version, dim int) config.Encoder {
		return config.Encoder{Kind: "http", URL: config.URL("http://" + server.addr), Model: "eye", Version: version, Dimension: dim, Timeout: 5 * time.Second, Batch: 4, Concurrency: 1}
	}
	first := eyed(1, 8)
	cfg.Encoders.Image = first
	feed := func(d *daemon, from, to int) {
		var messages []kafka.Message
		for i := from; i < to; i++ {
			messages = append(messages, pictured(i))
		}
		d.feed(messages...)
	}
	const begun, more = 110, 6
	d := start(t, cfg)
	feed(d, 0, begun)
	d.settle(begun)
	d.end()
	models, err := openModels(cfg)
	if err != nil {
		t.Fatal(err)
	}
	good := trained(t, cfg, models, nil)
	d = start(t, cfg)
	d.serves(good.Epoch)
	d.settle(begun)
	before := d.stored(begun)
	d.end()
	cfg.Train.Share = 0 // or each adapted model would be trained

	epochs, artifacts := []uint32{1, good.Epoch}, begun
	for _, tc := range []struct {
		name  string
		image config.Encoder
		dim   int
	}{
		{"another encoder of the same length", eyed(2, 8), 8},
		{"one of another length", eyed(3, 5), 5},
		{"none", config.Encoder{Kind: config.None}, 0},
	} {
		server.setDim(max(tc.dim, 1))
		cfg.Encoders.Image = tc.image
		want := epochs[len(epochs)-1] + 1
		d = start(t, cfg)
		feed(d, artifacts, artifacts+more) // while the state is made beside
		artifacts += more
		if tc.dim == 0 { // the titles are all the same: only pictures tell the artifacts apart
			d.held(want, epochs[len(epochs)-1])
			d.until("all artifacts", func(s *web.Status) bool { return s.Artifacts == artifacts })
			d.post(fmt.Sprintf("/api/v1/models/%d/promote", want), 202)
		}
		d.serves(want)
		s := d.settle(artifacts)
		d.compare(d.stored(artifacts))
		if s.Epoch != want || tc.dim > 0 && s.Media["image"].Encoded != artifacts {
			t.Errorf("%s: epoch %d serves, want %d; media %+v", tc.name, s.Epoch, want, s.Media["image"])
		}
		m, err := d.app.models.Get(want)
		if err != nil || m.State != registry.Promoted || m.Parent != epochs[len(epochs)-1] || !m.Adapted || len(m.Metrics) == 0 {
			t.Errorf("%s: the row of the model that serves is %+v (%v)", tc.name, m, err)
		}
		c, err := checkpoint.Read(d.app.models.Path(m.Checkpoint))
		if err != nil || !maps.Equal(c.Encoders, m.Encoders) || m.Encoders["image"].Dim != tc.dim || m.Encoders["image"].Version != tc.image.Version {
			t.Errorf("%s: the row names the encoders %+v, the checkpoint %+v (%v)", tc.name, m.Encoders, c, err)
		}
		d.post(fmt.Sprintf("/api/v1/models/%d/rollback", good.Epoch), 409)
		d.post(fmt.Sprintf("/api/v1/models/%d/promote", good.Epoch), 409)
		epochs = append(epochs, want)
		d.end()
	}

	server.setDim(8)
	cfg.Encoders.Image = first
	d = start(t, cfg)
	var gone []kafka.Message
	for i := begun; i < artifacts; i++ {
		gone = append(gone, kafka.Message{Key: fmt.Appendf(nil, "a/%d", i)})
	}
	d.feed(gone...)
	d.serves(good.Epoch)
	d.settle(begun)
	if back := d.stored(begun); !maps.Equal(back, before) {
		t.Error("with the first encoders again the lists are others than they were")
	}
	epochs = append(epochs, good.Epoch)
	var told []uint32
	for _, m := range d.read(cfg.Kafka.Topics.Similar) {
		var u struct{ Epoch uint32 }
		if len(m.Value) == 0 {
			continue // of an artifact that is gone
		}
		if err := json.Unmarshal(m.Value, &u); err != nil {
			t.Fatal(err)
		}
		if n := len(told); n == 0 || told[n-1] != u.Epoch {
			told = append(told, u.Epoch)
		}
	}
	if !slices.Equal(told, epochs) {
		t.Errorf("the epochs in the topic are %v, want %v: updates of two models are mixed", told, epochs)
	}
	d.end()
	var m web.Models
	d = start(t, cfg)
	if d.get("/api/v1/models", &m); m.Serving != good.Epoch || m.Next != nil {
		t.Errorf("after a start with the same encoders: %+v", m)
	}
	d.end()
}

// TestAnotherShape: a state whose model was not trained gets one of the configured shape beside, as a new epoch, and the first one
// again with the earlier settings. One that a trained model serves starts, too, and that serves on.
func TestAnotherShape(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Refresh.Epsilon, cfg.Refresh.Sweep, cfg.Lists.Tolerance, cfg.Index.Engine = 0, 0, 0, "flat" // lists are a function of what lives and of the model
	d := start(t, cfg)
	d.feed(kilims(0, 20, woollen)...)
	d.settle(20)
	before := d.stored(20)
	d.end()
	first := cfg.Model
	cfg.Model = config.Model{Preset: "small", Embedding: 48, Layers: 3, Fusion: "transformer", Residual: "concat", Aggregator: "attention", Media: "nodes"}
	d = start(t, cfg)
	d.feed(kilims(20, 25, woollen)...)
	d.serves(2)
	d.settle(25)
	d.compare(d.stored(25))
	if shape, _ := d.app.manager.Engine().Archive().Model(); shape.Options() != cfg.Model.Options() {
		t.Errorf("the model that serves has %s, configured is %s", shape.Options(), cfg.Model.Options())
	}
	d.post("/api/v1/models/1/rollback", 409)
	d.end()
	if shown, err := Describe(cfg, 2); err != nil || shown.Shape.Width != 128 || shown.Shape.Layers != 3 || shown.Shape.EmbeddingDim() != 48 || shown.Shape.Fusion != "transformer" || !shown.Shape.Attends() || shown.Shape.Media != "nodes" {
		t.Errorf("described as %+v (%v)", shown, err)
	}
	models, err := openModels(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Model = first
	d = start(t, cfg)
	d.feed(kafka.Message{Key: []byte("a/20")}, kafka.Message{Key: []byte("a/21")}, kafka.Message{Key: []byte("a/22")}, kafka.Message{Key: []byte("a/23")}, kafka.Message{Key: []byte("a/24")})
	d.serves(1)
	d.settle(20)
	if !maps.Equal(d.stored(20), before) {
		t.Error("with the first shape again the lists are others than they were")
	}
	d.end()
	good := trained(t, cfg, models, nil)
	d = start(t, cfg)
	d.serves(good.Epoch)
	d.settle(20)
	d.end()
	cfg.Model.Width = 64
	d = start(t, cfg)
	var m web.Models
	if d.get("/api/v1/models", &m); m.Serving != good.Epoch || m.Next != nil {
		t.Errorf("a trained model of another shape than configured: %+v", m)
	}
	d.settle(20)
	d.end()
}
