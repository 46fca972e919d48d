package hnsw

// probeEf is the number of candidates of reaches, on the lowest level and on the one above. It is smaller than any
// query's, so keepReachable repairs a path before queries miss what it leads to.
const probeEf = 4

// keepReachable links a slot as if it were inserted, if a short search from the entry no longer reaches it.
//
// Links that are chosen around a vector (relink), or taken from what a removal leaves (refill), do not keep the path
// from the entry. A choice drops one of the long links now and then, and only an insertion, which comes from the entry,
// makes new ones. The recall of queries that end in the midst of a cluster does not show the loss: after sixteen
// rounds, in each of which all of clustered-20k-128 turn to a cosine of 0.98, it was better than a fresh graph's, while
// searches with 64 candidates did not find 3 of a hundred vectors by themselves, and twice as many after each two
// rounds more. With keepReachable it is 1 in 20,000, and one to four of a hundred moves are linked again. A group of
// records that hardly differ has all its links within the group, and is lost as a whole: in one of twenty rounds of a
// turnover of walters-svd-128 some fifty were.
func (g *Graph) keepReachable(s *scratch, slot uint32) {
	if _, ok := s.arena.read(slot, s.vector); ok && !g.reaches(s, slot, s.vector) {
		g.link(s, slot, s.vector, reinsertParams(&g.cfg))
	}
}

// reaches tells whether a short search for vec, the vector of a slot, finds the slot or another that is as near.
func (g *Graph) reaches(s *scratch, slot uint32, vec []float32) bool {
	s.setQuery(vec)
	if !s.walk(probeEf, probeEf) {
		return true // the graph is empty: the slot was removed just now
	}
	s.chosenSlots[0] = slot
	s.arena.rows.Scores(s.query, s.chosenSlots, 1, s.chosenScores)
	return scoreOf(s.pool[0]) >= s.chosenScores[0]
}
