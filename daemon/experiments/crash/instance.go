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

func (i *instance) serve() (*daemonproc.Process, error) {
	return i.Serve("--kafka.partitions", fmt.Sprint(i.partitions))
}
