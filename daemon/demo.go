package main

import (
	"fmt"
	"os"

	"kilim/daemon/demo"
)

type demoCommand struct {
	Artifacts int    `default:"500" placeholder:"N" help:"Size of the archive."`
	Seed      uint64 `default:"1" help:"Another seed is another archive."`
	Media     bool   `default:"true" negatable:"" help:"With pictures and melodies inline; without, only their URIs."`
	Out       string `placeholder:"FILE" help:"File to write, instead of standard output."`
}

// Help is shown by kilim demo --help.
func (demoCommand) Help() string {
	return `An archive of an invented world, the same for the same size and seed on every machine. To feed it: kilim demo | kilim feed -`
}

// Run writes the archive.
func (c *demoCommand) Run(s *session) error {
	if err := s.settle(nil); err != nil {
		return err
	}
	if c.Artifacts < 1 || c.Artifacts > demo.MaxArtifacts {
		return &exitError{exitUsage, fmt.Errorf("artifacts: %d: want 1 to %d", c.Artifacts, demo.MaxArtifacts)}
	}
	opt := demo.Options{Artifacts: c.Artifacts, Seed: c.Seed, Media: c.Media}
	if c.Out == "" {
		return demo.Write(s.stdout, opt)
	}
	f, err := os.Create(c.Out)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	err = demo.Write(f, opt)
	// What a full disk refuses may only be told at the close.
	if closed := f.Close(); err == nil && closed != nil {
		err = fmt.Errorf("demo: %w", closed)
	}
	return err
}
