// Package encode brings media from the store's queue to their vectors: it fetches what a record only
// points at, asks the encoder of its modality, and hands the answers back to the state.
//
// The guarantee. What waits is a row of the store, written in the commit that brought the record, and is
// answered in a commit of its own, with the vector. So a crash loses nothing: at the next start the
// queue is found from the rows. A content that an encoder has answered is not given to it again, whatever
// record brings it and however often. An answer to a question that was asked anew meanwhile is dropped.
//
// An answer is a vector, a refusal (permanent, with its reason), or a failure, which is tried again: after
// Config.Retry.First, then after twice as long each time, to at most Config.Retry.Most. Each modality has a
// lane of its own, so that a server which is slow or down holds up its own modality only, and never the feed. A
// lane whose encoder fails rests likewise, for half a minute at most. These times are in memory only: a restart tries at once.
package encode
