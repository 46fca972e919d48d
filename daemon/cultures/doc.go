// Package cultures tells, in a topic of its own, how near cultures are to one another, periods, and places: in all that embeddings say, and in each theme.
//
//   - Keeper is what does so: it reads the maps of an Archive, keeps in a Store what it has told last, and tells what is something else now.
//   - Cell is how near two groups are: the message, and with what since is counted from, the row that is stored. Key names it.
//   - Checker tells what is wrong with rows.
//
// In come the answers of package atlas, of maps that follow records by themselves. Out go rows and messages, in one commit of the store. The package must not
// know how maps are computed, HTTP or Kafka.
//
// # What is told
//
// The cells of the Groups largest groups of each kind, overall and by theme, also of a group with itself. A cell is told when it is there first, when its mean, its
// contrast or an end of its interval is more than Step from what was told, when other pairs carry it, when a tenth more or fewer pairs are behind it, when another
// model made it, and when the topic has lost it; a tombstone, when it is not there any more. So when nothing changes any more, what the topic ends with is
// what the archive says, each number to within Step (TestHistories).
//
// The obvious design, to tell each number that differs, would tell nearly all cells of an archive with each newcomer: one artifact moves the mean of all, and
// every contrast with it.
//
// # When
//
// Beside the records: a round looks whether any map has changed, reads all of them, and writes in commits of at most AtOnce cells. It takes no part in a batch.
// Rounds begin no sooner than Config.Linger after each other, and take no more than a twentieth of one processor while records come, a quarter while none do: so a cell is told
// at most once in that time, however many records change it. What a round leaves, or could not write, is found by the next, for it compares with
// what was told, not with the round before.
//
// # Since when
//
// Cell.Since is how long the answer has been this one: the time when the mean was told last that was outside of the interval told until then. As long as a
// mean moves within the interval that it had then, it is the same as far as anybody can tell.
//
// # What is durable
//
// The row is what was told, and is written in the commit that has the message in the outbox: each change is told once, whenever the process
// is killed. A cutover takes the rows along with the outbox.
package cultures
