// Package app is the daemon as a value: it can be started in a test as well as
// by main, as often as one likes, with its own metrics registry and logger.
//
// App is a running daemon: Start makes its parts, in an order in which each finds
// what it needs, and App.Run works them. Check, Repair, Evaluate, Train and Describe work on a
// state folder that no daemon has open. In comes a config.Config; out go an HTTP server,
// topics and metrics. The package converts the configuration into the settings of
// each part, and the parts' answers and errors into those of package web: it alone knows
// them all, so that the parts need not know each other. It must not know how anything is
// computed.
//
// Each resource registers its teardown the moment it exists. A start that
// fails half-way and an ordinary stop run the same teardowns, last in first
// out: queries end before the pipeline, the pipeline before the store, the store
// before the broker that it publishes to.
package app
