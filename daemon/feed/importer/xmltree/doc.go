// Package xmltree reads the records of an XML document one by one: New names the elements that are records, Next gives each as
// a tree.Node. No more than one record is in memory, and of what stands around it only the elements that it stands in and, when
// records may stand within records, the Around beside them.
//
// What a document may do harm by: entities that it declares itself are not expanded (the decoder of Go's library knows none but
// those of HTML), a record of more than Bytes ends the input, one of more than maxDepth elements in one another or of more
// than maxNodes is broken, and the others go on. The errors name the line.
//
// Encodings are those that the declaration names, and UTF-16 by its byte order mark. Several documents may stand one after the
// other in one stream, as the pages of an OAI-PMH harvest do.
//
// The package must not know what the elements mean.
package xmltree
