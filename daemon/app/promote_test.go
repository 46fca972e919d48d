package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"kilim/daemon/web"
	"kilim/learner/model"
	"kilim/learner/train/registry"
)

func (d *daemon) post(path string, want int) {
	d.t.Helper()
	res, err := http.Post("http://"+d.app.HTTP().String()+path, "", nil)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != want {
		d.t.Fatalf("%s: status %d, want %d", path, res.StatusCode, want)
	}
}

// serves waits until the model of an epoch serves and its lists are out.
func (d *daemon) serves(epoch uint32) {
	d.t.Helper()
	deadline := time.Now().Add(hang)
	for {
		var m web.Models
		d.get("/api/v1/models", &m)
		if m.Serving == epoch && m.Next == nil && !m.Republishing {
			return
		}
		if time.Now().After(deadline) || m.Next != nil && m.Next.Error != "" {
			d.t.Fatalf("epoch %d does not serve: %+v, %+v", epoch, m, m.Next)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// options are those of the configured shape.
func (d *daemon) options() *model.Options {
	options := d.cfg.Model.Options()
	return &options
}

// another adds a model of another seed, of the configured shape.
func (d *daemon) another() registry.Model {
	d.t.Helper()
	m, err := d.app.models.Add(registry.Model{Seed: 7, Options: d.options()})
	if err != nil {
		d.t.Fatal(err)
	}
	return m
}

// TestPromoteByHTTP has another model serve while records come, stops and starts the daemon, and goes back: in the
// topic every update is there once, of the one epoch and then of the other, and the last are those that are served.
func TestPromoteByHTTP(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	if !testing.Short() {
		cfg.Model.Width = 0 // a row that names no shape is of a model of the default one, whose width takes most of the time
	}
	d := start(t, cfg)
	feed := func(from, to int) { d.feed(kilims(from, to, woollen)...) }
	feed(0, 30)
	row := registry.Model{Seed: 7}
	if testing.Short() {
		row.Options = d.options()
	}
	other, err := d.app.models.Add(row)
	if err != nil {
		t.Fatal(err)
	}
	d.post(fmt.Sprintf("/api/v1/models/%d/rollback", other.Epoch), 409)
	d.post("/api/v1/models/9/promote", 404)
	d.post(fmt.Sprintf("/api/v1/models/%d/promote", other.Epoch), 202)
	feed(30, 45)
	d.serves(other.Epoch)
	d.settle(45)
	d.compare(d.stored(45))
	d.end()

	d = start(t, cfg)
	if s := d.settle(45); s.Epoch != other.Epoch {
		t.Errorf("after a restart epoch %d serves", s.Epoch)
	}
	d.post("/api/v1/models/1/rollback", 202)
	feed(45, 60)
	d.serves(1)
	s := d.settle(60)
	d.compare(d.stored(60))
	epochs := []uint32{}
	seqs := map[string]bool{}
	for _, m := range d.read(cfg.Kafka.Topics.Similar) {
		var u struct{ Epoch uint32 }
		if err := json.Unmarshal(m.Value, &u); err != nil {
			t.Fatal(err)
		}
		if n := len(epochs); n == 0 || epochs[n-1] != u.Epoch {
			epochs = append(epochs, u.Epoch)
		}
		if seq := header(m, "kilim_seq"); seqs[seq] {
			t.Errorf("message %s is there twice", seq)
		} else {
			seqs[seq] = true
		}
	}
	if fmt.Sprint(epochs) != fmt.Sprint([]uint32{1, other.Epoch, 1}) {
		t.Errorf("the epochs in the topic are %v", epochs)
	}
	if s.Index.Vectors != 60 {
		t.Errorf("%d vectors", s.Index.Vectors)
	}
	d.end()
}
