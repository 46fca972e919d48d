package checkpoint

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kilim/learner/model"
	"kilim/learner/model/safetensors"
)

var shape = model.Config{
	Modalities: []model.Modality{{Name: "text", Features: 3}}, Width: 4, Layers: 2, Relations: 3, Bases: 2, Heads: 2, Dropout: 0.1, Seed: 4,
}

func sample(t testing.TB) *Checkpoint {
	t.Helper()
	m, err := model.New(shape)
	if err != nil {
		t.Fatal(err)
	}
	return &Checkpoint{
		Meta:     Meta{Config: shape, Epoch: 7, Parent: 6, Watermark: "revision 90", Metrics: map[string]float64{"recall@10": 0.5}},
		Weights:  m.Init().Data,
		Training: []safetensors.Tensor{safetensors.Floats("queue", []float32{1, 2}, 1, 2), safetensors.Ints("owners", []int32{9}, 1)},
		Progress: []byte(`{"step":3}`),
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	want := sample(t)
	path := filepath.Join(t.TempDir(), "model.safetensors")
	for range 2 { // the second replaces the first
		if err := Write(path, want); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v", got)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("files that are left: %v", files)
	}
	a, _ := want.Encode()
	b, _ := got.Encode()
	if !bytes.Equal(a, b) {
		t.Error("the same content has other bytes")
	}
}

// TestFailedWriteKeepsTheOldCheckpoint lets Write fail, by a folder in the place of its temporary file.
func TestFailedWriteKeepsTheOldCheckpoint(t *testing.T) {
	t.Parallel()
	old := sample(t)
	path := filepath.Join(t.TempDir(), "model.safetensors")
	if err := Write(path, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".tmp", 0o755); err != nil {
		t.Fatal(err)
	}
	newer := sample(t)
	newer.Meta.Epoch = 8
	if err := Write(path, newer); err == nil {
		t.Error("a checkpoint was written through a folder")
	}
	if got, err := Read(path); err != nil || !reflect.DeepEqual(got, old) {
		t.Errorf("after a failed Write: %+v (%v), want the old checkpoint", got, err)
	}
}

// TestDamageIsFound: Decode refuses a file with any single bit flipped.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	raw, err := sample(t).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		bad := slices.Clone(raw)
		bad[i] ^= 1 << (i % 8)
		if _, err := Decode(bad); err == nil {
			t.Fatalf("byte %d was changed, and nothing said", i)
		}
	}
	for _, n := range []int{0, 7, 100, len(raw) - 1} {
		if _, err := Decode(raw[:n]); err == nil {
			t.Errorf("%d bytes of %d were accepted", n, len(raw))
		}
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	t.Parallel()
	foreign, err := safetensors.Encode(safetensors.File{Metadata: map[string]string{"format": "pt"}, Tensors: []safetensors.Tensor{safetensors.Floats("w", []float32{1}, 1)}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(foreign); err == nil || !strings.Contains(err.Error(), `format "pt"`) {
		t.Errorf("a file of PyTorch: %v", err)
	}
	c := sample(t)
	c.Weights = c.Weights[1:]
	if _, err := c.Encode(); err == nil {
		t.Error("weights that are too few were written")
	}
	c = sample(t)
	c.Weights[0] = float32(math.Inf(1))
	raw, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(raw); err == nil || !strings.Contains(err.Error(), "text.input.weight[0] is +Inf") {
		t.Errorf("a weight that is infinite: %v", err)
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that there is not was read")
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	c := sample(t)
	same := shape
	same.Seed, same.Dropout = 99, 0.3
	if err := c.Compatible(same); err != nil {
		t.Error(err)
	}
	other := shape
	other.Width, other.Modalities = 16, append(slices.Clone(shape.Modalities), model.Modality{Name: "image", Features: 4})
	err := c.Compatible(other)
	if err == nil {
		t.Fatal("another shape fits")
	}
	for _, want := range []string{"width is 4, want 16", `modalities is [{"name":"text","features":3}], want`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}
