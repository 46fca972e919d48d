package hnsw

import "fmt"

// Config are the parameters of a graph. The zero value of a field, other than Dim's, is its default.
type Config struct {
	// Dim is the number of numbers of a vector.
	Dim int
	// M is the number of links that a new slot gets on each level (the paper's M). A slot may have 2M on the lowest
	// level (M_max0) and M on the others. Default 16.
	M int
	// EfConstruction is the number of candidates among which an insertion chooses links (efConstruction). Default 200.
	EfConstruction int
	// Ef is the least number of candidates that Search keeps. Default 96. Search keeps 3/2 of the k answers that it is
	// asked for if that is more: asked for 201 of a real archive's embeddings (make bench-engines RECORDS=15252), it
	// finds 0.979 with 301 candidates and 0.960 with 201, since a search finds the last answers last; feeding takes as
	// long.
	Ef int
	// Seed decides the levels.
	Seed uint64
	// Capacity is the number of vectors to make room for at once.
	Capacity int
	// RelinkBeyond and ReinsertBeyond are lengths of moves in mean distances of the moved vector's neighbours: Put
	// relinks a vector that has moved by more than RelinkBeyond, and inserts one that moves by more than ReinsertBeyond
	// anew. Defaults 0.1 and 1.
	//
	// Below RelinkBeyond a move costs a rewrite of the vector and nothing else. Twenty nudges of all vectors (go run
	// ./annindex/bench --tasks nudge, walters-svd-128 at ef 14) leave recall at 0.936 when each relinks, 0.938 with
	// RelinkBeyond 0.03 and 0.1, 0.935 with 0.3; a fresh graph's is 0.934. So 0.1 is the largest that loses nothing.
	// The old links of a vector that moved by more than the mean distance of its neighbours (ReinsertBeyond 1) no
	// longer lead to where it is.
	RelinkBeyond, ReinsertBeyond float32
	// ScanBelow is the number of vectors up to which Search compares with all instead of walking. Default 1,000; -1:
	// never.
	ScanBelow int
}

const (
	defaultM              = 16
	defaultEfConstruction = 200
	defaultEf             = 96
	defaultRelinkBeyond   = 0.1
	defaultReinsertBeyond = 1
	defaultScanBelow      = 1000
	maxM                  = 512
	maxDim                = 1 << 16
)

// withDefaults returns c with its defaults filled in, or an error that names the field that is out of its range.
func (c Config) withDefaults() (Config, error) {
	setInt := func(field *int, value int) {
		if *field == 0 {
			*field = value
		}
	}
	setInt(&c.M, defaultM)
	setInt(&c.EfConstruction, defaultEfConstruction)
	setInt(&c.Ef, defaultEf)
	setInt(&c.ScanBelow, defaultScanBelow)
	if c.RelinkBeyond == 0 {
		c.RelinkBeyond = defaultRelinkBeyond
	}
	if c.ReinsertBeyond == 0 {
		c.ReinsertBeyond = defaultReinsertBeyond
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
	if !(c.RelinkBeyond >= 0) || !(c.ReinsertBeyond >= c.RelinkBeyond) {
		return c, fmt.Errorf("annindex: RelinkBeyond %v and ReinsertBeyond %v: must be 0 or more, the second no less than the first",
			c.RelinkBeyond, c.ReinsertBeyond)
	}
	return c, nil
}

// lowInDegree is the in-degree, on the lowest level, below which Graph.freeSlot and Graph.addInLinks give a slot more
// links when it loses one to a removal. Of a hundred slots of a graph that only grew, one or two have fewer.
func (c Config) lowInDegree() uint32 { return max(1, uint32(c.M)*3/4) }

// minInDegree is the in-degree, on the lowest level, below which Graph.storeChosen takes no link from a slot while it
// can take one from another. Without it a graph half of which is deleted has some hundredths of slots with an in-degree
// of one or two, which searches miss.
func (c Config) minInDegree() uint32 { return max(1, uint32(c.M)/4) }
