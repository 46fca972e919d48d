// Package ranking learns the order of lists from judgments, beside the work of the daemon, and has what it learned order them.
//
//   - Keeper is all of it, with the settings of Config, over Judgments (what people say) and an Archive (the committed documents and the stated
//     lists of whatever state serves). Keeper.Run fits a rank.Model when there are judgments enough, and decides whether it may serve.
//   - Keeper.Order puts the best of a stated list into the learned order: an Order, of Entries with the parts of their scores.
//   - A Decision says what a fit was made of, what the gate has seen, and whether it serves. Status tells where the Keeper stands.
//
// In come judgments, documents and lists by stated weights. Out go orders, and one file in Config.Folder: the last Decision with, if it serves, the model
// and the frequencies of facts that it reads. Package ranking must not know HTTP, Kafka, configuration, how stated lists are made (package
// topk), nor how an order is learned (package rank).
//
// # What is learned from
//
// Judgments in general, not those in a theme. A judged artifact asks, and its Best by stated weights are its candidates: those judged alike have
// their grade, all others 0. Each judgment is the question of one of its two artifacts, the one that more was said of
// (questions): when both asked, what nobody had come to judge counted as not alike, and less was learned. Artifacts that judgments join are a group, held out together; Config.Least counts groups.
//
// Judged pairs that are not among the Best say nothing: what no list can show teaches no list. In the experiment ranker a model
// of the best fifty gained as much on others as one of all that stage 1 finds, and what was held out told it more surely.
//
// However much is judged, mostQuestions are asked, taken in turn from all who judge: thousands of judgments by one person don't drown those of others.
//
// # The gate
//
// Each question is ranked by a model that was fitted without its group, and by stated weights. A model serves if the groups gain leastGain in
// nDCG@10 in the mean, and the interval of gateLevel lies above 0 (Gate). Else the stated order stays, and Status says by how much it failed.
//
// The level is 0.8 and not 0.95: of eight draws of 50 judged artifacts of the Walters, all of whose models ranked others better, 0.95
// refused three and 0.8 one. The price: of 60 draws of judgments at random, 12 pass. What such a model can do is bounded, it orders the fifty that were there
// anyway, and more judgments are another gate.
//
// # What is guaranteed
//
// Without judgments nothing is read, fitted or written, and Order gives nothing. What serves is a function of the judgments, the settings and the archive at
// the fit, whatever the way there, across restarts (TestHistories): so a withdrawn judgment leaves no trace, and a fit that is
// refused takes the one before away. After a start, what was kept serves until all judgments are known. A model orders the lists of the State that it was fitted to alone: those of another model of embeddings,
// other encoders or other weights have other scores. A cutover leaves the stated order until a fit for the new State is decided.
//
// Another model serves by one pointer, with the frequencies that it was fitted with: no list is of two. A fit takes one processor, a quarter of
// it over time while judgments come, and holds a lock that a batch wants no longer than an answer does. An answer reads fifty documents; nothing of the archive is kept in memory for it but the frequencies,
// mostFacts of them.
//
// # Lists that are published
//
// Archive.Use is given what serves, as a Ranker, at the start and at each Decision, and has it order what units publish (topk.Order) as answers are ordered: an
// Ordering is that of one unit, over the documents that the unit sees. A Ranker is named by a hash of the model and its frequencies, so that rows and messages say
// which one ordered them, and a fit that comes to the same has nobody told again. It keeps what it reads of artifacts, Config.CacheBytes of it.
package ranking
