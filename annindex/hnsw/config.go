package hnsw

import "fmt"

// Config are the parameters of a graph. The zero value of a field, other than Dim's, is its default.
type Config struct {
	// Dim is the number of numbers of a vector.
	Dim int
	// M is the number of links that a new node gets on each level (paper: M); on
	// the lowest a node may have 2M (M_max0). Default 16.
	M int
	// EfConstruction is the number of candidates among which they are chosen. Default 200.
	EfConstruction int
	// Ef is the least number of candidates that Search keeps. Default 96. It keeps half as many more than the answers it is
	// asked for, too: of a real archive's embeddings (make bench-engines RECORDS=15252), asked for 201, it finds 0.979 so and
	// 0.960 with 201 candidates, since the last answers are found last; feeding takes as long.
	Ef int
	// Seed decides the levels.
	Seed uint64
	// Capacity is the number of vectors to make room for at once.
	Capacity int
	// Still and Far grade a move: see Graph.Put. Defaults 0.1 and 1.
	//
	// What is below Still costs a rewrite of the vector and nothing else. Twenty nudges of all vectors
	// (go run ./annindex/bench --tasks nudge, walters-svd-128 at ef 14) leave recall at 0.936 when each relinks, 0.938 with
	// Still 0.03 and 0.1, 0.935 with 0.3; a fresh graph's is 0.934. So 0.1 is the largest that loses nothing.
	// Beyond the mean distance of its neighbours, Far, a vector's old links no longer begin near to it.
	Still, Far float32
	// ScanBelow is the number of vectors up to which all are compared. Default 1,000; -1: none.
	ScanBelow int
}

const (
	defaultM              = 16
	defaultEfConstruction = 200
	defaultEf             = 96
	defaultStill          = 0.1
	defaultFar            = 1
	defaultScanBelow      = 1000
	maxM                  = 512
	maxDim                = 1 << 16
)

func (c Config) checked() (Config, error) {
	setInt := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	setInt(&c.M, defaultM)
	setInt(&c.EfConstruction, defaultEfConstruction)
	setInt(&c.Ef, defaultEf)
	setInt(&c.ScanBelow, defaultScanBelow)
	if c.Still == 0 {
		c.Still = defaultStill
	}
	if c.Far == 0 {
		c.Far = defaultFar
	}
	for _, f := range []struct {
		name         string
		value, least int
		most         int
	}{
		{"dimension", c.Dim, 1, maxDim},
		{"M", c.M, 2, maxM},
		{"EfConstruction", c.EfConstruction, 1, 1 << 20},
		{"Ef", c.Ef, 1, 1 << 20},
		{"Capacity", c.Capacity, 0, maxSlots},
		{"ScanBelow", c.ScanBelow, -1, maxSlots},
	} {
		if f.value < f.least || f.value > f.most {
			return c, fmt.Errorf("annindex: %s %d: must be %d to %d", f.name, f.value, f.least, f.most)
		}
	}
	if !(c.Still >= 0) || !(c.Far >= c.Still) {
		return c, fmt.Errorf("annindex: Still %v and Far %v: must be 0 or more, and Far no less than Still", c.Still, c.Far)
	}
	return c, nil
}

// few is the number of links to a slot, on the lowest level, below which others are made when one goes with a slot that
// is removed. Of a hundred slots of a graph that only grew one or two have fewer.
func (c Config) few() uint32 { return max(1, uint32(c.M)*3/4) }

// least is the number of links to a slot, on the lowest level, below which a choice takes none away: links to others go
// first. Without it a graph half of which is deleted has some hundredths of slots with one or two, that searches miss.
func (c Config) least() uint32 { return max(1, uint32(c.M)/4) }
