// Package stored keeps the lists of themes that are stored and published: which artifact has which, what a change of the archive changes in
// them, and what is told of that.
//
//   - Lists is what lives from one commit to the next: all lists of all artifacts, who lists whom, and who is due. A Pass is what one commit does to
//     them. It compares by a Model, through the Profiles of all artifacts, and writes through a Writer.
//   - Row is what the store keeps of one artifact: its lists as they were published last, what they are of, and by which model they are current.
//   - Topic is where the lists of a theme go. Message is what is told there.
//   - Row.Past is how a list came to be: its last changes, in a row of their own beside (rerank.History: 16 changes and 512 bytes at most a list).
//   - Checker tells what is wrong with rows.
//
// In come the ids of artifacts that have changed, with what caused it. Out go rows and messages for the outbox, in one commit. The package must not
// know the store, Kafka, how profiles are made and kept, or when it is time for a Pass.
//
// # Who has a list
//
// An artifact has lists of the themes that apply to it by the Model's gate (theme.Model.Gate), at most Config.Themes of them. A
// theme that does not apply to it has no list and costs it nothing. Everyone who has a profile may be listed.
//
// # What is exact
//
// When nothing is due, a list is that of everyone compared with everyone by the Model that serves, whatever the history (TestHistories). A Pass
// searches the table of all profiles (theme.Search) for each artifact that it computes, both ways: who belongs in its lists, and whose lists it
// enters. For that the table knows which score enters each list (Profiles.Admit): Lists says so whenever one changes. Few are compared. What is
// common to two works is the same whichever of them asks, and only who is taken to have the theme differs, so that one comparison serves both
// (theme.Pair). Scores of what stays differ by no more than Config.Tolerance from those of now.
//
// A row keeps half as many entries again as are told. One that goes, or that something new makes worse than all of them, makes place for the
// next, and only a list that has lost all of these is searched among everyone again: a deletion among 3,000 works of the Tate took 170 ms of a
// processor without them, and takes 3 ms.
//
// The obvious design, to compare a newcomer with the candidates of its other lists, finds who is alike in words and entities, and what a theme adds is whom
// that misses.
//
// # Another model
//
// It changes all lists. Those of the model before stay, in the store and in the topic, until each is computed anew, as after a change of settings (package
// daemon/pipeline/made): meanwhile they take up nobody, and lose who is deleted. Each list says which model it is of. The obvious
// design, a cutover, would hold all lists twice.
//
// # Muted themes
//
// Of a theme whose topic is not there nothing can be told. Its lists stay as they were told, marked as no model's in their rows, so that a start knows it too;
// nobody enters or leaves them, and those of artifacts that go are left behind. When it can be told of again, all this is made up for
// (TestMutedThemes). The obvious design, to drop them, would leave in the topic the lists of artifacts that were deleted meanwhile.
//
// # What is durable
//
// A Pass is one commit: rows, and messages in the outbox of the same store. So each change is told once, and what is in the topics in the end is what the
// rows say (TestHistories). It is not the commit of the batch that changed the archive. After a crash between the two the rows say what they
// were made of (Row.Work), Lists.Align finds what is not that any more, and the changes are told then, without their cause.
package stored
