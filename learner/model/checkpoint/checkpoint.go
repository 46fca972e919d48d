package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"kilim/internal/atomicfile"
	"kilim/learner/encode/feature"
	"kilim/learner/model"
	"kilim/learner/model/safetensors"
)

// Meta says what the weights are and where they come from.
type Meta struct {
	Config model.Config `json:"config"`
	// Encoders are those whose vectors the weights were made for, by modality, without the built-in encoder of texts.
	Encoders  map[string]feature.Identity `json:"encoders,omitempty"`
	Epoch     uint64                      `json:"epoch"`     // number of the model
	Parent    uint64                      `json:"parent"`    // epoch of the model that training started from; 0: the seed
	Watermark string                      `json:"watermark"` // identifies the data that was trained on, in the trainer's terms
	// Settings are those of the training that made the weights, in the trainer's JSON.
	Settings json.RawMessage    `json:"settings,omitempty"`
	Metrics  map[string]float64 `json:"metrics,omitempty"`
}

// Checkpoint is the content of a checkpoint file.
type Checkpoint struct {
	Meta
	// Weights are in the order of model.Params.
	Weights []float32
	// Training has the tensors that a trainer resumes from; their names and shapes are the trainer's.
	Training []safetensors.Tensor
	// Progress is the trainer's JSON besides Training.
	Progress json.RawMessage
}

const (
	format         = "kilim model 2"
	weightPrefix   = "model/"
	trainingPrefix = "training/"
)

// blankChecksum stands in the place of the checksum while the checksum is computed.
var blankChecksum = strings.Repeat("0", 2*sha256.Size)

// Encode returns the bytes of a file, the same bytes for the same content.
func (c *Checkpoint) Encode() ([]byte, error) {
	m, err := model.New(c.Config)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if len(c.Weights) != m.Size() {
		return nil, fmt.Errorf("checkpoint: %d weights, the model of the configuration has %d", len(c.Weights), m.Size())
	}
	meta, err := json.Marshal(c.Meta)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: metadata: %w", err)
	}
	f := safetensors.File{Metadata: map[string]string{"format": format, "kilim": string(meta), "sha256": blankChecksum}}
	if len(c.Progress) > 0 {
		f.Metadata["progress"] = string(c.Progress)
	}
	for _, p := range m.Params() {
		f.Tensors = append(f.Tensors, safetensors.Floats(weightPrefix+p.Name, c.Weights[p.Offset:p.Offset+p.Rows*p.Cols], p.Rows, p.Cols))
	}
	for _, t := range c.Training {
		t.Name = trainingPrefix + t.Name
		f.Tensors = append(f.Tensors, t)
	}
	raw, err := safetensors.Encode(f)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	at := bytes.Index(raw, []byte(checksumKey+blankChecksum))
	sum := sha256.Sum256(raw)
	hex.Encode(raw[at+len(checksumKey):], sum[:])
	return raw, nil
}

// checksumKey stands before the checksum in a header as Encode writes it.
const checksumKey = `"sha256":"`

// Decode reads the bytes of a file.
func Decode(raw []byte) (*Checkpoint, error) {
	f, err := safetensors.Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if have := f.Metadata["format"]; have != format {
		return nil, fmt.Errorf("checkpoint: format %q: want %q", have, format)
	}
	sum := f.Metadata["sha256"]
	at := bytes.Index(raw, []byte(checksumKey+sum))
	if len(sum) != len(blankChecksum) || at < 0 {
		return nil, errors.New("checkpoint: there is no checksum")
	}
	blank := slices.Clone(raw)
	copy(blank[at+len(checksumKey):], blankChecksum)
	if have := sha256.Sum256(blank); hex.EncodeToString(have[:]) != sum {
		return nil, fmt.Errorf("checkpoint: damaged: its bytes have the checksum %x, it says %s", have, sum)
	}
	c := &Checkpoint{}
	d := json.NewDecoder(strings.NewReader(f.Metadata["kilim"]))
	d.DisallowUnknownFields()
	if err := d.Decode(&c.Meta); err != nil {
		return nil, fmt.Errorf("checkpoint: metadata: %w", err)
	}
	if p := f.Metadata["progress"]; p != "" {
		c.Progress = json.RawMessage(p)
	}
	if err := c.read(f); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return c, nil
}

func (c *Checkpoint) read(f *safetensors.File) error {
	m, err := model.New(c.Config)
	if err != nil {
		return err
	}
	c.Weights = make([]float32, m.Size())
	known := map[string]bool{}
	for _, p := range m.Params() {
		name := weightPrefix + p.Name
		known[name] = true
		t, ok := f.Tensor(name)
		if !ok {
			return fmt.Errorf("%s is missing", name)
		}
		if !slices.Equal(t.Shape, []int{p.Rows, p.Cols}) || t.I32 != nil {
			return fmt.Errorf("%s has shape %v, the model's is [%d %d] of F32", name, t.Shape, p.Rows, p.Cols)
		}
		copy(c.Weights[p.Offset:], t.F32)
	}
	for _, t := range f.Tensors {
		name, training := strings.CutPrefix(t.Name, trainingPrefix)
		if training {
			t.Name = name
			c.Training = append(c.Training, t)
		} else if !known[t.Name] {
			return fmt.Errorf("%s is not of the model", t.Name)
		}
	}
	w, err := m.Weights(c.Weights, nil)
	if err != nil {
		return err
	}
	return w.Check()
}

// Compatible returns an error that lists the fields in which the checkpoint's Config differs from cfg, except seed and
// dropout.
func (c *Checkpoint) Compatible(cfg model.Config) error {
	have, want := c.Config, cfg
	have.Seed, have.Dropout, want.Seed, want.Dropout = 0, 0, 0, 0
	a, b := fields(have), fields(want)
	var errs []error
	for _, name := range names(a, b) {
		if a[name] != b[name] {
			errs = append(errs, fmt.Errorf("checkpoint: %s is %s, want %s", name, a[name], b[name]))
		}
	}
	return errors.Join(errs...)
}

// fields returns the fields of a Config by their names in JSON.
func fields(cfg model.Config) map[string]string {
	raw, err := json.Marshal(cfg)
	if err != nil {
		panic(fmt.Sprintf("checkpoint: configuration: %v", err)) // it has only numbers and strings
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		panic(fmt.Sprintf("checkpoint: configuration: %v", err))
	}
	out := map[string]string{}
	for name, v := range all {
		out[name] = string(v)
	}
	return out
}

func names(a, b map[string]string) []string {
	var out []string
	for n := range a {
		out = append(out, n)
	}
	for n := range b {
		if _, ok := a[n]; !ok {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// Write replaces the file at path by the Checkpoint, as atomicfile.Write does.
func Write(path string, c *Checkpoint) error {
	raw, err := c.Encode()
	if err != nil {
		return err
	}
	if err := atomicfile.Write(path, raw, nil); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return nil
}

// Read reads a file that Write wrote.
func Read(path string) (*Checkpoint, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	c, err := Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", err, path)
	}
	return c, nil
}
