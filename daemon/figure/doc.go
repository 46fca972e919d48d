// Package figure draws for a paper what the daemon answers: how near cultures are to one another as a heat map (Cultures) and as a tree
// (Dendrogram), what an artifact is like as a network (Network), and the archive as a map (Map).
//
// In come an answer of package atlas, a Graph of artifacts or a Plane of them, out goes a Figure, which Figure.Write writes as SVG or as PNG of 300 dots an
// inch. Colours are told apart by who confuses red and green; what a colour means is beside it. The same input gives the same bytes.
//
// SVG has its labels as text, which a viewer shapes by fonts of its own. PNG has the shapes of a font (Liberation Sans) that knows Latin, Greek, Cyrillic and
// Hebrew letters: a label with others is
// replaced by an id, a key or a number, and Figure.Write tells it.
//
// The package must not know HTTP, nor how an answer came to be.
package figure
