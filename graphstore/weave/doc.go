// Package weave says what an artifact is in the graph: profile.Artifact in, edges, texts
// and pieces out.
//
//   - Edges are what the artifact is joined to: an entity for each term, the decades of its
//     dates, its media, and the artifacts that it links to.
//   - Texts are everything that can be read of it, without the tags and entities of HTML.
//   - Pieces are the same, cut into what can be shown or hidden as a whole: training makes
//     its views of a record from them.
//   - Read and Parse make an Artifact of a stored document again.
//
// All of it is a function of the artifact alone: so what was counted of an artifact when it came
// can be taken away exactly when it goes, and daemon, training and experiments can't differ in
// what they read of a record.
//
// Theme labels are training targets. They become neither texts nor edges nor pieces.
//
// The package knows the names of nodes and edges. It does not know the store's transactions,
// the model, or what anybody makes of a text.
package weave
