// Package mapping says which field of an artifact is taken from what of a record. A Map is read from YAML by Parse, or is one
// of those that come with kilim (Named). Map.Apply makes an artifact's JSON of a tree.Node, and a Report counts what went into
// which field, and what of the records was not taken, by its path, with an example of each.
//
// A map, in YAML:
//
//	format: table            # table (csv, xlsx), xml or json
//	record: [lido]           # xml: the elements that are records
//	nested: true             # xml: records may stand within records
//	id: {from: Object ID, prefix: "met:"}
//	deleted: header/@status = 'deleted'    # an expression: the record deletes its artifact
//	fields:
//	  title: Title
//	  culture: {from: Culture, split: "|"}
//	  creator: [{from: Artist, id: ULAN URL, split: "|"}, Maker]
//	  date: Date
//
// What a field is taken from is the name of a column in a table, and an XPath 1.0 expression in xml and json, whose context is
// the record; names in it are without prefixes. Of several sources, title, language, digitized and the dates take the first that has
// something, description all of them, a paragraph each, and lists all of them, each term once. "label" and "id" are relative to what "from" chooses; in
// a table, "id" is a column with as many parts as the first. An id counts
// when it is a URI. "split" cuts a text into terms, "match" takes the group of each match of a regular expression instead, "prefix" stands before an id or a
// link's target, and so does what "within" chooses, with a slash, "kind" says what a medium is, "type" what a link is.
//
// Fields are those of kilim's profile, and date.begin, date.end, date.text, location.lat, location.lon, and theme.NAME. "date"
// is a date as people write it: its text is kept, and its years are read where it is one of the forms that years lists.
//
// The package must not know how a record is read, nor what becomes of an artifact.
package mapping
