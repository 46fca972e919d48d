package train

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"kilim/learner/model/checkpoint"
	"kilim/learner/model/safetensors"
)

// trained is the checkpoint of a run.
func trained(t *testing.T, cfg Config) *checkpoint.Checkpoint {
	t.Helper()
	tr := trainer(t, cfg, village(t, shape, 100, 5, false), 1)
	if err := tr.Run(context.Background(), func(Progress) error { return nil }); err != nil {
		t.Fatal(err)
	}
	c, err := tr.Checkpoint(checkpoint.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestBranchWeightOff: without a weight a checkpoint is as it was before there were losses behind branches, in names and in JSON; and
// with one, where all branches are held, a run ends in the same bytes, but for the weight in its settings.
func TestBranchWeightOff(t *testing.T) {
	t.Parallel()
	cfg := settings()
	cfg.Stages = cfg.Stages[:1]
	cfg.Held = []string{shape.Modalities[0].Name, shape.Modalities[1].Name}
	off := trained(t, cfg)
	want := []string{"key", "moment1", "moment2", "queue", "temperature", "temperature.moment1", "temperature.moment2", "updates", "prototypes", "best", "owners"}
	var names []string
	for _, x := range off.Training {
		names = append(names, x.Name)
	}
	if !slices.Equal(names, want) || bytes.Contains(off.Progress, []byte("Branch")) {
		t.Errorf("the checkpoint has %v and the progress %s, want %v and no branches", names, off.Progress, want)
	}
	cfg.BranchWeight = 3
	held := trained(t, cfg)
	held.Progress = bytes.ReplaceAll(held.Progress, []byte(`"BranchWeight":3,`), nil)
	a, errA := off.Encode()
	b, errB := held.Encode()
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("with all branches held the weight changes the run (%v, %v)", errA, errB)
	}
}

// TestBranchHeadsStayInTheTraining: the heads behind branches learn and are in the checkpoint of a training, and the weights that come
// out are of the model as it is served; the losses move them. A checkpoint of a run without is refused by one with.
func TestBranchHeadsStayInTheTraining(t *testing.T) {
	t.Parallel()
	cfg := settings()
	cfg.Stages = cfg.Stages[:1]
	off := trained(t, cfg)
	cfg.BranchWeight = 0.5
	on := trained(t, cfg)
	if len(on.Weights) != len(off.Weights) || slices.Equal(on.Weights, off.Weights) {
		t.Errorf("%d weights come out, want %d, and others than without the losses", len(on.Weights), len(off.Weights))
	}
	size := func(c *checkpoint.Checkpoint) (bytes int64) {
		for _, x := range c.Training {
			bytes += 4 * int64(len(x.F32)+len(x.I32))
		}
		return bytes
	}
	if more, bound := size(on)-size(off), cfg.BranchMemory(shape); more > bound || bound > 3*more {
		t.Errorf("the checkpoint has %d bytes more, and the memory is said to be %d", more, bound)
	}
	if held := settings(); held.BranchMemory(shape) != 0 {
		t.Error("a training without the losses has memory for them")
	}
	m := newModel(t, shape)
	seeded := m.WithBranchHeads().Init().Data[m.Size():]
	var names []string
	for _, x := range on.Training {
		names = append(names, x.Name)
		if x.Name == branchHeadsTensor && (len(x.F32) != len(seeded) || slices.Equal(x.F32, seeded)) {
			t.Error("the heads have not learned")
		}
	}
	for _, name := range []string{branchHeadsTensor, "queue.record", "queue.image", "temperature.image", "temperature.image.moment2"} {
		if !slices.Contains(names, name) {
			t.Errorf("the checkpoint has no %s among %v", name, names)
		}
	}
	tr := trainer(t, cfg, village(t, shape, 100, 5, false), 1)
	if err := tr.Resume(off); err == nil || !strings.Contains(err.Error(), "was made with") {
		t.Errorf("a checkpoint of a run without the losses: %v", err)
	}
	on.Training = slices.DeleteFunc(on.Training, func(x safetensors.Tensor) bool { return x.Name == branchHeadsTensor })
	if err := tr.Resume(on); err == nil || !strings.Contains(err.Error(), "0 weights of branches' heads") {
		t.Errorf("a checkpoint without the heads: %v", err)
	}
}
