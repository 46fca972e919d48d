package main

import (
	"fmt"
	"slices"
	"strings"

	"kilim/learner/model"
)

// ablation is a run without one part of the training or the model, or with another choice for it.
type ablation struct {
	name   string
	change func(o *options)
}

// ablationsOf returns the ablations that make sense for an archive: of media that it has.
func (o *options) ablationsOf(c *corpus) []ablation {
	without := func(what string) ablation {
		return ablation{"without " + what, func(o *options) { o.without = strings.Join(append(list(o.without), what), ",") }}
	}
	out := []ablation{{"all", func(*options) {}}, without("graph")}
	for _, m := range []struct {
		name string
		has  func(r record) bool
	}{{"image", func(r record) bool { return r.Vectors.Image != nil }}, {"audio", func(r record) bool { return r.Vectors.Audio != nil }}} {
		if slices.ContainsFunc(c.records, m.has) {
			out = append(out, without(m.name))
		}
	}
	for _, what := range []string{"hard", "prototypes", "bare", "links", "rare"} {
		out = append(out, without(what))
	}
	for _, way := range []string{model.FusionMLP, model.FusionTransformer} {
		out = append(out, ablation{"fusion " + way, func(o *options) { o.fusion = way }})
	}
	out = append(out, ablation{"residual " + model.ResidualConcat, func(o *options) { o.residual = model.ResidualConcat }})
	out = append(out, ablation{"aggregator " + model.AggregatorAttention, func(o *options) { o.aggregator = model.AggregatorAttention }})
	const heads, unfreeze, full = "heads:80:0.008", "unfreeze:170:0.008", "full:1750:0.008"
	for _, way := range []struct {
		name   string
		stages []string
	}{
		{"heads", []string{heads}}, {"unfreeze", []string{unfreeze}},
		{"heads,unfreeze", []string{heads, unfreeze}}, {"heads,unfreeze,full", []string{heads, unfreeze, full}},
	} {
		out = append(out, ablation{"stages " + way.name, func(o *options) { o.stages = strings.Join(way.stages, ",") }})
	}
	return out
}

func (o *options) ablations() error {
	c, err := read(o.feed)
	if err != nil {
		return err
	}
	o.bm25, o.quiet = false, true
	var table strings.Builder
	var all []result
	for i, a := range o.ablationsOf(c) {
		own := *o
		a.change(&own)
		k, err := own.prepare(c)
		if err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		after := mean(k.runs)
		if i == 0 {
			all = after
			writeHeader(&table, after)
			writeLine(&table, "word tf-idf", k.tfidf, nil)
			writeLine(&table, "untrained", k.before, all)
			writeLine(&table, a.name, after, nil)
			continue
		}
		writeLine(&table, a.name, after, all)
	}
	fmt.Printf("\n%s", table.String())
	return nil
}
