// Package par divides work among a fixed number of goroutines that stay alive
// between calls, for loops of tens of microseconds where starting goroutines
// would cost as much as they gain.
//
// Tasks may be within tasks: what is independent is best divided at the outermost
// place, where the members meet least often; who has done its share there helps
// with the parts within the others' shares.
//
// The division into parts is the caller's, not the Team's: a task that writes
// only what belongs to its part gives the same bits for every team size.
package par
