// Package search finds artifacts by words, by a culture, period or type, and by the kinds of their media.
//
// Index is an inverted index in memory: for each word the artifacts that have it, in the order in which they were indexed. In come the ids of
// artifacts whose records changed (Changed, which never waits), out goes an Answer to a Query. Run keeps it current: it reads
// all artifacts of the Archive once, then those that changed. Until that is done an Answer says how far it has come. Nothing is stored:
// an index on disk would have to be written with each commit, and is wanted only where somebody looks.
//
// What it costs: some 340 bytes an artifact of the demo archive, of 43 words each (TestCost prints it), and some 150 for each word that
// no artifact had before; at most 256 words of an artifact count. At the start, the time to read and parse every record once, beside
// the feed. A question decodes the numbers of its words: a byte or two for each artifact that has them.
//
// All words of a question must be there. Artifacts with all of them in the title come first, then the rest, each from
// the newest to the oldest; the artifact whose id is the question comes before all.
//
// The package must not know HTTP, nor lists.
package search
