package text

import (
	"fmt"
	"math"
)

// Config shapes an encoder.
type Config struct {
	// Dim is the length of the dense vector: a multiple of 8; default 256.
	Dim int
	// Seed chooses the hash functions and with them the projection.
	Seed uint64
}

// perTerm is the number of coordinates that a term goes to, one in each block of Dim/perTerm.
const perTerm = 8

// Encoder is safe for concurrent use.
type Encoder struct {
	cfg                          Config
	wordSeed, gramSeed, signSeed uint64
	block                        uint64
	// tf[n] is 1 + ln n.
	tf [64]float32
}

// Identity names what the vectors of an encoder depend on: vectors of two
// identities must not be compared.
type Identity struct {
	Name    string
	Version int
	Dim     int
	Seed    uint64
}

func (id Identity) String() string {
	return fmt.Sprintf("%s v%d, %d numbers, seed %d", id.Name, id.Version, id.Dim, id.Seed)
}

// NewEncoder returns the encoder of a configuration.
func NewEncoder(cfg Config) (*Encoder, error) {
	if cfg.Dim == 0 {
		cfg.Dim = 256
	}
	if cfg.Dim < perTerm || cfg.Dim%perTerm != 0 {
		return nil, fmt.Errorf("text: dim %d: must be a multiple of %d", cfg.Dim, perTerm)
	}
	e := &Encoder{
		cfg:      cfg,
		wordSeed: finish(cfg.Seed*3 + 1), gramSeed: finish(cfg.Seed*3 + 2), signSeed: finish(cfg.Seed*3 + 3),
		block: uint64(cfg.Dim / perTerm),
	}
	for n := range e.tf {
		e.tf[n] = float32(1 + math.Log(float64(max(n, 1))))
	}
	return e, nil
}

// Dim is the length of the dense vector.
func (e *Encoder) Dim() int { return e.cfg.Dim }

// Identity identifies the encoder.
func (e *Encoder) Identity() Identity {
	return Identity{Name: "words+ngrams", Version: 1, Dim: e.cfg.Dim, Seed: e.cfg.Seed}
}

// TF is the weight of a term that occurs n times.
func (e *Encoder) TF(n uint16) float32 {
	if int(n) < len(e.tf) {
		return e.tf[n]
	}
	return float32(1 + math.Log(float64(n)))
}

// Project writes the dense vector of a document to out, which has length Dim: of
// length 1, or all zeros for a document without terms. idf gives the weight of a bucket.
func (e *Encoder) Project(d *Doc, idf func(bucket uint32) float32, out []float32) {
	if len(out) != e.cfg.Dim {
		panic(fmt.Sprintf("text: project to %d numbers, the encoder has %d", len(out), e.cfg.Dim))
	}
	clear(out)
	for _, terms := range [2][]Term{d.Words, d.Grams} {
		for _, t := range terms {
			e.add(t, e.TF(t.Count)*idf(t.Bucket), out)
		}
	}
	var n float64
	for _, x := range out {
		n += float64(x) * float64(x)
	}
	if n == 0 {
		return
	}
	scale := float32(1 / math.Sqrt(n))
	for i := range out {
		out[i] *= scale
	}
}

// ProjectPlain is Project with all terms of equal weight: the vector does not
// depend on what else there is.
func (e *Encoder) ProjectPlain(d *Doc, out []float32) {
	e.Project(d, func(uint32) float32 { return 1 }, out)
}

// add adds the term's column, whose numbers are +-1 at one place of each block. (The
// factor 1/sqrt(perTerm) is left to the normalization.)
func (e *Encoder) add(t Term, weight float32, out []float32) {
	h := finish(mix(e.signSeed, uint64(t.Bucket)))
	for b := range perTerm {
		h = finish(h + 0x9e3779b97f4a7c15)
		at := uint64(b)*e.block + (h>>1)%e.block
		if h&1 == 0 {
			out[at] += weight
		} else {
			out[at] -= weight
		}
	}
}
