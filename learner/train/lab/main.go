package main

import (
	"flag"
	"fmt"
	"os"

	"kilim/learner/model"
	"kilim/learner/train/dataset"
)

func main() {
	var o options
	flag.StringVar(&o.feed, "feed", "", "`file` of records, JSON Lines, plain or gzip; of kilim demo too")
	flag.IntVar(&o.test, "test", 2000, "artifacts to set aside, at most a third")
	flag.IntVar(&o.least, "least", 10, "records that a culture has at least")
	flag.IntVar(&o.seeds, "seeds", 3, "runs, each with a seed of its own")
	flag.Uint64Var(&o.first, "first", 1, "the first of the seeds")
	flag.IntVar(&o.threads, "threads", 2, "threads of a run")
	flag.BoolVar(&o.together, "together", false, "train all runs at the same time")
	flag.IntVar(&o.steps, "steps", 0, "steps of a run, over all stages, whose steps are its parts then; 0: as the stages say")
	flag.IntVar(&o.layers, "layers", 2, "layers")
	flag.StringVar(&o.fusion, "fusion", model.FusionAttention, "attention, mlp or transformer")
	flag.StringVar(&o.residual, "residual", model.ResidualSum, "sum or concat")
	flag.StringVar(&o.aggregator, "aggregator", model.AggregatorMean, "mean or attention")
	flag.StringVar(&o.shape, "model", "", "other fields of the model's shape, as JSON")
	flag.Float64Var(&o.branches, "branches", 0, "weight of a loss behind each branch")
	flag.StringVar(&o.out, "out", "", "`FILE` for the results of each seed, as JSON Lines")
	flag.StringVar(&o.media, "media", model.MediaFeatures, "features, or nodes: each picture and recording is a node too")
	flag.StringVar(&o.without, "without", "", "list of what is left out: graph, image, audio, hard (negatives), links, rare, prototypes, bare (views)")
	flag.StringVar(&o.stages, "stages", "", "list of stages, each NAME:STEPS:RATE; empty: the usual ones")
	flag.StringVar(&o.views, "views", "", "half,bare,field drop,modality drop,feature mask,link,rare; empty: the usual ones")
	flag.Float64Var(&o.hard, "hard", -1, "weight of hard negatives; below 0: the usual one")
	flag.Float64Var(&o.momentum, "momentum", 0, "of the key encoder; 0: the usual one")
	flag.Float64Var(&o.prototypes, "prototypes", -1, "weight of the cultures' prototypes; below 0: the usual one")
	flag.Float64Var(&o.tau, "temperature", 0, "at the beginning; 0: the usual one")
	flag.IntVar(&o.text, "text", 2048, "length of the text features")
	flag.IntVar(&o.width, "width", 256, "of the branches and the embedding")
	flag.IntVar(&o.rare, "rare", dataset.MaxRareMembers, "artifacts that share a rare entity, at most")
	flag.IntVar(&o.every, "every", 100, "steps between two judgements")
	flag.BoolVar(&o.bm25, "bm25", true, "rank by BM25 too, which takes minutes")
	flag.BoolVar(&o.quiet, "quiet", false, "don't print judgements")
	var ablate bool
	flag.BoolVar(&ablate, "ablations", false, "train without each part in turn, and in other ways, and print one table")
	flag.Parse()
	run := o.run
	if ablate {
		run = o.ablations
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

func (o *options) run() error {
	c, err := read(o.feed)
	if err != nil {
		return err
	}
	k, err := o.prepare(c)
	if err != nil {
		return err
	}
	k.report()
	return o.write(k)
}
