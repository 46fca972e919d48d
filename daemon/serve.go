package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"

	"kilim/daemon/app"
	"kilim/daemon/config"
	"kilim/daemon/standby"
	"kilim/graphstore"
)

type serveCommand struct{ config.Config }

// Run runs the daemon until a signal or a failure.
func (c *serveCommand) Run(s *session) error {
	if err := s.settle(&c.Config); err != nil {
		return err
	}
	log := c.Log.New(s.stderr)
	debug.SetMemoryLimit(c.Memory.Budget().Heap)
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
	if err := reportCrash(standby.CrashReport(c.Data)); err != nil {
		log.Warn("what may end this process will be in its standard error only, and count less against the record that it was at", "error", err)
	}
	if c.Demo.Artifacts > 0 {
		welcome(s.stdout, a, &c.Config)
		go newcomers(s.ctx, s.stdout, a, &c.Config, log)
	}
	return a.Run(s.ctx)
}

// reportCrash has the Go runtime write into a file why it ends the process, if it does.
func reportCrash(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(debug.SetCrashOutput(f, debug.CrashOptions{}), f.Close())
}

type checkCommand struct {
	config.Config
	Sizes  bool `help:"Print the rows of the state and their bytes, in all and an artifact, by kind."`
	Repair bool `help:"Make a state that has faults anew from its own documents, with all that follows from them; it takes the room of both until it is done. Artifacts whose documents are damaged are deleted, and named."`
}

// anew is what is left to do with a state that can't be repaired.
const anew = "keep a copy of the folder for a report, start the daemon with an empty --data folder and let it read the topic from the start; or restore a backup of the folder"

// Run verifies a state folder and prints each fault on a line of its own. With --repair it mends what it finds, and verifies again.
func (c *checkCommand) Run(s *session) error {
	if err := s.settle(&c.Config); err != nil {
		return err
	}
	faults, err := c.check(s)
	if err != nil {
		return err
	}
	if faults > 0 && c.Repair {
		fmt.Fprintf(s.stdout, "%s: %d faults; the state is made anew from its documents\n", c.Data, faults)
		err := app.Repair(s.ctx, &c.Config, c.Log.New(s.stderr), func(lost string) { fmt.Fprintln(s.stdout, lost) })
		if err != nil {
			return fmt.Errorf("check %s: not repaired: %w; if it stays so, %s", c.Data, err, anew)
		}
		if faults, err = c.check(s); err != nil {
			return err
		}
		if faults > 0 {
			return fmt.Errorf("check %s: %d faults in a state that was just made anew from its documents: %s", c.Data, faults, anew)
		}
	}
	if c.Sizes {
		sizes, err := app.Sizes(&c.Config, c.Log.New(s.stderr))
		if err != nil {
			return fmt.Errorf("check %s: sizes: %w", c.Data, err)
		}
		if err := printSizes(s.stdout, sizes); err != nil {
			return err
		}
	}
	if faults > 0 {
		return fmt.Errorf("check %s: %d faults; kilim check --repair makes the state anew from its documents", c.Data, faults)
	}
	return nil
}

// check prints what it finds.
func (c *checkCommand) check(s *session) (faults int, err error) {
	waiting, err := app.Check(&c.Config, c.Log.New(s.stderr), func(fault string) {
		faults++
		fmt.Fprintln(s.stdout, fault)
	})
	switch {
	case errors.Is(err, graphstore.ErrLocked):
		return faults, fmt.Errorf("check: %w", opened(c.Data, err, stopIt))
	case errors.Is(err, graphstore.ErrTable):
		return faults, fmt.Errorf("check %s: %w; this can't be repaired: %s", c.Data, err, anew)
	case err != nil:
		return faults, fmt.Errorf("check %s: %w", c.Data, err)
	case faults > 0:
		return faults, nil
	}
	fmt.Fprintf(s.stdout, "%s: no fault\n", c.Data)
	if waiting > 0 {
		fmt.Fprintf(s.stdout, "%d lists and vectors wait for a daemon's background, which makes them anew: stale ones, and those that other settings made\n", waiting)
	}
	return 0, nil
}
