// Package fetch brings the bytes of a media item: those that are in the record, those
// of a file under configured folders, and those of an http address of a configured host.
package fetch
