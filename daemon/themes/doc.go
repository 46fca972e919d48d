// Package themes owns the themes of a state: which there are, the model that tells them, and lists of what is alike in one.
//
//   - Keeper is all of it, with the settings of Config, over an Archive: the committed documents of whatever state serves. Keeper.Run surveys the
//     archive, fits a theme.Model, and has it serve. Keeper.Sink stands before the state and hears what batches change.
//   - Keeper.Similar and Keeper.SimilarTo answer with an Answer; Keeper.Ranker ranks for an evaluation.
//   - Declaration is a theme that somebody asked for, by configuration or Keeper.Declare. Status tells where each Theme stands.
//
// In come committed documents, the ids of what changed, and declarations. Out go lists, rows and messages of those that are kept, and two files in
// Config.Folder: the model with what it was Made of, and what was declared. Package themes must not know HTTP, Kafka, configuration, how an artifact
// lies in the graph or in the index, or how terms are predicted (package learner/theme).
//
// # Which themes there are
//
// A theme is learned when it was declared, or when Config.Least artifacts have labels of it in their records. A declared one may name fields whose
// terms are its labels where a record has none. A Keeper fits the artifacts that have labels, those whose nodes come first where there are
// more than Config allows. Labels of other themes count for that too: so a theme that is declared brings its terms alone, and no other is solved
// anew. (One by fields brings the artifacts that have no labels, and all are.) One that Keeper.Declare adds when others are served stands apart from
// these: their profiles, lists and the names of what made these stay as they are, and nothing of them is told (TestOthersStayWhenOneIsDeclared). It has up to as
// many places as all of them among an artifact's lists. In scores of the themes that don't stand apart, the nearest fitted works and Parts.Profile go by the terms
// of all of them: that one more counts for the others too, it has to be in the configuration when the daemon starts.
//
// # When it learns
//
// A round surveys the whole archive. When it says the same of labelled artifacts as what the model was fitted on (sums), that is all; else a model is
// fitted, kept, has the profiles of all artifacts made, and takes the place of the one before by one pointer. If the labelled artifacts are the
// same and their labels are not, the fit solves only the terms that are other (theme.Basis, kept for that: 8 KB a work). A declaration is
// learned at once, at the pace of an idle machine until it is answered for, since somebody waits; changes in a quarter of one processor's time at most: the more has changed, the
// sooner. Rounds run on one goroutine, which rests as the making of another state does, and hold no lock that a batch wants.
//
// The obvious design, to count labels as records come, would need what each artifact had before: a survey needs nothing, and is right after deletions,
// cutovers, restored folders and damaged documents, which it passes over.
//
// # Profiles
//
// The list of an artifact is searched among all others (theme.Search). To make their profiles when asked would take 10 s for 12,000, so they are kept in a
// theme.Table, some 7 KB each, with 2.5 KB for the artifact's lists of 10, within their part of Config.Memory; made anew for a new model, and one by one
// for what batches change. An artifact without room is in nobody's list, and has lists of its own when it is asked for, but none that is stored. While a
// model replaces another, profiles of both are there, and both follow the batches, so that the lists of the one that serves do. Only from a declaration until it is
// answered for are no profiles renewed but between terms.
// A theme that the model before did not know is answered for meanwhile by some of the artifacts that have labels of it, and the answer says so (answerEarly); of
// these artifacts the lists are told at once, and again when all are made (tellEarly).
//
// # What is guaranteed
//
// A list never has an artifact whose deletion was committed before it was asked for. When nothing changes any more, lists are a function of the
// documents, the declarations and the settings (TestHistories), also across restarts, where the model that was kept serves until
// a round says otherwise. Labels are targets of the fit alone: neither a profile nor a comparison reads those of the artifacts that
// are compared, but a fitted artifact is its own nearest one (TestLabelsAreNoFeatures). So who evaluates a theme feeds what is ranked without its labels.
//
// # Lists that are stored and published
//
// An artifact's lists of the themes that apply to it by the model's gate (theme.Model.Gate), three at most, are kept in the state that serves and told in topics of their own (package stored), where
// a Store is given. Keeper.Run makes them where it renews profiles, in commits of their own beside the units of records: relist takes what batches
// have changed and some of what is due, and lists of a batch follow it as soon as Run has time for them. Similar answers with what is stored where
// that is current, so that what is answered is what was told; it compares where nothing is stored.
//
// The obvious design, one more name in topk.Lists, would make them in the unit of the record. But a profile takes 1 ms, which a flood has not; a
// model's replacement would have to be a cutover; and what lists cost must be nothing where no theme is learned.
//
// Another model leaves the lists of the one before until it has remade each, and no model is fitted meanwhile, but for a declaration: else a
// feed of labels would have all lists told again for ever. Without a theme, and with Config.Works 0, all lists go. A topic is made before the first list of its theme
// is stored, because a message to one that is missing would hold up all others. While it can't be made, the lists of its theme are as they were told, and all
// other themes go on (align); while none can be made, all lists are as they were. A theme is not declared whose topic is configured for something else.
package themes
