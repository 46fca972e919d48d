// Package live tells who looks what has just changed, in the order in which it was published.
//
// Hub keeps the last changes and gives them to each Viewer. In come the messages that have left the outbox, by Published, so a viewer sees what a
// reader of the topic sees; out go Events as JSON, each with an id after which a viewer that was cut off goes on.
//
// Nobody waits for a viewer: Published writes into a bounded ring and returns, and each viewer reads the ring at its own pace, in its own
// goroutine. One that falls behind by more than the ring is told how many it has missed. What costs time, the titles of
// artifacts, is looked up when the first viewer asks for an event, and once. The bounds are on Hub's constants.
//
// One record changes the lists of some sixteen others, so that at 50 a second there are hundreds of events, which nobody can read, and which a browser takes most
// of a processor to show. A viewer may say by its Interest how many of others than arrivals it wants a second, or whose alone; what it does not want of others
// is counted, not made.
//
// The package must not know HTTP nor Kafka.
package live
