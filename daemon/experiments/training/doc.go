// Command training measures what training beside it costs the feed: the freshness of artifacts (from a record to the acknowledgement
// of its own update) of a daemon that trains and of one that does not, in turns.
//
//	go build -o bin/kilim ./daemon && go run ./daemon/experiments/training
//
// A state is made of the first records of a feed. Each turn begins with a copy of it: a daemon is started, and the next
// records are fed at a steady rate, with train.share 0 in one turn and with training under way from the first record to the last in
// the other. The two change places from round to round. Freshness is read from kilim_freshness_seconds, whose buckets are
// a tenth apart. A round in which training was at an end before the feed was fails: then there is nothing to see.
//
// With -takeover a model is trained under the feed (for fewer steps than usual, see -stages), passes the gate and takes over, while
// readers ask for lists all along. The feed ends half a minute after that; it fails if its records end before:
//
//	go run ./daemon/experiments/training -takeover -base 1500 -measure 10000 -rate 10
package main
