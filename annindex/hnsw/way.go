package hnsw

// probe is the number of candidates, on the lowest level and on the one above, of the search by which a slot has to be found. It is
// shorter than any query's, so that a way is mended before a query misses what it leads to.
const probe = 4

// keepWay links a slot as if it were inserted again, if the way there from the entry has worn out.
//
// Links that are chosen around where a vector is, or taken from what a removal leaves, say nothing of that way. Of the links
// that lead far a choice drops one now and then, and only an insertion, which comes from the entry, makes others. What is lost then is
// not seen in the recall of queries that end in the midst of a cluster: after sixteen rounds in each of which all of
// clustered-20k-128 turn to a cosine of 0.98 it was better than a fresh graph's, while searches with 64 candidates did not
// find 3 of a hundred vectors by themselves, and twice as many with each two rounds. With this it is 1 in 20,000, for one to four
// of a hundred moves linked again. A group of records that hardly differ has all its links among themselves, and goes whole: in one of
// twenty rounds of a turnover of walters-svd-128 some fifty did.
func (g *Graph) keepWay(s *scratch, slot uint32) {
	if _, ok := s.arena.read(slot, s.vector); ok && !g.leadsTo(s, slot, s.vector) {
		g.link(s, slot, s.vector, relinking(&g.cfg))
	}
}

// leadsTo tells whether a short search for the vector of a slot ends there, or at another that is as near.
func (g *Graph) leadsTo(s *scratch, slot uint32, vec []float32) bool {
	s.ask(vec)
	if !s.walk(probe, probe) {
		return true // removed just now, with all others
	}
	s.some[0] = slot
	s.arena.rows.Scores(s.query, s.some, 1, s.marks)
	return scoreOf(s.pool[0]) >= s.marks[0]
}
