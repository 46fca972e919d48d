// Package sheet reads the rows of the first sheet of an Excel workbook (xlsx): Open reads the header, Next gives each row as
// a tree.Node as package table does, by whose rules the header is read. Numbers are as they are stored, a number of which the
// format is a date is an ISO 8601 date.
//
// It is of the standard library's zip and xml alone: the libraries that were looked at hold all texts of a workbook in memory without
// a bound, or trust the counts that stand in it. Here the parts that must be held whole (the texts that cells share, the
// formats) are at most sharedBytes and headBytes, unpacked, whatever the archive says of itself; rows are read one by one, each
// at most as long as the bound that Open is given.
//
// The package must not know what the columns mean.
package sheet
