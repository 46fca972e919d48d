package tape

import "slices"

// Pairs are the entries of Edges by row and relation: a pair is a row with one relation by which it reads.
type Pairs struct {
	// Rows have, for each row of the Edges, an entry with each of its pairs, of the pair's relation and weight 1.
	Rows *Edges
	// row is that of each pair, and of each entry of the Edges pair.
	row, pair []int32
	// entries are those of the Edges, pair by pair: pair k has start[k] .. start[k+1]-1.
	entries, start []int32
	// relations are those that there are; the pairs of relations[i] are byRelation[ends[i-1]:ends[i]].
	relations, byRelation, ends []int32
}

// Len is the number of pairs.
func (p *Pairs) Len() int { return len(p.row) }

// Pairs keeps its result because the modalities of a view often share their edges.
func (e *Edges) Pairs() *Pairs {
	p := e.pairs.Load()
	if p == nil {
		p = e.makePairs()
		e.pairs.Store(p)
	}
	return p
}

func (e *Edges) makePairs() *Pairs {
	p := &Pairs{pair: make([]int32, len(e.relation)), start: []int32{0}}
	var rows edgeList
	of := map[int32][]int32{} // of each relation its pairs
	for r := range int32(e.Rows()) {
		first := int32(len(p.row))
		var own []int32 // relations, in the order in which the row has them
		for k := e.csr.Start[r]; k < e.csr.Start[r+1]; k++ {
			at := slices.Index(own, e.relation[k])
			if at < 0 {
				at = len(own)
				own = append(own, e.relation[k])
			}
			p.pair[k] = first + int32(at)
		}
		for at, relation := range own {
			n := first + int32(at)
			for k := e.csr.Start[r]; k < e.csr.Start[r+1]; k++ {
				if p.pair[k] == n {
					p.entries = append(p.entries, k)
				}
			}
			p.row, p.start = append(p.row, r), append(p.start, int32(len(p.entries)))
			if of[relation] == nil {
				p.relations = append(p.relations, relation)
			}
			of[relation] = append(of[relation], n)
			rows.add(n, 1, relation)
		}
		rows.end()
	}
	for _, relation := range p.relations {
		p.byRelation = append(p.byRelation, of[relation]...)
		p.ends = append(p.ends, int32(len(p.byRelation)))
	}
	p.Rows = rows.edges(len(p.row))
	return p
}
