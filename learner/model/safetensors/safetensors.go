package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Tensor is an array: of float32 in F32, or of int32 in I32 if that is not nil.
type Tensor struct {
	Name  string
	Shape []int
	F32   []float32
	I32   []int32
}

// Floats returns a tensor of float32.
func Floats(name string, data []float32, shape ...int) Tensor {
	return Tensor{Name: name, Shape: shape, F32: data}
}

// Ints returns a tensor of int32.
func Ints(name string, data []int32, shape ...int) Tensor {
	if data == nil {
		data = []int32{}
	}
	return Tensor{Name: name, Shape: shape, I32: data}
}

func (t Tensor) size() int {
	if t.I32 != nil {
		return len(t.I32)
	}
	return len(t.F32)
}

// File is the content of a safetensors file.
type File struct {
	Metadata map[string]string
	Tensors  []Tensor
}

// Tensor returns the tensor of a name; ok is false when there is none.
func (f *File) Tensor(name string) (t Tensor, ok bool) {
	for _, t := range f.Tensors {
		if t.Name == name {
			return t, true
		}
	}
	return Tensor{}, false
}

const (
	metadataKey = "__metadata__"
	// headerLimit is that of the format's own implementation.
	headerLimit = 100_000_000
	f32, i32    = "F32", "I32"
	elementSize = 4
)

// entry is the header's entry of a tensor.
type entry struct {
	Type    string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// elements is the number of elements of a shape.
func elements(shape []int) (int, error) {
	n := 1
	for _, s := range shape {
		if s < 0 || s > 0 && n > math.MaxInt32/s {
			return 0, fmt.Errorf("shape %v: sizes must be 0 or more, and their product below 2^31", shape)
		}
		n *= s
	}
	return n, nil
}

// Encode returns the bytes of a file, the same bytes for equal content.
func Encode(f File) ([]byte, error) {
	header := map[string]any{}
	if len(f.Metadata) > 0 {
		header[metadataKey] = f.Metadata
	}
	at := 0
	for _, t := range f.Tensors {
		n, err := elements(t.Shape)
		if err != nil {
			return nil, fmt.Errorf("safetensors: %s: %w", t.Name, err)
		}
		if n != t.size() {
			return nil, fmt.Errorf("safetensors: %s: shape %v has %d elements, the data %d", t.Name, t.Shape, n, t.size())
		}
		if _, twice := header[t.Name]; twice || t.Name == metadataKey || t.Name == "" {
			return nil, fmt.Errorf("safetensors: name %q: must be one of its own", t.Name)
		}
		e := entry{f32, t.Shape, [2]int{at, at + n*elementSize}}
		if t.I32 != nil {
			e.Type = i32
		}
		if e.Shape == nil {
			e.Shape = []int{}
		}
		header[t.Name] = e
		at = e.Offsets[1]
	}
	raw, err := json.Marshal(header) // which sorts the names
	if err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	for len(raw)%8 != 0 { // so that the data is aligned
		raw = append(raw, ' ')
	}
	out := make([]byte, 0, 8+len(raw)+at)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(raw)))
	out = append(out, raw...)
	for _, t := range f.Tensors {
		for _, x := range t.F32 {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
		}
		for _, x := range t.I32 {
			out = binary.LittleEndian.AppendUint32(out, uint32(x))
		}
	}
	return out, nil
}

// Decode reads the bytes of a file. It returns the tensors in the order of their data.
func Decode(raw []byte) (*File, error) {
	if len(raw) < 8 {
		return nil, fmt.Errorf("safetensors: %d bytes: too short for the length of a header", len(raw))
	}
	n := binary.LittleEndian.Uint64(raw)
	if n > headerLimit || n > uint64(len(raw)-8) {
		return nil, fmt.Errorf("safetensors: a header of %d bytes in a file of %d", n, len(raw))
	}
	head, data := raw[8:8+n], raw[8+n:]
	entries, metadata, err := readHeader(head)
	if err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	f := &File{Metadata: metadata}
	at := 0
	for _, e := range entries {
		size, err := elements(e.Shape)
		if err != nil {
			return nil, fmt.Errorf("safetensors: %s: %w", e.name, err)
		}
		if e.Type != f32 && e.Type != i32 {
			return nil, fmt.Errorf("safetensors: %s: type %q: only F32 and I32 are read", e.name, e.Type)
		}
		if e.Offsets[0] != at || e.Offsets[1] != at+size*elementSize || e.Offsets[1] > len(data) {
			return nil, fmt.Errorf("safetensors: %s: bytes %d..%d: want %d..%d of %d", e.name, e.Offsets[0], e.Offsets[1], at, at+size*elementSize, len(data))
		}
		f.Tensors = append(f.Tensors, e.tensor(data[at:e.Offsets[1]]))
		at = e.Offsets[1]
	}
	if at != len(data) {
		return nil, fmt.Errorf("safetensors: %d bytes after the last tensor", len(data)-at)
	}
	return f, nil
}

type named struct {
	name string
	entry
}

func readHeader(raw []byte) (entries []named, metadata map[string]string, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, errors.Join(errors.New("not a JSON object"), err)
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		name := t.(string) // the decoder takes nothing else for a key
		if seen[name] {
			return nil, nil, fmt.Errorf("%s stands twice", name)
		}
		seen[name] = true
		if name == metadataKey {
			if err := d.Decode(&metadata); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		e := named{name: name}
		if err := d.Decode(&e.entry); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, nil, errors.New("there is more after the JSON object")
	}
	slices.SortStableFunc(entries, func(a, b named) int {
		return cmp.Or(cmp.Compare(a.Offsets[0], b.Offsets[0]), cmp.Compare(a.Offsets[1], b.Offsets[1]))
	})
	return entries, metadata, nil
}

func (e *named) tensor(data []byte) Tensor {
	n := len(data) / elementSize
	t := Tensor{Name: e.name, Shape: e.Shape}
	if e.Type == i32 {
		t.I32 = make([]int32, n)
		for i := range t.I32 {
			t.I32[i] = int32(binary.LittleEndian.Uint32(data[i*elementSize:]))
		}
		return t
	}
	t.F32 = make([]float32, n)
	for i := range t.F32 {
		t.F32[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[i*elementSize:]))
	}
	return t
}
