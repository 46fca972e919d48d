package search

import (
	"cmp"
	"slices"
	"strings"

	"kilim/graphstore"
	"kilim/graphstore/weave"
)

// The fields that a Query may ask for by their terms.
const (
	Culture = "culture"
	Period  = "period"
	Type    = "type"
)

// Query asks for artifacts.
type Query struct {
	// Words are all to be there, or are an artifact's id.
	Words string
	// Fields are a culture, a period and a type, by these names; what is missing or empty is not asked for.
	Fields map[string]string
	// Media are kinds of media, as in package profile, that are all to be there.
	Media []string
	// After is the last id of the answer before, to go on behind it; an id that is not among the artifacts found begins anew.
	After string
	Limit int
}

// Answer is what was found.
type Answer struct {
	IDs []string
	// Total is the number of all that is found, More tells that some are behind IDs.
	Total int
	More  bool
	// Indexed is the number of artifacts that are known to the index, Ready tells that all have been read that were there at its start.
	Indexed int
	Ready   bool
}

// Find answers a query.
func (x *Index) Find(q Query) Answer {
	words := x.wordsOf(weave.Text{Body: q.Words})
	x.lock.RLock()
	defer x.lock.RUnlock()
	found := x.match(q, words)
	a := Answer{Total: len(found), Indexed: len(x.numbers), Ready: x.ready}
	from := 0
	if n, ok := x.numbers[q.After]; ok && q.After != "" {
		from = slices.Index(found, n) + 1 // 0 when it is not there
	}
	to := min(from+max(q.Limit, 1), len(found))
	for _, n := range found[from:to] {
		a.IDs = append(a.IDs, x.ids[n])
	}
	a.More = to < len(found)
	return a
}

// match are the numbers of what is found, in the order of an Answer.
func (x *Index) match(q Query, words []string) []uint32 {
	var filters []string
	for _, kind := range []string{Culture, Period, Type} {
		if label := q.Fields[kind]; label != "" {
			filters = append(filters, termOf(kind, label))
		}
	}
	for _, kind := range q.Media {
		filters = append(filters, mediaMark+kind)
	}
	found := x.having(append(slices.Clone(words), filters...))
	if len(words) > 0 {
		titled := slices.Clone(filters)
		for _, w := range words {
			titled = append(titled, titleMark+w)
		}
		found = before(x.having(titled), found)
	}
	// Words without a letter, and ids that are cut into words, find by the id alone.
	n, ok := x.numbers[strings.TrimSpace(q.Words)]
	switch {
	case ok:
		found = append([]uint32{n}, slices.DeleteFunc(found, func(m uint32) bool { return m == n })...)
	case len(words) == 0 && strings.TrimSpace(q.Words) != "":
		return nil
	}
	return found
}

// before puts first, which is a part of all, before the rest of all. Both descend.
func before(first, all []uint32) []uint32 {
	out, next := append(make([]uint32, 0, len(all)), first...), 0
	for _, n := range all {
		if next < len(first) && first[next] == n {
			next++
		} else {
			out = append(out, n)
		}
	}
	return out
}

// having are the numbers of the artifacts that have all terms, the newest first; all artifacts when there are none.
func (x *Index) having(terms []string) []uint32 {
	var lists []*postings
	for _, term := range terms {
		p := x.terms[term]
		if p == nil {
			return nil
		}
		lists = append(lists, p)
	}
	live := func(n uint32) bool { return x.ids[n] != "" }
	var found []uint32
	if len(lists) == 0 {
		for n := range x.ids {
			if live(uint32(n)) {
				found = append(found, uint32(n))
			}
		}
	} else {
		slices.SortFunc(lists, func(a, b *postings) int { return cmp.Compare(a.count, b.count) })
		found = lists[0].all(live)
		for _, p := range lists[1:] {
			found = p.and(found)
		}
	}
	slices.Reverse(found)
	return found
}

// Value is a culture, period or type, and how many artifacts have it.
type Value struct {
	Label string `json:"label"`
	Count int    `json:"count"`
}

// Values are the most frequent cultures, periods and types, at most so many each.
func (x *Index) Values(most int) map[string][]Value {
	x.lock.RLock()
	defer x.lock.RUnlock()
	out := map[string][]Value{Culture: {}, Period: {}, Type: {}}
	for _, v := range x.values {
		if v.count > 0 {
			out[v.kind] = append(out[v.kind], Value{v.label, v.count})
		}
	}
	for kind, values := range out {
		slices.SortFunc(values, func(a, b Value) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Label, b.Label)) })
		out[kind] = values[:min(len(values), most)]
	}
	return out
}

// Labels tells of each artifact its first culture, period or type.
type Labels struct {
	Nodes []graphstore.NodeID // of the artifacts that have one
	Of    []uint32            // and the places of theirs in Names
	Names []string
}

// Labels are those of a kind.
func (x *Index) Labels(kind string) Labels {
	x.lock.RLock()
	defer x.lock.RUnlock()
	l := Labels{Nodes: make([]graphstore.NodeID, 0, len(x.numbers)), Of: make([]uint32, 0, len(x.numbers)), Names: make([]string, len(x.values))}
	for at := range x.values {
		l.Names[at] = x.values[at].label
	}
	for n, places := range x.facets {
		for _, at := range places {
			if x.values[at].kind == kind {
				l.Nodes, l.Of = append(l.Nodes, x.nodes[n]), append(l.Of, at)
				break
			}
		}
	}
	return l
}
