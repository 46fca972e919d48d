package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"kilim/learner/model"
)

// data is an archive to be learned from.
type data struct{ name, feed string }

// choice is a model and a training, by the fields in which they are not the default.
type choice struct {
	name     string
	layers   int            // 0: the default
	shape    map[string]any // fields of model.Config, which are keys model.* of the daemon too
	branches float64        // weight of the loss behind each branch
}

// choices are the rows of a table. Each is the default in all but one thing, as the gate would judge a user's change of it.
func choices() []choice {
	return []choice{
		{name: "default"},
		{name: "3 layers", layers: 3},
		{name: "attention over relations", shape: map[string]any{"aggregator": "attention"}},
		{name: "attention over relations, 3 layers", layers: 3, shape: map[string]any{"aggregator": "attention"}},
		{name: "media as nodes", shape: map[string]any{"media": "nodes"}},
		{name: "media as nodes, attention over relations", shape: map[string]any{"media": "nodes", "aggregator": "attention"}},
		{name: "fusion mlp", shape: map[string]any{"fusion": model.FusionMLP}},
		{name: "fusion transformer", shape: map[string]any{"fusion": model.FusionTransformer}},
		{name: "residual concat", shape: map[string]any{"residual": model.ResidualConcat}},
		{name: "branches 0.1", branches: 0.1},
		{name: "branches 0.3", branches: 0.3},
		{name: "branches 1", branches: 1},
	}
}

// json is the shape in the form of the lab's flag, empty for the default's.
func (c choice) json() string {
	if len(c.shape) == 0 {
		return ""
	}
	raw, err := json.Marshal(c.shape)
	if err != nil {
		panic(err) // of strings and numbers
	}
	return string(raw)
}

// known returns an error for a choice that this build's model has no fields for.
func (c choice) known() error {
	if c.json() == "" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader([]byte(c.json())))
	d.DisallowUnknownFields()
	return d.Decode(new(model.Config))
}

// lab are the lab's flags for the choice.
func (c choice) lab() (flags []string) {
	if c.layers > 0 {
		flags = append(flags, "-layers", fmt.Sprint(c.layers))
	}
	if s := c.json(); s != "" {
		flags = append(flags, "-model", s)
	}
	if c.branches > 0 {
		flags = append(flags, "-branches", fmt.Sprint(c.branches))
	}
	return flags
}

// daemon are the daemon's flags for the model of the choice.
func (c choice) daemon() (flags []string) {
	if c.layers > 0 {
		flags = append(flags, "--model.layers", fmt.Sprint(c.layers))
	}
	for _, key := range slices.Sorted(maps.Keys(c.shape)) {
		flags = append(flags, "--model."+key, fmt.Sprint(c.shape[key]))
	}
	return flags
}

// cell is a choice on some data.
type cell struct {
	data   data
	choice choice
}

func (c cell) String() string { return c.data.name + "/" + c.choice.name }

// grid are the cells whose name matches, and why others of these were left out.
func grid(all []data, only *regexp.Regexp) (cells []cell, remarks []string) {
	for _, c := range choices() {
		err := c.known()
		for _, d := range all {
			switch one := (cell{d, c}); {
			case !only.MatchString(one.String()):
			case err != nil:
				remarks = append(remarks, fmt.Sprintf("%s is left out: %s", one, strings.TrimPrefix(err.Error(), "json: ")))
			default:
				cells = append(cells, one)
			}
		}
	}
	slices.SortStableFunc(cells, func(a, b cell) int { return slices.Index(all, a.data) - slices.Index(all, b.data) })
	return cells, remarks
}
