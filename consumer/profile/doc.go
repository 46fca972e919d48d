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
//   - null and the empty string are absent; blank terms are dropped, and so is a
//     blank id or label of a term, and white space around a term's id
//   - a single value is taken where a list is expected, and a list of one where a
//     single value is expected: a text, an id, a year, a date, degrees, a location,
//     the themes, an embedding. Lists within such a list are refused
//   - an id, and a link's target, may be a whole number: it stands for its digits,
//     and 5, 5.0 and "5" are one. An exponent is refused: its digits are a float's
//   - a date's year may be a string holding a number or an ISO 8601 date
//     ("1899-06-20", "1899-06", "18990620", with a time or without), which gives its
//     year; a month or day may be 00. Any other string there ("no date",
//     "c.1997-9") is absent, and becomes the date's text when it has none
//   - a date whose begin lies after its end is turned round: archives write
//     "550-520 BC" both ways
//   - an embedding is brought to length 1, in float64. One of zeros has no
//     direction and is refused
//
// Unknown fields are kept in Raw and otherwise ignored. But an object of which no field is known,
// or none beside an id and unknown ones, is refused: a row of another table, or an envelope that
// nobody has opened, must not become an artifact without content. {"id": "a"} is one of which
// nothing is known yet.
//
// A record may ask for Limits.Edges edges in all, whatever the lists that they stand in: each
// may be a new node of the graph.
//
// The package must not know where a record came from (package consumer's part) nor what becomes of
// it: Limits bound what it accepts, and Object reads the fields of what wraps an artifact.
package profile
