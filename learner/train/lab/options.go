package main

import (
	"fmt"
	"slices"
	"strings"

	"kilim/learner/train"
)

// options are the flags of the command line.
type options struct {
	feed                      string
	test, least, seeds        int
	threads, steps            int
	fusion, residual, without string
	media                     string
	stages, aggregator        string
	layers                    int
	views                     string
	hard, momentum, tau       float64
	quiet, bm25, together     bool
	text, every, width, rare  int
	prototypes, branches      float64
	first                     uint64
	shape, out                string
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}

func (o *options) excludes(what string) bool { return slices.Contains(list(o.without), what) }

// config returns the settings of the training with a seed.
func (o *options) config(seed uint64) (train.Config, error) {
	c := train.Defaults(o.layers)
	c.Seed, c.Every, c.BranchWeight = seed, o.every, o.branches
	if o.stages != "" {
		var err error
		if c.Stages, err = train.ParseStages(list(o.stages)); err != nil {
			return c, err
		}
	}
	if o.steps > 0 {
		total := 0
		for _, s := range c.Stages {
			total += s.Steps
		}
		for i := range c.Stages {
			c.Stages[i].Steps = max(c.Stages[i].Steps*o.steps/total, 1)
		}
	}
	if o.views != "" {
		v := &c.Views
		if _, err := fmt.Sscanf(o.views, "%f,%f,%f,%f,%f,%f,%f", &v.Half, &v.NoOrigin, &v.FieldDrop, &v.ModalityDrop, &v.FeatureMask, &v.Link, &v.Rare); err != nil {
			return c, fmt.Errorf("views %q: %w", o.views, err)
		}
	}
	if o.prototypes >= 0 {
		c.MoCo.Prototypes.Weight = o.prototypes
	}
	if o.hard >= 0 {
		c.Negatives.Hard = o.hard
	}
	if o.momentum > 0 {
		c.MoCo.Momentum = o.momentum
	}
	if o.tau > 0 {
		c.MoCo.Temperature = o.tau
	}
	if o.excludes("hard") {
		c.Negatives = train.Negatives{Hard: 1, Beyond: 2}
	}
	if o.excludes("links") {
		c.Views.Link = 0
	}
	if o.excludes("prototypes") {
		c.MoCo.Prototypes.Weight = 0
	}
	if o.excludes("bare") {
		c.Views.NoOrigin = 0
	}
	if o.excludes("rare") {
		c.Views.Rare = 0
	}
	return c, nil
}
