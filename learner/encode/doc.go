// Package encode keeps, for each picture and recording of the archive, and for its texts where they have an
// encoder of their own, the vector that an encoder made of it: or why there is none yet, or never will be.
// The built-in encoders, those behind servers, and what fetches media are packages below this one.
//
// Its types, from the outside in:
//
//   - Encoders are who makes the vectors, one a modality, and the Reach of what fetches for them. They are a part of a state's
//     identity, the Reach is not. They list
//     what they are asked about an artifact (each a Medium), read the Vectors by which it is known, and Check the rows
//     about media against the records.
//   - Media is what is in memory of one state: the Queue of what waits, the Counts, and the spots for what queries
//     bring (OnTheSpot, Embed).
//   - Pass is what one unit of work does: Put and Gone for records, Take for answers, Committed at its end.
//   - Worker works the Queue off beside the units. It fetches what a record only points at, asks the encoder, and hands
//     each Answer to the State.
//
// What comes in are artifacts with their edges (package weave) and the answers of encoders; what goes out are the rows
// and vectors of a Graph, the artifacts whose features an answer changed, and Vectors. The package does not know
// the store (a Graph is five functions of rows and two of nodes), Kafka, the model that takes the vectors in, or lists.
//
// The guarantee.
//
//   - A crash loses no question: what waits is a row, written in the unit of the record that brought it, and is answered in a
//     unit of its own, with the vector. The Queue is found again from the rows.
//   - A content that an encoder has answered is not given to it again, whatever record brings it, wherever among its media,
//     for as long as one of the archive has it.
//   - Vectors of two encoders never meet. Rows and vectors are kept under the identity of who made them; a state has one
//     encoder a modality, and an answer by another one is dropped.
//   - An answer to an outdated question is dropped. A question is told from a later one of the same medium by the revision of
//     the unit that asked it, and one that a new record does not change stays valid.
//   - A medium that can't be used is told, with its reason: it has a row that says so, until its record comes anew. What was
//     refused because it was not there or not allowed is asked again at each start. What the Reach of the Encoders refuses is so in
//     the unit of its record.
//
// Why there is no list of questions beside the rows: two places would have to agree across crashes, and every medium has a
// row in any case, to say what became of it.
//
// An answer is a vector, a refusal (permanent, with its reason), or a failure, which is tried again: after
// Retry.First, then after twice as long each time, to at most Retry.Most. Each modality has a lane of its own, so that a server
// which is slow or down holds up its own modality only, and never the feed. A lane whose encoder fails rests
// likewise, for half a minute at most. Of a host that does not answer (feature.Unreachable) one medium at a time is tried, at the
// times of a Retry; the others wait for the host, however many they are. These times are in memory only: a restart tries at once.
//
// A refusal changes no features: it waits up to a second for others, or for a vector, to share their commit. A crash within
// that second leaves the question, which is asked again.
package encode
