// Package media gives the pictures and recordings of artifacts to be shown.
//
// Desk gives a Medium, the bytes of a picture or recording as the record has them or as a Fetcher brings them, with a type that is
// taken from the bytes: what is neither a picture nor a recording that package learner/encode reads, an SVG or a HTML file say, is
// never given. It also makes a Picture of a picture, a JPEG of limited size, once, and keeps it in memory.
//
// The bounds: two pictures are made at once, within the limits on pixels and memory that encoders have too; others wait some seconds,
// then get ErrBusy. 64 MiB of pictures are kept, and for a minute what could not be had, so that a page that is looked at again
// asks no server again.
//
// The package must not know HTTP, nor what an artifact is like.
package media
