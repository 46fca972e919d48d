package search

import (
	"sync"

	"kilim/consumer/profile"
	"kilim/graphstore"
	"kilim/graphstore/weave"
)

// Analyzer cuts texts into words, those of any spelling of one word alike.
type Analyzer interface {
	Words(t weave.Text) []string
}

// Archive gives committed states of the graph.
type Archive interface {
	View(fn func(*graphstore.Reader) error) error
}

// Index finds artifacts. It is safe for concurrent use.
type Index struct {
	archive Archive
	words   Analyzer

	lock sync.RWMutex
	// ids are the artifacts by their numbers, from 1 on, which ascend as they are indexed; "" is one that is gone, or has
	// another number since.
	ids     []string
	nodes   []graphstore.NodeID // of the artifacts by their numbers: to make one takes a hash
	facets  [][]uint32          // of the artifacts by their numbers: places in values
	numbers map[string]uint32
	terms   map[string]*postings
	values  []value
	places  map[string]uint32 // in values, by term
	ready   bool

	pending pending
}

// value is a culture, period or type.
type value struct {
	kind, label string
	count       int
}

const (
	mostWords = 256 // of an artifact
	wordBytes = 64
	// leastDead is the number of artifacts that are gone below which it is not worth to drop them from the postings.
	leastDead = 1024
)

// New returns an empty index, which Run fills.
func New(archive Archive, words Analyzer) *Index {
	x := &Index{archive: archive, words: words, pending: newPending()}
	x.clear()
	return x
}

func (x *Index) clear() {
	x.ids, x.nodes, x.facets = []string{""}, []graphstore.NodeID{0}, [][]uint32{nil}
	x.numbers, x.terms, x.places, x.values = map[string]uint32{}, map[string]*postings{}, map[string]uint32{}, nil
}

// entry is what the index keeps of an artifact.
type entry struct {
	id     string
	terms  []string // each once
	facets []facet
}

type facet struct{ kind, label string }

// Terms that are no words begin with a byte that no word has.
const (
	titleMark = "\x01"
	facetMark = "\x02"
	mediaMark = "\x03"
)

func termOf(kind, label string) string {
	return facetMark + kind + "\x00" + graphstore.NormalizeLabel(label)
}

// entryOf reads what an artifact is found by.
func (x *Index) entryOf(a *profile.Artifact) entry {
	e := entry{id: a.ID}
	seen := map[string]bool{}
	add := func(term string) {
		if !seen[term] {
			seen[term] = true
			e.terms = append(e.terms, term)
		}
	}
	for _, w := range x.wordsOf(weave.Title(a)) {
		if len(seen) < mostWords {
			add(titleMark + w)
			add(w)
		}
	}
	for _, t := range weave.Texts(a) {
		for _, w := range x.wordsOf(t) {
			if len(seen) < mostWords {
				add(w)
			}
		}
	}
	for _, f := range []struct {
		kind  string
		terms []profile.Term
	}{{Culture, a.Culture}, {Period, a.Period}, {Type, a.Type}} {
		for _, t := range f.terms[:min(len(f.terms), 8)] {
			label := t.Text()
			if term := termOf(f.kind, label); len(label) <= 4*wordBytes && !seen[term] {
				add(term)
				e.facets = append(e.facets, facet{f.kind, label})
			}
		}
	}
	for i := range a.Media {
		add(mediaMark + a.Media[i].Kind)
	}
	return e
}

// textBytes is how far a text is read: the words of an artifact are bounded anyway.
const textBytes = 16 << 10

func (x *Index) wordsOf(t weave.Text) []string {
	t.Body = t.Body[:min(len(t.Body), textBytes)]
	words := x.words.Words(t)
	for i, w := range words {
		words[i] = w[:min(len(w), wordBytes)]
	}
	return words
}

// put indexes an artifact in the place of what was indexed of it before.
func (x *Index) put(e entry) {
	node := graphstore.ID(graphstore.Artifact, e.id)
	x.lock.Lock()
	defer x.lock.Unlock()
	x.drop(e.id)
	n := uint32(len(x.ids))
	x.ids, x.nodes = append(x.ids, e.id), append(x.nodes, node)
	x.numbers[e.id] = n
	for _, term := range e.terms {
		p := x.terms[term]
		if p == nil {
			p = &postings{}
			x.terms[term] = p
		}
		p.add(n)
	}
	places := make([]uint32, 0, len(e.facets))
	for _, f := range e.facets {
		term := termOf(f.kind, f.label)
		at, ok := x.places[term]
		if !ok {
			at = uint32(len(x.values))
			x.values = append(x.values, value{kind: f.kind, label: f.label})
			x.places[term] = at
		}
		x.values[at].count++
		places = append(places, at)
	}
	x.facets = append(x.facets, places)
}

func (x *Index) remove(id string) {
	x.lock.Lock()
	defer x.lock.Unlock()
	x.drop(id)
}

// drop is called with the lock held. It leaves the number in the postings, where it finds nothing, until half of the numbers are such.
func (x *Index) drop(id string) {
	n, ok := x.numbers[id]
	if !ok {
		return
	}
	delete(x.numbers, id)
	for _, at := range x.facets[n] {
		x.values[at].count--
	}
	x.ids[n], x.facets[n] = "", nil
	if dead := len(x.ids) - 1 - len(x.numbers); dead > leastDead && dead > len(x.numbers) {
		x.compact()
	}
}

// compact gives the artifacts that are there new numbers in the same order.
func (x *Index) compact() {
	renamed := make([]uint32, len(x.ids))
	ids, nodes, facets := []string{""}, []graphstore.NodeID{0}, [][]uint32{nil}
	for n, id := range x.ids {
		if id == "" {
			continue
		}
		renamed[n] = uint32(len(ids))
		x.numbers[id] = renamed[n]
		ids, nodes, facets = append(ids, id), append(nodes, x.nodes[n]), append(facets, x.facets[n])
	}
	for term, p := range x.terms {
		var kept postings
		for _, n := range p.all(func(n uint32) bool { return x.ids[n] != "" }) {
			kept.add(renamed[n])
		}
		if kept.count == 0 {
			delete(x.terms, term)
			continue
		}
		x.terms[term] = &kept
	}
	x.ids, x.nodes, x.facets = ids, nodes, facets
}
