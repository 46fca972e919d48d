// Package search finds artifacts by words, by a culture, period or type, and by the kinds of their media.
//
// Index is an inverted index in memory: for each word the artifacts that have it, in the order in which they were indexed. In come the ids of
// artifacts whose records changed (Changed, which never waits), out goes an Answer to a Query. Run keeps it current: it reads
// all artifacts of the Archive once, then those that changed. Until that is done an Answer says how far it has come. Nothing is stored:
// an index on disk would have to be written with each commit, and is wanted only where somebody looks.
//
// What it costs: about 6 bytes for each different word of an artifact as they come (the ids of artifacts, and what the words themselves take,
// included; TestCost prints it), at most 256 words each, and at the start the time to read and parse every record once, beside the
// feed. A question decodes the numbers of its words, some milliseconds for a word that a million artifacts have.
//
// All words of a question must be there. Artifacts with all of them in the title come first, then the rest, each from
// the newest to the oldest; the artifact whose id is the question comes before all.
//
// The package must not know HTTP, nor lists.
package search
