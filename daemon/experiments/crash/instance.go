package main

import (
	"fmt"
	"os"
	"path/filepath"

	"kilim/daemon/experiments/daemonproc"
)

// instance is what is killed: a state folder, whose daemons embed the broker with the feed and all that is published.
type instance struct {
	*daemonproc.Instance
	partitions int // of each topic
}

// newInstance makes the folder, with a model more than a new one has.
func newInstance(kilim, dir string, partitions int) (*instance, error) {
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, err
	}
	if err := addModels(data); err != nil {
		return nil, err
	}
	// Pictures are enough to be cut off while they are encoded: a recording takes ten times as long.
	i, err := daemonproc.NewInstance(kilim, data, "",
		"--index.engine", "flat", "--encoders.audio.kind", "none", "--refresh.epsilon", "0", "--refresh.sweep", "0", "--lists.tolerance", "0")
	return &instance{i, partitions}, err
}

// training has a daemon train as soon as it can, a little, and nothing else beside it.
var training = []string{"--train.share", "1", "--train.least", "100", "--train.changes", "0.01", "--train.stages", "full:30:0.008"}

func (i *instance) serve(trains bool) (*daemonproc.Process, error) {
	flags := []string{"--kafka.partitions", fmt.Sprint(i.partitions)}
	if trains {
		return i.Serve(append(flags, training...)...)
	}
	return i.Serve(append(flags, "--train.share", "0")...)
}
