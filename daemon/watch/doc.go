// Package watch follows a topic of lists and shows each update to a person: Follow
// calls a function with each message, by its Options, and Text and JSON write one. It
// must not know how a list came to be: any list that a message names is shown.
//
// Follow reads all partitions without a group: watching moves no offset and
// disturbs nobody. Partitions added later are not noticed.
package watch
