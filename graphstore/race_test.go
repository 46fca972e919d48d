//go:build race

package graphstore

// underRaceDetector: badger reads the version of its memtable for a collection of the value log while a writer writes it
// ((*DB).MaxVersion, v4.9.6). What it reads may only be too old, and then more is kept; but the detector ends the test.
const underRaceDetector = true
