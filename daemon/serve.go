package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/app"
	"kilim/daemon/config"
)

type serveCommand struct{ config.Config }

// Run runs the daemon until a signal or a failure.
func (c *serveCommand) Run(s *session) error {
	if err := s.settle(&c.Config); err != nil {
		return err
	}
	log := c.Log.New(s.stderr)
	if os.Getenv("GOGC") == "" {
		// While a whole archive is fed this takes a fifth off the peak of memory, for some 4 % more processor time.
		debug.SetGCPercent(50)
	}
	a, err := app.Start(s.ctx, &c.Config, version(), prometheus.NewRegistry(), log)
	if err != nil {
		if s.ctx.Err() != nil {
			return nil // stopped while starting
		}
		return err
	}
	if c.Demo.Artifacts > 0 {
		welcome(s.stdout, a, &c.Config)
		go newcomers(s.ctx, s.stdout, &c.Config, a.Bootstrap(), log)
	}
	return a.Run(s.ctx)
}

type checkCommand struct{ config.Config }

// Run verifies a state folder and prints each fault on a line of its own.
func (c *checkCommand) Run(s *session) error {
	if err := s.settle(&c.Config); err != nil {
		return err
	}
	log := c.Log.New(s.stderr)
	faults := 0
	waiting, err := app.Check(&c.Config, log, func(fault string) {
		faults++
		fmt.Fprintln(s.stdout, fault)
	})
	if err != nil {
		return fmt.Errorf("check %s: %w", c.Data, err)
	}
	if faults > 0 {
		return fmt.Errorf("check %s: %d faults", c.Data, faults)
	}
	fmt.Fprintf(s.stdout, "%s: no fault\n", c.Data)
	if waiting > 0 {
		fmt.Fprintf(s.stdout, "%d lists and vectors wait for a daemon's background, which makes them anew: stale ones, and those that other settings made\n", waiting)
	}
	return nil
}
