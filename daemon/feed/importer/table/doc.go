// Package table reads the rows of a CSV file: New reads the header and says in Notes which delimiter and encoding were taken,
// Next gives each row as a tree.Node with a child for each cell that is not empty, named as its column.
//
// The delimiter is the one of comma, semicolon, tab and bar that stands most often in the header, outside of quotes. The
// encoding is UTF-8 unless a byte order mark or the caller says otherwise. Quotes are those of RFC 4180. A row that has
// another number of cells than the header, or a stray quote, or bytes that are no text, is broken, named by its line, and
// those behind it are read; cells that are missing at the end are empty. A row longer than the bound ends the input, for it
// is most often a quote that is never closed.
//
// The package must not know what the columns mean.
package table
