package main

import (
	"fmt"

	"kilim/daemon/app"
	"kilim/daemon/config"
)

type rereadCommand struct{ config.Config }

// Help is shown by kilim reread --help.
func (rereadCommand) Help() string {
	return `A state remembers which log its offsets are of, and the daemon refuses to read on in another one: in a topic that was deleted and made anew, or on another cluster. When the new log follows the old one, or has all that is stored and more, this command lets the daemon read it from its beginning; artifacts that are not in it stay. When it replaces the old one, begin with an empty data folder instead.`
}

// Run forgets the offsets of a state folder.
func (c *rereadCommand) Run(s *session) error {
	if err := s.settle(&c.Config); err != nil {
		return err
	}
	n, err := app.ForgetOffsets(&c.Config, c.Log.New(s.stderr))
	if err != nil {
		return fmt.Errorf("reread %s: %w", c.Data, err)
	}
	fmt.Fprintf(s.stdout, "%s: the offsets of %d partitions are forgotten; the next start reads the topic from its beginning\n", c.Data, n)
	return nil
}
