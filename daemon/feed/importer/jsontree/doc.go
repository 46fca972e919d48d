// Package jsontree makes records of JSON: Parse gives a value as a tree.Node. A field is an element of its name, without what
// stands before a colon in it; one whose name begins with @, as JSON-LD's have, is an attribute; the elements of an array are
// elements of the array's name. Numbers and truth values are their text, null is absent.
//
// A value that is nested deeper than maxDepth, or of more than maxNodes, is an error.
//
// The package must not know what the fields mean.
package jsontree
