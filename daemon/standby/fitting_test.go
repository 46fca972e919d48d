package standby

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"kilim/daemon/pipeline"
	"kilim/learner/encode/feature"
	"kilim/learner/train/registry"
)

// oneEncoder fits models to one encoder of pictures; a model of none was not trained.
type oneEncoder struct {
	models *registry.Registry
	id     feature.Identity
	// refuses is why no model is good.
	refuses error
	judged  *int
}

func (f oneEncoder) Fits(m registry.Model) error {
	if m.Encoders == nil || m.Encoders["image"] == f.id {
		return nil
	}
	return fmt.Errorf("epoch %d is of %s", m.Epoch, m.Encoders["image"])
}

func (f oneEncoder) Adapt(m registry.Model) (registry.Model, error) {
	for _, other := range f.models.List() {
		if other.Encoders["image"] == f.id && other.State != registry.Rejected {
			return other, nil
		}
	}
	return f.models.Add(registry.Model{Seed: m.Seed, Parent: m.Epoch, Encoders: map[string]feature.Identity{"image": f.id}, Adapted: true})
}

func (f oneEncoder) Judge(_ context.Context, m registry.Model, _, standby *pipeline.Engine) error {
	*f.judged++
	if n := standby.Status().Media["image"].Encoded; n != standby.Status().Artifacts {
		return fmt.Errorf("judged with %d pictures encoded", n)
	}
	if f.refuses != nil {
		return f.refuses
	}
	_, err := f.models.SetState(m.Epoch, registry.Evaluated, nil, "")
	return err
}

// TestAdaptedModels: a model of an encoder serves, and others are configured. The adapted model is judged when its pictures are
// encoded; while it is refused, or its encoder is taken back, what serves goes on; who promotes it by name has it without judgement;
// and no model of other encoders can be asked for.
func TestAdaptedModels(t *testing.T) {
	t.Parallel()
	hawk, owl := eye{feature.Identity{Name: "hawk", Version: 1, Dim: 5}}, eye{feature.Identity{Name: "owl", Version: 2, Dim: 5}}
	var feed []change
	for i := range 30 {
		feed = append(feed, change{fmt.Sprintf("a%d", i), map[string]any{"title": "kilim", "culture": []string{fmt.Sprintf("c%d", i%3)},
			"media": []any{map[string]any{"kind": "image", "data": fmt.Appendf(nil, "%0*d", i%11+1, i)}}}})
	}
	dir, o, judged := t.TempDir(), newTopic(), 0
	models, err := registry.Open(filepath.Join(dir, "models"), registry.Model{Seed: 1, Encoders: map[string]feature.Identity{"image": hawk.id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	run := func(now eye, refuses error, to int) *life {
		l, err := openWith(t, dir, o, models, nil, seeing(now), func(c *Config) {
			c.Fitting = oneEncoder{models, now.id, refuses, &judged}
		})
		if err != nil {
			t.Fatal(err)
		}
		l.run()
		l.must(l.apply(feed, to, 5))
		return l
	}
	l := run(hawk, nil, 10)
	l.must(l.await(l.settled(1)), l.end())

	worse := errors.New("worse, by the test")
	for range 2 { // it is judged at each start
		l = run(owl, worse, 15)
		if err := l.await(func() bool { return false }); !errors.Is(err, worse) {
			t.Fatal(err)
		}
		if s := l.manager.Status(); s.Serving.Epoch != 1 || s.Next == nil || s.Next.Epoch != 2 || s.Next.Phase != PhaseFailed {
			t.Errorf("while it is refused: %+v", s)
		}
		l.must(l.end())
	}
	if judged != 2 {
		t.Errorf("judged %d times, want 2", judged)
	}

	l = run(hawk, nil, 20) // as if nothing had been
	l.must(l.await(l.settled(1)))
	if m, err := models.Get(2); err != nil || m.State != registry.Rejected || !strings.Contains(m.Reason, "epoch 2 is of owl") {
		t.Errorf("the model for the encoder that was taken back: %+v, %v", m, err)
	}
	if s := l.manager.Status(); s.Serving.Number != 1 {
		t.Errorf("serving is %+v, want the first instance", s.Serving)
	}
	l.check()
	l.must(l.end())

	l = run(owl, worse, 25)
	if err := l.await(func() bool { return false }); !errors.Is(err, worse) {
		t.Fatal(err)
	}
	if err := l.manager.Promote(1); !errors.Is(err, registry.ErrState) || !strings.Contains(err.Error(), "epoch 1 is of hawk") {
		t.Errorf("promote a model of another encoder: %v", err)
	}
	if err := l.manager.Rollback(1); !errors.Is(err, registry.ErrState) {
		t.Errorf("roll back to one: %v", err)
	}
	l.must(l.manager.Promote(3), l.await(l.settled(3)), l.apply(feed, len(feed), 5), l.await(l.settled(3)))
	l.check()
	want := map[string]bool{}
	for _, c := range feed {
		want[c.id] = true
	}
	got := map[string]bool{}
	for id := range l.lists(feed) {
		got[id] = true
	}
	if !maps.Equal(got, want) || l.manager.Engine().Status().Artifacts != len(feed) {
		t.Errorf("%d artifacts, want %d", l.manager.Engine().Status().Artifacts, len(feed))
	}
	l.must(l.end())

	l = run(hawk, nil, len(feed)) // which has served with it
	l.must(l.await(l.settled(1)))
	l.check()
	l.must(l.end())
	if judged != 3 {
		t.Errorf("judged %d times, want 3: what has served, or was asked for, is not", judged)
	}
}
