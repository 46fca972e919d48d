// Package par divides work among goroutines that stay alive between calls: for loops of tens of microseconds, starting
// goroutines would cost as much as they gain.
//
// A Pool is a fixed number of Workers, of which one is the caller's goroutine. Worker.Run takes a Task and the number
// of its parts, and returns when all parts are done; other Workers steal parts of it (Blumofe and Leiserson 1999).
//
// Tasks may be nested: independent work is best divided at the outermost place, where the Workers meet least often. A
// Worker that waits at the end of its Task steals from the tasks nested within the others' parts.
//
// Guarantee: Run does each part once. The division into parts is the caller's and not the Pool's, so a Task that writes
// only what belongs to its part gives the same bits for every size of the Pool.
//
// Package par does not know what is computed.
package par
