// Package tree is the form that records of any source have before they are mapped: a Node is an element of XML, a field of
// JSON or a column of a table, with those within it. XPath compiles an expression over it, Column chooses a column by its
// name; both are a Selector. Broken is a record that can't be read, and others follow it. Bounded is a reader that no record,
// however long, is read through whole.
//
// The package must not know of which format a record is, nor what becomes of it.
package tree
