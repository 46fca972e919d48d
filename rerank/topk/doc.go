// Package topk keeps, for every artifact, its lists of the most similar others, and tells which lists a change of the archive
// changed.
//
// The types: Lists is what lives from one unit of work to the next (scorer, caches, queues of what is stale, not published, or
// waiting to be). A Pass is what one unit does to lists; it works on a Graph, of which a Reader is the half that answers need.
// Row is what the store keeps of an artifact's lists, Query an artifact whose lists are asked for, Checker finds
// faults in what is stored. An Order is what a ranker learned.
//
// What comes in: artifacts that arrived, with their evidence, that moved, and that departed; an Index of
// embeddings and a table of Words that the caller keeps current; the Time on the archive's clocks. What goes out: rows, who is
// listed by whom, updates for publication, answers to queries.
//
// What topk must not know: how embeddings came to be, how and where rows are stored, what becomes of an update. Nodes
// are numbers to it. So it can be tested with maps.
//
// # The search
//
// Stage 2 scores candidates by all evidence (rerank.Comparison) and cuts each list. Who is a candidate is known in one of two ways. While
// package bound's Table of all artifacts takes no more than Config.ExactBytes, everyone is whose score could matter: those that may be
// in the artifact's lists, and those whose lists it may enter. The others have an upper bound of their score that says no, so that lists are those of everyone
// scored with everyone, whatever the index finds. In a larger archive stage 1 unites an artifact's nearest by embedding (Index) with those
// that share rare entities with it and those linked. There is one implementation, the type search, for lists that are stored and for
// answers; its comment names what the two have not in common, and why.
//
// # What stage 2 reads
//
// A newcomer is scored with some hundreds of others, and what is known of an artifact is a hundred words and a dozen entities. The
// cache keeps these of many artifacts, weighed, in runs of numbers cut from a few large pieces of memory (rerank.Prepared); it has
// a half of Config.CacheBytes, and a pass holds those of a few queries' candidates besides. A rerank.Comparison spreads the
// newcomer's over tables, once, and reads each run from front to back. Beside the run stands what it takes to get into the artifact's lists, so that a newcomer is offered to few:
// for the others nothing is read from the store, compared by id or allocated. The obvious design, an object of evidence each
// and a merge of sorted lists a pair, took three times as long to score, and half as much again of memory.
//
// # What is guaranteed after each pass
//
//   - A departed artifact is in no list. Its place stays empty until the list is computed in full.
//   - What arrived has lists that are computed in full, with all that the pass sees, and it is in the list of each of its
//     candidates where it beats the last entry: the score is symmetric. While the Table of all is there, those are all lists in
//     which it beats the last entry.
//   - It is known exactly who lists whom: that is how departures and moves find the lists they are in.
//   - Lists that changed by more than Config.Tolerance since they were last published are published, with what entered, left and
//     moved since then and with the records that caused it: in the unit that changed them where a record brought their
//     artifact or Unit.Linger is 0, else before they have waited for Unit.Linger, if each pass publishes what has. What goes back to
//     what was published is not. The row keeps what that needs (Row.Pending), so that nothing is lost by a stop.
//   - Row.Past is the end of what was published of an artifact, as far back as a rerank.History reaches: other ids or another order, when, and
//     by whose records.
//   - With an Order (Unit.Order), the list total is kept as long as it wants, exactly as above, and what is published, and compared with what was, is the
//     first Config.Size of that in its order. Another Order, or none any more, has each artifact told once: Follow finds by what rows say who is not, also after a
//     stop in the midst of it. Without one, rows and updates are what they were before there were Orders, to the byte.
//
// Between two states of the archive that are no more than a tenth of Config.Sweep apart, as the encode clock counts, scores are made by one set of weights: an epoch
// of the Table, with the document frequencies of its beginning, for all artifacts alike. (Without a Table each artifact is weighed
// by itself, at most so long ago.) An entry keeps the score that it came with until its list is computed in full, or one of the two
// artifacts moves.
//
// And when Lists.Stale is 0: every list is what a computation of now would make it, but for what Config.Sweep and Config.Tolerance
// allow. With both 0 it is a pure function of the archive: the order of arrival, the sizes of passes and restarts leave no trace
// in a score.
//
// # Why not recompute what a newcomer is near to
//
// The obvious design, to search anew for each artifact that a newcomer may be near to, costs a search for each of its candidates,
// some hundreds a record, and most of them find what they had. Here the newcomer's one search pays for all: its candidates
// have their scores already, and a list is touched only where an entry beats the last one. What that can't find, whom a list
// lacks when an entry fell behind or departed, is found by a search, for those lists alone; what exceeds the pass's budget is the
// first thing that is stale.
package topk
