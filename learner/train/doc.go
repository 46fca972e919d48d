// Package train fine-tunes the multimodal model on an archive by momentum
// contrast (package moco).
//
// # What it learns from
//
// A Set is a snapshot of the archive: nodes with features per modality, the
// typed edges by which they read one another, and of each artifact its fields,
// its culture, its links and its rare entities. Each step draws artifacts, and
// two views of each. A view shows some of the fields (often the one half of
// them in one view and the other in the other), some of the modalities, some
// coordinates of the features, and some of the neighbours. Now and then the
// second view is of another artifact: one that is linked, or shares a rare entity.
// And some first views lack all that names an origin (culture, period, dynasty,
// reign, style, place, creator), as the record of many a newcomer does.
// No artifact of a step is a neighbour in it: nothing can be looked up.
//
// Negatives are the earlier keys in the queue. Of those from other cultures the
// near ones weigh more; what shares a rare entity with an artifact, or is linked
// to it, weighs nothing.
//
// Beside that contrast, half of the embedding's coordinates learn to tell the
// cultures apart, by the cultures' prototypes (package moco): with the contrast
// alone the neighbours of an artifact whose origin is hidden were of its culture
// less often than those that word tf-idf finds.
//
// # How
//
// Stages, each with a rate, warm-up and cosine: "heads" (fusion and projection;
// the branches stay), "unfreeze" (the upper layer first, in its second half the
// lower ones too, at lower rates), "full" (everything; by default there is only this one). Now and then the held-out
// artifacts' halves look for each other; the best weights are kept, and training
// ends when nothing has become better for a while.
//
// Guarantee: a run is a function of the Set, the Config and the starting weights:
// the same bytes twice, for any number of threads, and also when it was stopped
// and went on from a checkpoint.
package train
