// Package rerank is stage 2 of the similarity search, and the form in which its
// answers wait to leave the house.
//
// Evidence is what is known of one artifact besides its embedding: entities, links,
// words, dates; Prepared is the same laid out to be scored. A Scorer says how two pieces of evidence and the cosine of the
// embeddings make one score, a Comparison computes it for one artifact and many others, and keeps the parts, so that every
// published score can be explained. TopK cuts a list, Lists are an artifact's lists by name, Diff tells what changed in one, Material whether that
// is worth an update. An Update is that message, Pending what is kept for one that waits, History how the lists published last came
// to be; the outbox form is how messages wait in the store, in the commit that caused them, until package publish has delivered
// them.
//
// Everything here is a pure function of its arguments: no state but the memory that a Comparison works in and the numbers of a
// Prepared, no clock, no randomness; what is not said to be otherwise is safe for concurrent use. Scores are symmetric bit for bit: score(a, b) ==
// score(b, a), and do not depend on what else is scored, so that an artifact's list
// comes out the same whichever of the two was the newcomer.
//
// The binary forms (Evidence, Lists, Pending, History, outbox entries) begin with a version byte. Their
// decoders accept any input: what is not a whole, well-formed value is an error that
// names the field, never a panic, and never an allocation larger than the input
// justifies.
//
// It knows neither Kafka nor the store: package publish makes Kafka messages of what
// waits, and whoever makes it keeps it.
package rerank
