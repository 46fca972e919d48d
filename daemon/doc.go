// Command kilim keeps, for every artifact of an archive, the answer to what it
// is like, and publishes each answer that changes. See `kilim --help`.
//
// This package is the command line: it reads flags, variables and the file
// (package config), turns signals into a context that ends, and calls the
// parts. A first SIGINT or SIGTERM stops in order; a second one ends the
// process at once, which the state survives like any crash.
package main
