package text

import (
	"fmt"
	"math"
	"sync"
)

// Config shapes an Encoder.
type Config struct {
	// Dim is the number of coordinates of a feature vector, 4..65536; what is beyond a
	// multiple of 4 stays 0. 0 stands for 256.
	Dim int
	// Seed chooses the hash functions, and with them the projection.
	Seed uint64
	// Spellings are read beside the built-in ones; nil: none.
	Spellings *Spellings
}

const (
	wordBits  = 18
	gramBits  = 18
	soundBits = 17

	firstWord  = 0
	firstGram  = firstWord + 1<<wordBits
	firstSound = firstGram + 1<<gramBits

	// Buckets is the number of buckets: those of the words, of the grams, and
	// of the sounds.
	Buckets = firstSound + 1<<soundBits

	defaultDim = 256
	maxDim     = 1 << 16

	// nonZeros is the number of nonzero entries of a column of the projection.
	// A text has hundreds of terms, over which more would gain nothing.
	nonZeros = 4

	// wordShare, soundShare and gramShare are the parts of the squared length that words, sounds and
	// grams have in the vector of a text. Words count for less than they seem to: their grams repeat them.
	wordShare  = 0.15
	soundShare = 0.35
	gramShare  = 0.5
)

// Identity names an encoder: vectors of encoders with equal identities can be
// compared, others cannot.
type Identity struct {
	Name    string
	Version int // of the algorithm with its constants
	Dim     int
	Seed    uint64
	// Spellings is the hash of those of a user, "" without.
	Spellings string
}

func (id Identity) String() string {
	text := fmt.Sprintf("%s v%d, %d numbers, seed %d", id.Name, id.Version, id.Dim, id.Seed)
	if id.Spellings != "" {
		text += ", spellings " + id.Spellings
	}
	return text
}

// Encoder analyzes and projects texts. It is immutable and safe for concurrent
// use.
type Encoder struct {
	cfg                Config
	base               uint64 // of the polynomial hash
	wordSalt, gramSalt uint64 // of its finish
	soundSalt          uint64
	columns            uint64 // salt of the projection
	block              uint64 // coordinates in each of the nonZeros blocks
	letters            *letters
	lexicon            lexicon
	sounds             sounds
	languages          *languages
	tf                 [tfSize]float32
	analyzers          sync.Pool // of *analyzer
	scratch            sync.Pool // of *[]float32, twice Dim long
}

// NewEncoder returns the encoder of a configuration.
func NewEncoder(cfg Config) (*Encoder, error) {
	if cfg.Dim == 0 {
		cfg.Dim = defaultDim
	}
	if cfg.Dim < nonZeros || cfg.Dim > maxDim {
		return nil, fmt.Errorf("text: dim %d: want %d..%d", cfg.Dim, nonZeros, maxDim)
	}
	e := &Encoder{
		cfg:       cfg,
		base:      mix(cfg.Seed^0x9e3779b97f4a7c15) | 1,
		wordSalt:  mix(cfg.Seed ^ 0xd1b54a32d192ed03),
		gramSalt:  mix(cfg.Seed ^ 0x2545f4914f6cdd1d),
		columns:   mix(cfg.Seed ^ 0x8cb92ba72f3d8dd7),
		block:     uint64(cfg.Dim / nonZeros),
		soundSalt: mix(cfg.Seed ^ 0x71c9bf54ad3e2691),
		sounds:    newSounds(),
		letters:   lettersFor(cfg.Spellings),
		languages: newLanguages(),
	}
	if cfg.Spellings != nil {
		e.lexicon = e.newLexicon(cfg.Spellings)
	}
	for n := range e.tf {
		e.tf[n] = float32(1 + math.Log(float64(max(n, 1))))
	}
	e.analyzers.New = func() any { return newAnalyzer(e) }
	e.scratch.New = func() any {
		v := make([]float32, 2*cfg.Dim)
		return &v
	}
	return e, nil
}

// Dim is the number of coordinates of a feature vector.
func (e *Encoder) Dim() int { return e.cfg.Dim }

// Identity names the encoder. Its version also counts what package weave gives it to read: 5 is without markup.
func (e *Encoder) Identity() Identity {
	id := Identity{Name: "words+grams", Version: 5, Dim: e.cfg.Dim, Seed: e.cfg.Seed}
	if e.cfg.Spellings != nil {
		id.Spellings = e.cfg.Spellings.Hash()
	}
	return id
}

// mix is the finisher of splitmix64 (Steele, Lea, Flood 2014): every bit of x
// reaches every bit of the result.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
