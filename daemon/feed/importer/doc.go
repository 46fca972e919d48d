// Package importer makes artifacts of what collections publish: Open takes an input and says, by its Options, which Format it is
// of and by which map its records become artifacts; the Importer is the feed.Lines of these artifacts, and its Report says what was
// mapped, what was not, and which records are broken.
//
// How records are read is the part of one package a form: table (CSV), sheet (xlsx), xmltree and jsontree; each gives
// them as a tree.Node. What they mean is package mapping's. A broken record is counted with its line, and the others go on; an
// input that can't be read on ends with an error that names the line. Neither an input nor more than one record of it is held
// whole, and a record is at most feed.MaxLine bytes long.
//
// The package must not know Kafka.
package importer
