package main

import "kilim/daemon/config"

type configCommand struct{ config.Config }

// Help is shown by kilim config --help.
func (configCommand) Help() string {
	return `The output is a file that --config reads. Each key has its help, its environment variable and where its value came from. The password is not printed, and of an address neither a user nor the values of its query: where those are, the file is refused until the whole address stands there.`
}

// Run prints the settings. Those with faults are not printed: what a daemon refuses must not end in a file.
func (c *configCommand) Run(s *session) error {
	if err := s.settle(&c.Config); err != nil {
		return err
	}
	return c.Config.Print(s.stdout, s.loader.Source)
}
