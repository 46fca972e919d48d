// Package refresh keeps the embeddings of a growing graph current by recomputing only what the arrival, change or
// departure of an artifact can have moved.
//
// A Refresher is long-lived: it has the Model and the queue of pending pushes. Begin opens a Pass over one batch, which
// reads and edits a Graph: Detach takes an artifact's contributions out of its neighbours, Attach adds those of its new
// features, Connect and Disconnect tell of single edges, and Embed recomputes what that moved and returns it (Moved). Audit
// and Check recompute vectors anew and compare. The package does not know how a graph is stored, nor what the Model
// computes, nor Kafka; anything that implements Graph will do. The Model says how wide the vectors of each layer are, and
// over which relations an artifact reads those that it points at (Gathers): a citation graph is artifacts with links that
// are read one way (`make bench-refresh`).
//
// Every node v has an input vector h0(v) and a first-layer vector h1(v). Artifacts have, besides, an embedding E(v)
// made of h1(v) and of its neighbours' first-layer vectors. The dependants of a node (the artifacts whose embedding
// reads it) do not see h1 but p(v), the value that it last pushed to them:
//
//	h1(v) = layer 1 of h0(v) and the means, per relation, of its neighbours' h0
//	E(v)  = output of layer 2 of h1(v) and the means, per relation, of its neighbours' p
//
// A vector has a block of coordinates for each modality (see package infer), and a mean is taken, block by block, over
// the neighbours that have the block.
//
// In a Model of three layers every node has a second-layer vector h2 as well, of which it tells p2; p above is p1 here:
//
//	h2(v) = layer 2 of h1(v) and the means, per relation, of its neighbours' p1
//	E(v)  = output of layer 3 of h2(v) and the means, per relation, of its neighbours' p2
//
// So entities sum p1 of their members besides h0, and artifacts p2 of those that link to them besides p1 (graphstore.Third). An
// artifact's p1 goes into the sums of its entities at once and needs no push. A Pass computes layer by layer: h1 of the entities that
// changed and of the artifacts, then h2 of the entities that this changed and of the artifacts, then the embeddings, so that each reads
// all that this Pass has moved (Pass.secondLayer). One push tells of both vectors of a node.
//
// Where Config.MediaNodes is set, a picture or a recording is a node too (Content): one for all media of the same bytes, which the
// artifacts that hold it read and which sums theirs, as an entity does. Its h0 has a block of its modality, of what the encoder made of
// it, and never moves; it comes with the first artifact whose medium is encoded and goes with the last. So all that is said of entities
// here holds of contents. A node for each medium, the obvious design, would need a layer more to reach who else holds the same
// picture: artifact, medium, medium, artifact.
//
// The guarantee. A node pushes when the RMS over the coordinates of h1 - p (of any block) exceeds Config.Epsilon, so
// each mean that enters an embedding is within epsilon of the exact one, except while a push is pending. Pending pushes
// are rows of the store (graphstore.Push), written in the commit that began them, so that a crash loses none. With
// epsilon 0 and no push pending, the vectors are a pure function of the graph and of the h0 of its artifacts: the order
// of arrival, the sizes of batches and crashes leave no trace in a single bit (TestOrderLeavesNoTrace).
//
// How far an embedding may be off follows from that. Let d be the RMS by which a mean of p may differ from that of h1, epsilon; a block
// that only one of p and h1 has is always pushed, so both means are over the same neighbours. All else that E(v) reads is its
// own: h1(v), which reads h0 alone, and its features. (Of three layers, h2(v) may be off too, and so may what neighbours have told; each such
// vector carries its own bound with it, which a push tells as it tells the rest: Model.Width.) So E(v) is what layer 2 and the fusion make of the exact values and of means that
// are off by d, and package infer (drift.go) follows d through them, by the spectral norms of the matrices and the lengths of the
// vectors of v itself, to a bound of the distance of E(v) from the exact one. It is stored with E(v) (Node.DriftBound, for the
// epsilon in Node.Epsilon), and covers what epsilon keeps from v when no push is pending, by the h0 that the artifacts have. Two
// embeddings of length 1 that are off by a and b have a cosine that is off by a + b at most. TestDriftBound measures both on seeded
// histories; Audit tells how far one really is.
//
// Why the sums are integers. An entity holds the running sum of its members' h0, so that a newcomer costs O(1) however
// many share the entity. A float sum drifts with each replacement and depends on the order of its addends: after a year
// the state could not be checked against anything. The sums here are fixed point with steps of 2^-32: exact,
// independent of order, undone by subtraction, and verified bit for bit by kilim check.
//
// Attention. What a node gives to those who read it over a relation is the Model's to say (given.go): its vector, where means are taken,
// and with attention its vector times a weight that depends on it and on the relation, and the weight. Sums of that are as exact as sums of
// vectors: bounded addends in fixed point, undone by subtraction, checked bit for bit; and the weighted mean is the quotient of two of
// them. A weight of who reads too, as GAT has it, would leave no sum to keep (package attend says what is lost); the weights of the
// relations do depend on who reads, and are computed with its vectors. A weight is of p, as the vector is, so that the bound covers both.
//
// Cost. A hub of D members moves by O(1/D) with an insert, so it pushes about once in epsilon*D inserts at a cost of D:
// O(1/epsilon) an insert, whatever D (TestHubPushesRarely). The budget of Pass.Embed bounds the artifacts re-embedded
// for pushes in one pass; a push that does not fit goes on from its cursor in the next pass. Once a push has reached the first
// dependant, p stays what it is until the push ends: otherwise a busy hub would begin again and again and never reach its last
// members. Until then p follows h1 as if no push were pending, so that what moves under a flood is told once, when the flood is over,
// and not twice by each entity at a time of its own: artifacts were embedded nine times then (TestOneRoundTellsAll).
//
// With a third layer, entities compute two vectors of two sums, and h2 of a hub moves faster than its h1, on which it rests: what that
// costs a newcomer is counted by TestHubPushesRarely and BenchmarkLayers (daemon/pipeline).
//
// What is not computed again: an artifact that only a push of p reaches keeps h1, which reads h0 alone (Pass.keepsHidden).
//
// The model is inductive GraphSAGE (Hamilton, Ying and Leskovec 2017, Algorithm 1) over typed relations (Schlichtkrull
// et al. 2018, section 2.2).
package refresh
