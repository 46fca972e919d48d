// Package app is the daemon as a value: it can be started in a test as well as
// by main, as often as one likes, with its own metrics registry and logger.
//
// Each resource registers its teardown the moment it exists. A start that
// fails half-way and an ordinary stop run the same teardowns, last in first
// out: queries end before the chain, the chain before the store, the store
// before the broker that it publishes to.
package app
