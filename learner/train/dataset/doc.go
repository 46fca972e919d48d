// Package dataset makes of an archive what models are trained on and judged by: a train.Set, with
// what is kept out of it.
//
//   - Make takes a Dataset, a snapshot of an archive that it sees through a Reader: the
//     artifacts of the smallest hashes, whatever their order of arrival.
//   - Builder makes the same of Records one by one, for experiments that show parts of records:
//     Make itself adds a Record for each artifact.
//   - Mix is what an archive is of, by which drift is told.
//   - Memory is an archive in memory, a Reader.
//
// What a record consists of (pieces, edges, links) is package weave's to say; package dataset
// says what of it is read by whom, what is rare, and which links are held out. Daemon and
// experiments make their sets here, so that what is measured is what is trained.
//
// Guarantee: a Dataset is a function of the documents, of their entities' labels and of
// the vectors of their media, to the bit. Its Watermark is a checksum of these.
//
// The package does not know the store, Kafka or the daemon, nor how media become vectors, nor
// what a model learns from a set.
package dataset
