// Package hostile makes feeds in which good records stand among extreme ones, for experiments that show that nothing which
// arrives stops the daemon.
//
// A Generator gives one Record after the other, each with what must become of it (its Fate): good ones are of the demo archive,
// in every envelope that is opened, and must be applied; the others are of a family each (families lists them), with sizes,
// counts and values at, around and beyond every limit of package profile, and are applied or refused; of some it is known which.
// The records are a pure function of Options, and one of them takes memory at a time.
//
// What a record carries is made by the files of this package: text.go and terms.go (fields of the catalogue), values.go
// (numbers, dates, types), broken.go (JSON), ids.go, links.go, media.go with pictures.go and sounds.go, vectors.go, headers.go;
// wrap.go puts artifacts into envelopes. The package must not know how a record is sent, or to whom.
package hostile
