// Package profile is kilim's native artifact profile: the JSON form in which
// an archive describes one artifact, read strictly.
//
// Parse takes one JSON value and gives an Artifact or a Refusal, never a
// panic and never half of an artifact. encoding/json decides what JSON is;
// on top of it Parse refuses what encoding/json would silently mend: bytes
// that are not UTF-8, lone surrogates, a field given twice, field names that
// differ in case only, numbers that do not fit. A record that is accepted
// therefore means the same thing to every reader of its bytes.
//
// What is normalized, because real catalogues need it (the bytes themselves
// stay in Artifact.Raw):
//
//   - null and the empty string are absent; blank terms are dropped
//   - a single value is taken where a list is expected, and a list of one
//     where a single value is expected
//   - a date's year may be a string holding a number; any other string there
//     ("no date", "c.1997-9") is absent, and becomes the date's text when it
//     has none
//   - a date whose begin lies after its end is turned round: archives write
//     "550-520 BC" both ways
//
// Unknown fields are kept in Raw and otherwise ignored.
//
// The package must not know where a record came from (package consumer's part) nor what becomes of
// it: Limits bound what it accepts, and Object reads the fields of what wraps an artifact.
package profile
