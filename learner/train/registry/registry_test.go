package registry

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func open(t *testing.T, dir string) *Registry {
	t.Helper()
	r, err := Open(dir, Model{Seed: 1, Created: time.Unix(1_700_000_000, 0).UTC()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAModelsWay adds models, sets their states, and reads all of it again.
func TestAModelsWay(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "models")
	r := open(t, dir)
	if m, err := r.Get(1); err != nil || m.State != Promoted || m.Seed != 1 {
		t.Errorf("the first model is %+v (%v)", m, err)
	}
	if err := os.WriteFile(r.Path("two.safetensors"), []byte("w"), 0o644); err != nil {
		t.Fatal(err)
	}
	two, err := r.Add(Model{Checkpoint: "two.safetensors", Parent: 1, State: Promoted})
	if err != nil || two.Epoch != 2 || two.State != Candidate {
		t.Fatalf("added %+v (%v), want a candidate of epoch 2", two, err)
	}
	if _, err := r.Add(Model{Checkpoint: "missing"}); err == nil {
		t.Error("a model without its checkpoint was added")
	}
	three, err := r.Add(Model{Seed: 3})
	if err != nil || three.Epoch != 3 {
		t.Fatalf("added %+v (%v), want epoch 3", three, err)
	}
	metrics := json.RawMessage(`{"recall":0.5}`)
	for _, step := range []struct {
		epoch uint32
		to    State
		want  error
	}{
		{2, Evaluated, nil}, {2, Promoted, nil}, {2, Promoted, nil}, {2, Rejected, ErrState}, {2, Candidate, ErrState},
		{3, Rejected, nil}, {3, Promoted, ErrState}, {4, Promoted, ErrUnknown},
	} {
		if _, err := r.SetState(step.epoch, step.to, metrics, "why"); !errors.Is(err, step.want) {
			t.Errorf("epoch %d to %s: %v, want %v", step.epoch, step.to, err, step.want)
		}
	}
	again := open(t, dir)
	got, want := again.List(), r.List()
	for _, list := range [][]Model{got, want} {
		for i := range list { // the file is indented
			var v any
			if list[i].Metrics != nil && json.Unmarshal(list[i].Metrics, &v) != nil {
				t.Errorf("metrics %s", list[i].Metrics)
			}
			list[i].Metrics = nil
		}
	}
	if !reflect.DeepEqual(got, want) || len(got) != 3 {
		t.Errorf("found again %+v\nwant %+v", got, want)
	}
}

// TestForeignFiles are refused with their name.
func TestForeignFiles(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"0001.json": `{"epoch":2,"state":"promoted"}`,
		"0002.json": `{"epoch":2,"state":"good"}`,
		"0003.json": `{`,
		"x.json":    `{"epoch":1,"state":"promoted"}`,
		"0004.json": `{"epoch":4,"state":"promoted","checkpoint":"../other"}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, Model{}, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s with %s: %v", name, content, err)
		}
	}
}

// TestAFailedWriteChangesNothing keeps memory and disk alike.
func TestAFailedWriteChangesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	planned := errors.New("planned")
	r, err := Open(dir, Model{}, func(string) error { return planned })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Add(Model{}); !errors.Is(err, planned) {
		t.Errorf("added: %v", err)
	}
	if n := len(r.List()); n != 1 {
		t.Errorf("%d models after a failed write, want 1", n)
	}
	if n := len(open(t, dir).List()); n != 1 {
		t.Errorf("%d models on the disk after a failed write, want 1", n)
	}
}
