package main

import (
	"errors"
	"fmt"

	"kilim/graphstore"
)

// opened explains why a command could not work with a state folder: mostly because a daemon does. instead is what to do then.
func opened(data string, err error, instead string) error {
	if errors.Is(err, graphstore.ErrLocked) {
		return fmt.Errorf("a daemon, or another command, has %s open: %s", data, instead)
	}
	return err
}

// stopIt is what to do where only the one process that has a folder open can work with it.
const stopIt = "stop it first"
