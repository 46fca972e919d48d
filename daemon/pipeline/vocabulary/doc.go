// Package vocabulary says what a record tells before the graph is touched, and weighs its words by the document frequencies of
// the archive.
//
// Vocabulary.Extract makes an Extracted of an artifact: its words, its edges, the evidence for scores and its facts. Count
// adds and removes an artifact's words to and from the document frequencies (Vocabulary.Table), Features makes the model's
// features of an Extracted and of what encoders made of its media.
//
// In come artifacts, out go what the stages of a unit work with. The package must not know what a unit is, nor the store: what
// is counted is kept by its user. It has a reason of its own to change: another thing that is read out of a record. Package
// pipeline changes when the order of the stages does.
package vocabulary
