// Package recall estimates how much of the truth an approximate index finds, while the index serves.
//
// Its types are Watch, Searcher and Config. In come live queries by Watch.Offer; Watch asks some of them again, of the
// index and of an exact search over the same vectors, both of them a Searcher. Out go a running mean of the share
// found, by Config.Checked, and Config.Below when it is too low. Package recall must not know what is done about a low
// recall (package maintain rebuilds), nor which index it asks.
//
// Config.Share bounds what the checks cost: the time spent on them is at most that share of the time that passes.
// Queries that come while Watch waits are not checked.
package recall
