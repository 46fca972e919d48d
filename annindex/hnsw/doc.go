// Package hnsw is a graph for finding nearest vectors, after Malkov and Yashunin,
// "Efficient and robust approximate nearest neighbor search using Hierarchical
// Navigable Small World graphs" (2018), Algorithms 1 to 5, made for vectors that move and go.
// Similarity is the inner product: the cosine of unit vectors.
//
// # Memory
//
// A vector has a slot: a number below the capacity of the arena, in whose arrays its float32 vector, its codes and
// its lists of links lie at places that follow from the number. A slot that was given up is used again. When all are in
// use the arena is copied to one an eighth larger (more while it is small), when half are not, to a smaller one: memory follows the living.
//
// Searches walk by 8-bit codes (each number of a vector divided by a scale of the vector's; the
// query's have 16 bits) and score what they found anew with the float32 vectors. The
// codes are a quarter of the memory to be fetched, and that is what a walk waits for; scores are exact.
//
// # Moves and removals
//
// See Graph.Put for how a move is graded, and restless for what it does to those around. A slot that is removed is dead: searches may walk through it, but
// do not answer with it. Each slot counts the links to it. A removal takes away those it finds among the neighbours and their
// neighbours. Should the count say that there are more links to it, the slot waits in limbo until a sweep has found them. A choice
// takes no link from a slot in use to which only M/4 lead on the lowest level, while others can be spared; its last link
// stays, or another one is made.
//
// After a move the dead slot's nearest neighbour takes its place in lists that do not hold it yet: those are the ones
// that lead from afar, and the way stays. The others, most of them, hold it; they get shorter, and one that becomes short is filled
// up from the links of its links (mend.go); one loss in 64 is made up for by a search (renew.go). So a list is looked at whole once in several losses. The obvious way, an heir chosen for each
// list at each loss, scores the dead slot's neighbours for every list around it, and cost more than the insertion.
//
// After a deletion, where nothing is inserted beside, each list on the lowest level that led to the dead slot is chosen anew (Algorithm 4),
// the dead slot's own links among the candidates, and one in eight is searched anew (renew.go). Filling up is not enough
// there: of a graph half of which is deleted it leaves lists of slots that lie together.
//
// None of this looks at the ways from the entry, and they wear out. So a vector that moved a little, one that a removed slot led to but
// that did not lead back, and one in 16 of those that lose a link of their own, is searched for as by a query, with fewer candidates;
// one that is not found is linked as if it were inserted (way.go).
//
// # Concurrency
//
// Searches take no locks and never wait. They read lists and codes while these change, word by word; a link always
// leads to a slot, and a code that is half old and half new only makes the walk look elsewhere. What
// they answer with, the id and the exact score, is read between two looks at the slot's
// sequence number (a seqlock): never a torn vector, never an id with the score of another.
//
// Changes of different ids run concurrently; each holds the lock of one list at a time. Copying
// the arena and writing a snapshot wait for changes to end and let none begin; searches go on in the old arena.
package hnsw
