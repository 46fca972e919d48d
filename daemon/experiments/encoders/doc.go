// Package encoders holds the built-in encoders against baselines: how often are the
// nearest neighbours of an artifact, by one modality alone, of its kind?
//
// The tasks, each leave-one-out, with no training:
//
//   - vases: is another photograph of the same vase (the target of `part_of`) among the
//     nearest three photographs? And when the one asked with is a window of itself, nearer,
//     not centred and darker, as another photographer would have taken it? Each is asked with five windows.
//   - songs: how many of the nearest five recordings are of the same type (the theme
//     `music`)?
//   - the demo archive, where the truth is known: how many of the nearest five pictures have
//     the same motif, also among those of other cultures only; how many of the nearest
//     five recordings have the same mode; how many of the nearest five texts are of the
//     same culture, where the text is title, description and verses, and not the
//     catalogue's field that names it.
//
// Baselines are what one would do first: of a picture the 8 x 8 grey thumbnail, of a
// recording its mean MFCCs, of a text plain words with tf-idf. All are compared by cosine.
// Both see the same items, and the chance of a blind guess is computed exactly.
// Intervals are of the mean over the queries, and of the difference query by query
// (package eval). Rates are measured apart from the tasks. RESULTS.md has what was found,
// and what the encoders that others use make of the songs (others/songs.py).
//
// Run, told by Options what to look at, returns a Result: a Row for each task, and a Rate for each encoder. The package
// knows the encoders, and needs no running daemon.
package encoders
