// Package browse is what a person is shown of artifacts: titles instead of ids, an artifact's own page, and why two are alike.
//
// Shelf reads it from an Archive: a Card is one artifact in a list, a View is all of one's page, a Why what two share, a History one of
// its lists as of a date. In come ids,
// out go values for encoding/json, bounded whatever is in the records. Package search finds ids by words, media
// gives pictures and recordings, live what has just changed, projection a map of all.
//
// Texts are as a person reads them: without markup, without the characters that turn the direction of what stands beside them, and cut
// at a length. They are still the feed's, and hostile: whoever shows them must not take them for HTML.
//
// The package must not know HTTP, nor how lists come to be: it is given them.
package browse
