package main

import (
	"fmt"
	"os"
	"time"

	"kilim/daemon/demo"
	"kilim/daemon/experiments/encoders"
)

// encodersCommand holds the built-in encoders against baselines.
type encodersCommand struct {
	Feeds     string `default:"../shared/data" type:"path" placeholder:"DIR" help:"Folder with vases.jsonl, songs.jsonl and their media; what is missing there is left out."`
	Artifacts int    `default:"1000" placeholder:"N" help:"Size of the demo archive."`
	Seed      uint64 `default:"1" help:"Of the demo archive, the reframed pictures and the intervals."`
	Rates     bool   `help:"Also measure how many artifacts a second each encoder takes, on all cores; the machine should be quiet."`
	JSON      bool   `name:"json" help:"Print one JSON object instead of the table."`
	Out       string `placeholder:"FILE" help:"Also write JSON Lines, one comparison a line."`
}

// rateTime is how long each rate is measured.
const rateTime = 5 * time.Second

// Help is shown by kilim eval encoders --help.
func (encodersCommand) Help() string {
	return `Photographs of the same vase, songs of the same type, and motif, mode and culture in the demo archive: how often are the nearest of a kind, against chance and against a baseline. Takes a minute or two, on one core.`
}

// Run prints the comparison.
func (c *encodersCommand) Run(s *session) (err error) {
	if err := s.settle(nil); err != nil {
		return err
	}
	if c.Artifacts < 1 || c.Artifacts > demo.MaxArtifacts {
		return &exitError{exitUsage, fmt.Errorf("artifacts: %d: want 1 to %d", c.Artifacts, demo.MaxArtifacts)}
	}
	opt := encoders.Options{Feeds: c.Feeds, Artifacts: c.Artifacts, Seed: c.Seed}
	if c.Rates {
		opt.Rates = rateTime
	}
	res, err := encoders.Run(s.ctx, opt)
	if err != nil {
		return fmt.Errorf("eval encoders: %w", err)
	}
	if c.Out != "" {
		f, err := os.Create(c.Out)
		if err != nil {
			return fmt.Errorf("eval encoders: %w", err)
		}
		err = res.Lines(f)
		// What a full disk refuses may only be told at the close.
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return fmt.Errorf("eval encoders: %w", err)
		}
	}
	if c.JSON {
		return res.JSON(s.stdout)
	}
	return res.Print(s.stdout)
}
