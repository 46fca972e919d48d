package safetensors

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"testing"
)

// file is a file with a header as given.
func file(header string, data ...byte) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), append([]byte(header), data...)...)
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	want := File{
		Metadata: map[string]string{"format": "x", "note": "ü \"quoted\""},
		Tensors: []Tensor{
			Floats("z", []float32{1, -2.5, float32(math.Inf(1)), 0, 1e-40, 3}, 2, 3),
			Ints("a", []int32{-1, 1 << 30}, 2),
			Floats("number", []float32{7}),
			Ints("none", nil, 0, 4),
		},
	}
	raw, err := Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Encode(*got)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(raw, again) || !reflect.DeepEqual(got.Metadata, want.Metadata) {
		t.Error("another file came back")
	}
	for _, w := range want.Tensors {
		g, ok := got.Tensor(w.Name)
		if !ok || !reflect.DeepEqual(g.I32, w.I32) || len(g.F32) != len(w.F32) || len(g.Shape) != len(w.Shape) {
			t.Errorf("%s came back as %+v", w.Name, g)
		}
	}
	if binary.LittleEndian.Uint64(raw)%8 != 0 {
		t.Error("the data is not aligned")
	}
}

// TestReadsTheFormat reads a file written by hand from the format's page.
func TestReadsTheFormat(t *testing.T) {
	t.Parallel()
	f, err := Decode(file(`{"b":{"dtype":"I32","shape":[1],"data_offsets":[8,12]},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"__metadata__":{"k":"v"}}  `,
		0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0xff, 0xff, 0xff, 0xff))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := f.Tensor("a")
	b, _ := f.Tensor("b")
	if !reflect.DeepEqual(a.F32, []float32{1, -2}) || !reflect.DeepEqual(b.I32, []int32{-1}) || f.Metadata["k"] != "v" {
		t.Errorf("read %+v", f)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	four := []byte{0, 0, 0, 0}
	for want, raw := range map[string][]byte{
		"too short":               {1, 2},
		"a header of":             binary.LittleEndian.AppendUint64(nil, math.MaxUint64),
		"not a JSON object":       file(`[]`),
		"type \"F16\"":            file(`{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}`, four...),
		"bytes 0..8: want 0..4":   file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}`, four...),
		"bytes 4..8: want 0..4":   file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, four...),
		"bytes 0..4: want 4..8":   file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, four...),
		"after the last tensor":   file(`{}`, four...),
		"a stands twice":          file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, four...),
		"shape [-1]":              file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, four...),
		"product below 2^31":      file(`{"a":{"dtype":"F32","shape":[65536,65536],"data_offsets":[0,4]}}`, four...),
		"more after the JSON":     file(`{}{}`),
		"of 4":                    file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, four...),
		"cannot unmarshal number": file(`{"__metadata__":{"a":1}}`),
		"expected colon":          file(`{"a"}`),
	} {
		if _, err := Decode(raw); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v", want, err)
		}
	}
	for what, tensors := range map[string][]Tensor{
		"shape": {Floats("a", []float32{1}, 2)},
		"name":  {Floats("", []float32{1}, 1)},
		"twice": {Floats("a", []float32{1}, 1), Floats("a", []float32{1}, 1)},
	} {
		if _, err := Encode(File{Tensors: tensors}); err == nil {
			t.Errorf("%s: written", what)
		}
	}
}

func FuzzDecode(f *testing.F) {
	raw, err := Encode(File{Metadata: map[string]string{"a": "b"}, Tensors: []Tensor{Floats("x", []float32{1, 2}, 2), Ints("y", []int32{3}, 1)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(file(`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}`, 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Decode(raw)
		if err != nil {
			return
		}
		for _, x := range got.Tensors {
			if x.Name == "" {
				return // which we don't write
			}
		}
		again, err := Encode(*got)
		if err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		if _, err := Decode(again); err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
	})
}
