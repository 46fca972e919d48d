package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// truthLength is the number of true answers a query that make_data.py writes (T in the peers' README).
const truthLength = 100

// dataset is a folder that make_data.py wrote.
type dataset struct {
	folder  string
	Name    string           `json:"name"`
	Files   map[string][]int `json:"files"`
	queries [][]float32
}

func open(folder string) (*dataset, error) {
	raw, err := os.ReadFile(filepath.Join(folder, "header.json"))
	if err != nil {
		return nil, err
	}
	d := &dataset{folder: folder}
	if err := json.Unmarshal(raw, d); err != nil {
		return nil, fmt.Errorf("%s: header.json: %w", folder, err)
	}
	if d.queries, err = d.vectors("queries.f32", 0); err != nil {
		return nil, err
	}
	return d, nil
}

// part reads one of the parts that are stacked in a file. The last two numbers of the file's shape in header.json are a
// part's rows and columns.
func (d *dataset) part(name string, part int) (words []uint32, columns int, err error) {
	shape := d.Files[name]
	if len(shape) < 2 {
		return nil, 0, fmt.Errorf("%s: header.json has no shape of %s", d.folder, name)
	}
	rows, columns := shape[len(shape)-2], shape[len(shape)-1]
	f, err := os.Open(filepath.Join(d.folder, name))
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	raw := make([]byte, 4*rows*columns)
	if _, err := f.ReadAt(raw, int64(part)*int64(len(raw))); err != nil {
		return nil, 0, fmt.Errorf("%s: part %d of %s: %w", d.folder, part, name, err)
	}
	words = make([]uint32, rows*columns)
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(raw[4*i:])
	}
	return words, columns, nil
}

func (d *dataset) vectors(name string, part int) ([][]float32, error) {
	words, columns, err := d.part(name, part)
	if err != nil {
		return nil, err
	}
	flat := make([]float32, len(words))
	for i, w := range words {
		flat[i] = math.Float32frombits(w)
	}
	return slices.Collect(slices.Chunk(flat, columns)), nil
}

func (d *dataset) truth(name string, part int) ([][]uint32, error) {
	words, columns, err := d.part(name, part)
	if err != nil {
		return nil, err
	}
	if columns != truthLength {
		return nil, fmt.Errorf("%s: %s has %d columns, want %d", d.folder, name, columns, truthLength)
	}
	return slices.Collect(slices.Chunk(words, columns)), nil
}

// state is what an index holds, the vector of id i in row i, and the true answers to the queries.
type state struct {
	vectors [][]float32
	truth   [][]uint32
}

func (d *dataset) state(vectors, truth string, part int) (s state, err error) {
	if s.vectors, err = d.vectors(vectors, part); err != nil {
		return s, err
	}
	s.truth, err = d.truth(truth, part)
	return s, err
}
