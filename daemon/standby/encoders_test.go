package standby

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/pipeline"
	"kilim/learner/encode"
	"kilim/learner/encode/feature"
	"kilim/learner/train/registry"
)

// eye is an encoder of pictures that sees their length.
type eye struct{ id feature.Identity }

func (e eye) Identity() feature.Identity { return e.id }

func (e eye) Encode(_ context.Context, items []feature.Item) []feature.Result {
	out := make([]feature.Result, len(items))
	for i := range items {
		v := make([]float32, e.id.Dim)
		v[len(items[i].Data)%e.id.Dim] = 1
		out[i].Vector = v
	}
	return out
}

// noFetch is for media that are in their records.
type noFetch struct{}

func (noFetch) Fetch(context.Context, string, string) ([]byte, error) {
	return nil, errors.New("nothing is fetched here")
}

// seeing adds an encoder of pictures to what a life is made of.
func seeing(now feature.Encoder) func(*Config) {
	plain := exact
	return func(c *Config) {
		c.Pipeline = func(m registry.Model, made map[string]feature.Identity) (pipeline.Config, error) {
			cfg, err := plain(m, made)
			enc := now
			if id, ok := made["image"]; ok {
				enc = eye{id} // as it was
			}
			cfg.Encoders.Image, cfg.Model.Image = enc, enc.Identity().Dim
			return cfg, err
		}
		log := c.Log
		c.Workers = func(ctx context.Context, e *pipeline.Engine) error {
			w, err := encode.NewWorker(encode.Config{
				Lanes:     []encode.Lane{{Kind: "image", Encoder: e.Media().Encoders().Image, Batch: 4, Concurrency: 1}},
				ItemBytes: 1 << 20, InFlightBytes: 4 << 20, Retry: encode.DefaultRetry(),
			}, e.Media().Queue(), e.MediaState(), noFetch{}, encode.NewMetrics(prometheus.NewRegistry(), []string{"image"}), log)
			if err != nil {
				return err
			}
			return w.Run(ctx)
		}
	}
}

// TestOtherEncoders starts a daemon with another encoder than its state was made with: what was made serves until all
// is made anew, and then what serves is what a daemon would have that had the encoder from the start.
func TestOtherEncoders(t *testing.T) {
	t.Parallel()
	hawk := eye{feature.Identity{Name: "hawk", Version: 1, Dim: 5}}
	owl := eye{feature.Identity{Name: "owl", Version: 2, Dim: 7}}
	var feed []change
	for i := range 30 {
		feed = append(feed, change{fmt.Sprintf("a%d", i), map[string]any{
			"title": "kilim", "culture": []string{fmt.Sprintf("c%d", i%3)},
			"media": []any{map[string]any{"kind": "image", "data": []byte(fmt.Sprintf("%0*d", i%11+1, i))}},
		}})
	}
	run := func(dir string, now eye, from, to int) *life {
		models, err := registry.Open(filepath.Join(dir, "models"), registry.Model{Seed: 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		l, err := openWith(t, dir, newTopic(), models, nil, seeing(now))
		if err != nil {
			t.Fatal(err)
		}
		l.run()
		if to > from {
			l.must(l.apply(feed, to, 8))
		}
		return l
	}
	encoded := func(l *life) func() bool {
		return func() bool {
			s := l.manager.Engine().Status()
			return l.settled(1)() && s.Media["image"].Waiting == 0 && s.Media["image"].Encoded == s.Artifacts
		}
	}
	dir := t.TempDir()
	l := run(dir, hawk, 0, 20)
	l.must(l.await(encoded(l)), l.end())

	l = run(dir, owl, 20, 30)
	l.must(l.await(func() bool { return l.manager.Engine().Media().Encoders().Image.Identity() == owl.id }), l.await(encoded(l)))
	if s := l.manager.Status(); s.Serving.Number != 2 || s.Serving.Epoch != 1 {
		t.Errorf("serving is %+v, want instance 2 of epoch 1", s.Serving)
	}
	l.check()
	got := l.lists(feed)
	l.must(l.end())

	fresh := run(t.TempDir(), owl, 0, 30)
	fresh.must(fresh.await(encoded(fresh)))
	want := fresh.lists(feed)
	fresh.must(fresh.end())
	for id := range want {
		if !sameLists(got[id], want[id]) {
			t.Errorf("lists of %q are %+v\nwant %+v", id, got[id], want[id])
		}
	}

	// With the same encoders nothing is made.
	l = run(dir, owl, 0, 0)
	l.must(l.await(encoded(l)))
	if s := l.manager.Status(); s.Serving.Number != 2 || s.Next != nil {
		t.Errorf("after a start with the same encoders: %+v", s)
	}
	l.must(l.end())
	if _, err := os.Stat(filepath.Join(dir, "graph")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the first instance is there still: %v", err)
	}
}
