// Package dataset makes of an archive what models are trained on and compared by: a train.Set, with what is kept out of
// it.
//
//   - Make returns a Dataset, a snapshot of an archive that it reads through a Reader: the
//     artifacts of the smallest hashes, whatever their order of arrival.
//   - Builder makes a Dataset of Records that are added one by one, for experiments that show
//     parts of records: Make itself adds a Record for each artifact.
//   - Mix is the share of each culture and type in an archive; its drift is a reason to train.
//   - Memory is an archive in memory, a Reader.
//
// Package weave says what a record consists of (pieces, edges, links); package dataset says which node reads what of
// it, what is rare, and which links are held out. Daemon and experiments make their Sets here, so that what is measured
// is what is trained.
//
// Guarantee: a Dataset is a function of the documents, of their entities' labels and of their media's vectors, to the
// bit. Its Watermark is a checksum of these.
//
// The package does not know the store, Kafka or the daemon, nor how media become vectors, nor what a model learns from
// a Set.
package dataset
