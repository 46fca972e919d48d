// Package hnsw finds nearest vectors by a graph, after Malkov and Yashunin, "Efficient and robust approximate nearest
// neighbor search using Hierarchical Navigable Small World graphs" (2018), Algorithms 1 to 5. Beyond the paper, vectors
// move and are deleted. Similarity is the inner product, which is the cosine of unit vectors.
//
// Its types are Graph and Config. In come ids (uint64) and vectors (float32) by Graph.Put, Graph.Delete and
// Graph.Restore; out go ids with their exact scores by Graph.Search and the like, and a file by Graph.Snapshot. Package
// hnsw must not know what an id stands for, and normalizes no vector: package annindex does.
//
// # Memory (arena.go, compact.go)
//
// Each vector has a slot, a number below arena.slots. The slot's float32 vector, its 8-bit codes and its lists of links
// lie in arrays at places that follow from the number. A free slot is used again. Graph.growArena copies a full arena
// to one an eighth larger (more while it is small), Graph.shrinkArena one that is less than half used to a smaller one,
// so memory follows the number of vectors.
//
// A search walks by the codes: each number of a vector, divided by a scale of that vector, in 8 bits, and the query's
// in 16 bits. It scores what it found again with the float32 vectors (scratch.collect). A walk waits for memory, and
// the codes are a quarter of it; the scores are exact all the same.
//
// # Moves (move.go, relink.go)
//
// Graph.Put says which of three things a move does, by its length: rewrite the vector, relink it where it is, or insert
// it at a new slot and remove the old one. A slot that did not move itself is relinked when its neighbours have moved
// enough (neighbourDriftLimit).
//
// # Removals (remove.go, repair.go)
//
// A slot is removed by Graph.Delete and by a move to a new slot. It is dead at once: searches may walk through it, but
// do not answer with it. Lists still lead to it, and each is repaired.
//
//   - Graph.detach finds those lists among the slot's neighbours and their neighbours. arena.inDegree counts the links
//     to each slot, so detach knows whether it found all. If not, the slot waits in Graph.pendingFree until
//     Graph.consolidate has looked through all lists.
//   - After a move (refill), Graph.redirect puts the dead slot's nearest neighbour, its replacement, in the dead slot's
//     place where a list does not lead to the replacement yet. Those are the lists that lead there from afar, so long
//     links are kept. Most lists around the dead slot do lead to the replacement; they get shorter, and
//     Graph.refillList fills up a list that became short. A list is looked at whole once in several losses. The obvious
//     design, a replacement chosen for each list at each loss, scores the dead slot's neighbours for every list around
//     it, and cost more than the insertion.
//   - After a deletion (reselect), Graph.reselectWithout chooses each list on the lowest level anew (Algorithm 4), with
//     the dead slot's own links among the candidates. No insertion nearby improves these lists; refilled ones would, in
//     a graph half of which is deleted, lead to slots that all lie together.
//   - Graph.maybeRelink lets one loser of a link in 64 (one in 8 after deletions) choose its links anew by a search.
//
// A choice of links takes none from a slot with an in-degree of Config.minInDegree, as long as it can take others
// (Graph.storeChosen), and the last link to a slot stays or is replaced (Graph.addInLinks, Graph.forceInLink).
//
// # Reachability (reachability.go)
//
// Repairs look only at the surroundings of a slot, never at the path from the entry to it, and such paths decay. So
// Graph.keepReachable searches for a slot as a query would, with fewer candidates, and links it as if it were inserted
// if the search does not find it. It is called for a slot that moved a little, for one that a freed slot led to but
// that did not lead back, and for one in 16 of those that lose a link.
//
// # Concurrency
//
// Searches take no locks and never wait. They read lists and codes while these change, word by word. A link always
// leads to a slot of the arena, and a code that is half old and half new only makes a walk look elsewhere. What a
// search answers with, the id and the exact score, it reads between two reads of the slot's state (a seqlock): never a
// torn vector, never an id with the score of another.
//
// Changes of different ids run concurrently. A change holds Graph.arenaLock for reading, its id's lock, and the lock of
// one list at a time. Copying the arena and writing a snapshot hold Graph.arenaLock for writing: they wait for changes
// to end and let none begin. Searches go on in the old arena.
package hnsw
