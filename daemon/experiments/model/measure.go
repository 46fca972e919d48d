package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kilim/daemon/experiments/daemonproc"
	"kilim/daemon/experiments/feedfile"
)

// patience is for a daemon that is fed.
const patience = 30 * time.Minute

// trainingKey is that of a training of a cell with a seed.
func (o *options) trainingKey(c cell, seed uint64) key {
	return key{Data: c.data.name, Flags: strings.Join(c.choice.lab(), " "), Seed: seed, Steps: o.steps, Test: o.test, Kept: o.records}
}

// newcomerKey is that of the cost of a cell's newcomers.
func (o *options) newcomerKey(c cell) key {
	return key{Data: c.data.name, Flags: strings.Join(c.choice.daemon(), " "), Before: o.before, Came: o.came}
}

// train has the lab train and measure a model, and returns the values.
func (o *options) train(ctx context.Context, c cell, seed uint64) (map[string]float64, error) {
	feed, err := o.feedOf(c.data)
	if err != nil {
		return nil, err
	}
	out := filepath.Join(o.dir, "lab.json")
	args := append([]string{"-feed", feed, "-seeds", "1", "-first", fmt.Sprint(seed), "-bm25=false", "-quiet", "-threads", fmt.Sprint(o.threads),
		"-steps", fmt.Sprint(o.steps), "-test", fmt.Sprint(o.test), "-out", out}, c.choice.lab()...)
	if _, err := daemonproc.Run(ctx, daemonproc.Command{Path: o.lab, Args: args, Log: filepath.Join(o.dir, "lab.log")}); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	var told struct {
		Steps              int
		Seconds, Processor float64
		Results            []struct {
			Task, Metric string
			Value        float64
		}
	}
	if err := json.Unmarshal(raw, &told); err != nil {
		return nil, fmt.Errorf("the lab's results: %w", err)
	}
	if told.Steps == 0 {
		return nil, errors.New("the lab has trained no step")
	}
	values := map[string]float64{processor: told.Processor / float64(told.Steps), wall: told.Seconds / float64(told.Steps)}
	for _, r := range told.Results {
		switch name := r.Task + ", " + r.Metric; name {
		case halves, accuracy, f1:
			values[name] = r.Value
		}
	}
	return values, nil
}

// feedOf is the file of the records to train with.
func (o *options) feedOf(d data) (string, error) {
	if o.records == 0 {
		return d.feed, nil
	}
	file := filepath.Join(o.dir, d.name+".jsonl")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	all, err := feedfile.Read(d.feed, 0)
	if err != nil {
		return "", err
	}
	return file, feedfile.Write(file, spreadOver(all, o.records))
}

// spreadOver are n of the records, as far from one another as can be: an archive is often in an order, of which its first records show one end.
func spreadOver(all []feedfile.Record, n int) []feedfile.Record {
	if n >= len(all) {
		return all
	}
	out := make([]feedfile.Record, n)
	for i := range out {
		out[i] = all[i*len(all)/n]
	}
	return out
}

// cost has a daemon take newcomers, and returns what each cost.
func (o *options) cost(ctx context.Context, c cell) (values map[string]float64, err error) {
	records, err := feedfile.Read(c.data.feed, o.before+o.came)
	if err != nil {
		return nil, err
	}
	before, came := filepath.Join(o.dir, "before.jsonl"), filepath.Join(o.dir, "came.jsonl")
	if err := errors.Join(feedfile.Write(before, records[:o.before]), feedfile.Write(came, records[o.before:])); err != nil {
		return nil, err
	}
	i, err := daemonproc.NewInstance(o.kilim, filepath.Join(o.dir, "state"), "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(i.Data)) }()
	daemon, err := i.Serve(append([]string{"--train.share", "0"}, c.choice.daemon()...)...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	alive, release := daemon.Alive(ctx)
	defer release()
	spent, err := o.feed(alive, i, before, came)
	if err != nil {
		return nil, errors.Join(daemon.Explain(err), daemon.Close())
	}
	return map[string]float64{newcomer: 1000 * spent / float64(o.came)}, daemon.Stop()
}

// feed feeds both files, and returns the processor seconds that the daemon took for the second.
func (o *options) feed(ctx context.Context, i *daemonproc.Instance, before, came string) (float64, error) {
	if err := i.Ready(ctx); err != nil {
		return 0, err
	}
	used := func(file string, rate float64) (float64, error) {
		if _, err := i.Feed(ctx, file, rate); err != nil {
			return 0, err
		}
		if _, err := i.Settle(ctx); err != nil {
			return 0, err
		}
		m, err := i.Metrics(ctx)
		return m.Total("process_cpu_seconds_total"), err
	}
	first, err := used(before, 0)
	if err != nil {
		return 0, err
	}
	second, err := used(came, o.rate)
	return second - first, err
}
