// Package watch follows a topic of lists and shows each update to a person.
//
// It reads all partitions without a group: watching moves no offset and
// disturbs nobody. Partitions added later are not noticed.
package watch
