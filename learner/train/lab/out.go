package main

import (
	"encoding/json"
	"errors"
	"os"
)

// seedLine is what -out has of a seed, for programs.
type seedLine struct {
	Seed    uint64  `json:"seed"`
	Steps   int     `json:"steps"`
	Seconds float64 `json:"seconds"`
	// Processor is what the training took of all processors, in seconds.
	Processor float64      `json:"processor"`
	Results   []metricLine `json:"results"`
}

// metricLine is a metric of the trained model: of the half task and of culture and themes by neighbours.
type metricLine struct {
	Task   string  `json:"task"`
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
}

// write writes a line for each seed, if there is a file for them.
func (o *options) write(k *comparison) error {
	if o.out == "" {
		return nil
	}
	f, err := os.Create(o.out)
	if err != nil {
		return err
	}
	out := json.NewEncoder(f)
	for i, t := range k.trained {
		line := seedLine{Seed: t.seed, Steps: t.steps, Seconds: t.wall.Seconds(), Processor: t.processor.Seconds()}
		for _, r := range k.runs[i] {
			sum := 0.0
			for _, x := range r.values {
				sum += x / float64(len(r.values))
			}
			line.Results = append(line.Results, metricLine{r.task, r.metric, sum})
		}
		if err := out.Encode(line); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}
