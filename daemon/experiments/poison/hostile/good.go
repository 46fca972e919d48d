package hostile

import (
	"bytes"

	"kilim/daemon/demo"
)

// archive makes the good records: inserts, replacements, deletions and returns of the demo archive.
type archive struct {
	first    [][]byte // records by ordinal
	second   [][]byte // other forms, which replace them
	upcoming int
	live     []int // ordinals
	gone     []int
}

// Of the good records in 100 so many are not the first of their artifact, while there are any.
const (
	shareReplace = 14
	shareDelete  = 7
	shareReturn  = 3
)

// shareMedia: of so many artifacts one has its pictures and recordings with it. They take most of the time.
const shareMedia = 16

func newArchive(opt Options) (*archive, error) {
	a := &archive{}
	n := opt.Records*opt.Good/100 + 100
	withMedia := n/shareMedia + 1
	collect := func(into *[][]byte, o demo.Options) error {
		return demo.Each(o, func(record []byte, _ string) error {
			*into = append(*into, record)
			return nil
		})
	}
	if err := collect(&a.first, demo.Options{Artifacts: n, Seed: opt.Seed}); err != nil {
		return nil, err
	}
	if err := collect(&a.second, demo.Options{Artifacts: n, Seed: opt.Seed + 1}); err != nil {
		return nil, err
	}
	var rich [][]byte
	if err := collect(&rich, demo.Options{Artifacts: withMedia, Seed: opt.Seed, Media: true}); err != nil {
		return nil, err
	}
	for i, record := range rich { // among the others
		a.first[i*shareMedia%n] = bytes.Replace(record, []byte(quote(demo.ID(i))), []byte(quote(demo.ID(i*shareMedia%n))), 1)
	}
	for i := range n {
		for _, list := range [][][]byte{a.first, a.second} {
			// A link to the artifact itself would be refused; a replacement may have got one.
			if bytes.Contains(list[i], []byte(`"target":`+quote(demo.ID(i)))) {
				list[i] = []byte(`{"id":` + quote(demo.ID(i)) + `,"title":"A codex","type":["codex"]}`)
			}
		}
	}
	return a, nil
}

// next fills a good record.
func (a *archive) next(g *Generator, r *Record) {
	r.Family, r.Fate = "good", Applied
	dice := g.rng.IntN(100)
	take := func(from *[]int) int {
		i := g.rng.IntN(len(*from))
		ordinal := (*from)[i]
		(*from)[i] = (*from)[len(*from)-1]
		*from = (*from)[:len(*from)-1]
		return ordinal
	}
	var ordinal int
	switch {
	case dice < shareDelete && len(a.live) > 1:
		ordinal = take(&a.live)
		a.gone = append(a.gone, ordinal)
		r.ID, r.Note = demo.ID(ordinal), "deletion"
		g.remove(r)
		return
	case dice < shareDelete+shareReturn && len(a.gone) > 0:
		ordinal, r.Note = take(&a.gone), "return"
		r.Artifact = a.second[ordinal]
		a.live = append(a.live, ordinal)
	case dice < shareDelete+shareReturn+shareReplace && len(a.live) > 0 || a.upcoming == len(a.first):
		ordinal, r.Note = a.live[g.rng.IntN(len(a.live))], "replacement"
		r.Artifact = a.second[ordinal]
	default:
		ordinal = a.upcoming
		a.upcoming++
		r.Artifact = a.first[ordinal]
		a.live = append(a.live, ordinal)
	}
	r.ID = demo.ID(ordinal)
	if g.one(3) {
		g.wrap(r)
		return
	}
	r.Key, r.Value = []byte(r.ID), r.Artifact
}
