// Package watchdog notices that work is left and nothing of it moves: the metric kilim_stalled_seconds and a line in the log.
//
// Kind is one kind of work, with what is left of it and what moves when some of it is done; Cause is something that is known to
// hold work up, such as a full disk. A Watchdog looks at all kinds every few seconds. In come numbers that others keep anyway; nothing
// reports to the Watchdog, so nothing that is stuck can forget to.
//
// Errors have lines of their own where they happen. The Watchdog is for what has no error: a wait that nobody ends, a loop that
// goes round and does nothing, a broker that takes a request and never answers. The package does not know what the work is.
package watchdog
