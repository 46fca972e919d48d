package hostile

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
)

// Options choose a feed.
type Options struct {
	Records int    // how many
	Seed    uint64 // another seed is another feed
	Good    int    // how many of 100 are good ones
	// Only chooses the families of the others; nil: all.
	Only *regexp.Regexp
	// Unpacked is the most bytes of a value that packs well, see packed.
	Unpacked int
	// Worst lets the others be those that take the most memory within all limits, see worst.
	Worst bool
}

// Generator makes the records of a feed.
type Generator struct {
	opt      Options
	rng      *rand.Rand
	good     *archive
	families []family
	weights  int
	next     int
	carriers [][]byte // files of pictures and recordings
	largest  []byte   // the picture of worstPicture, once it was made
}

// family makes extreme records of one kind. make fills a record that has its Seq and a free ID.
type family struct {
	name   string
	weight int // how often it is chosen, beside the others'
	make   func(g *Generator, r *Record)
}

// families are all of them.
var families = []family{
	{"texts", 6, texts}, {"terms", 8, terms}, {"labels", 4, labels}, {"hub", 5, hub}, {"themes", 3, themes}, {"everything", 3, everything},
	{"dates", 4, dates}, {"locations", 3, locations}, {"types", 6, types},
	{"json", 8, brokenJSON}, {"known", 6, known}, {"packed", 2, packed}, {"envelopes", 8, envelopes},
	{"ids", 7, ids}, {"keys", 5, keys}, {"links", 5, links}, {"chain", 5, chain}, {"star", 4, star}, {"collision", 1, collision},
	{"pictures", 5, pictures}, {"sounds", 5, sounds}, {"mutated", 5, mutated}, {"media", 5, media}, {"uris", 3, uris},
	{"vectors", 6, vectors}, {"encoders", 3, encoders}, {"headers", 7, headers}, {"tombstones", 3, tombstones},
}

// New makes a generator.
func New(opt Options) (*Generator, error) {
	g := &Generator{opt: opt, rng: rand.New(rand.NewPCG(opt.Seed, 18))}
	chosen := families
	if opt.Worst {
		chosen = worst
	}
	for _, f := range chosen {
		if opt.Only == nil || opt.Only.MatchString(f.name) {
			g.families = append(g.families, f)
			g.weights += f.weight
		}
	}
	if len(g.families) == 0 {
		return nil, fmt.Errorf("hostile: no family is named so; there are %s", strings.Join(Families(), ", "))
	}
	var err error
	if g.good, err = newArchive(opt); err != nil {
		return nil, err
	}
	g.carriers, err = carriers()
	return g, err
}

// Families are the names of all families.
func Families() (names []string) {
	for _, f := range families {
		names = append(names, f.name)
	}
	return names
}

// Next gives the next record, false after the last.
func (g *Generator) Next() (*Record, bool) {
	if g.next >= g.opt.Records {
		return nil, false
	}
	r := &Record{Seq: g.next}
	g.next++
	if g.rng.IntN(100) < g.opt.Good {
		g.good.next(g, r)
		return r, true
	}
	n := g.rng.IntN(g.weights)
	for _, f := range g.families {
		if n -= f.weight; n < 0 {
			r.Family, r.ID = f.name, extremeID(r.Seq)
			if g.one(6) {
				r.ID = extremeID(g.rng.IntN(r.Seq + 1)) // replaces an earlier one
			}
			f.make(g, r)
			break
		}
	}
	return r, true
}

// extremeID is the artifact of a record that is no good one.
func extremeID(seq int) string { return fmt.Sprintf("poison:%d", seq) }

// one has a chance of 1 in n.
func (g *Generator) one(n int) bool { return g.rng.IntN(n) == 0 }

func pick[T any](g *Generator, of ...T) T { return of[g.rng.IntN(len(of))] }

// size draws a number that is mostly small, sometimes anywhere up to a limit, and now and then at it or beyond.
func (g *Generator) size(limit int) int {
	switch n := g.rng.IntN(100); {
	case n < 62:
		return g.rng.IntN(min(limit, 20) + 1)
	case n < 92:
		bits := 1
		for 1<<bits < limit {
			bits++
		}
		return min(g.rng.IntN(1<<(1+g.rng.IntN(bits))), limit)
	case n < 97:
		return max(0, limit-1+g.rng.IntN(3))
	default:
		return limit + g.rng.IntN(limit+1)
	}
}

// quote is a string of JSON. What is not UTF-8 is replaced.
func quote(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err) // a string can be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// list is an array of JSON of n elements.
func list(n int, element func(i int) string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(element(i))
	}
	b.WriteByte(']')
	return b.String()
}

// send makes the record one of an artifact with the fields, in one of the envelopes now and then. A title makes sure that one
// field is known.
func (g *Generator) send(r *Record, fields ...string) {
	artifact := `{"id":` + quote(r.ID) + `,` + strings.Join(fields, ",") + `}`
	if !strings.Contains(artifact, `"title"`) {
		artifact = artifact[:len(artifact)-1] + `,"title":` + quote(g.words(4)) + `}`
	}
	g.put(r, artifact)
}

// put makes the record one of the artifact's JSON, as it is or in an envelope.
func (g *Generator) put(r *Record, artifact string) {
	r.Artifact = []byte(artifact)
	if g.one(5) && len(artifact) < 100_000 {
		g.wrap(r)
		return
	}
	r.Key, r.Value = []byte(r.ID), r.Artifact
}
