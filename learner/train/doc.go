// Package train fine-tunes the multimodal model (package model) on an archive by momentum contrast (package moco).
//
// A Set is a snapshot of the archive, made with a Builder: nodes with features of each modality, the typed edges by
// which they read one another, and of each artifact its record's parts, its culture, its links and those it shares rare
// entities with. A Sampler draws batches of views from a Set. A Trainer runs a Config's Stages over these, and its Best
// weights come out; Checkpoint and Resume let it stop and go on. Embed, EmbedWithoutOrigin and Halves embed a Set with
// given weights, to compare models. The package does not know records, the store or the daemon (package dataset makes
// Sets of records), nor which model serves (package finetune).
//
// # Views
//
// Each step draws artifacts, and two views of each. A view shows some parts of the record (often one half of them in
// one view and the other half in the other), some of the modalities, some coordinates of the features, and some of the
// neighbours. Now and then the second view is of another artifact: a linked one, or one that shares a rare entity. Some
// first views lack all that names an origin (culture, period, dynasty, reign, style, place, creator), as the record of
// many a newcomer does. No artifact of a step is a neighbour in it, so that no view can look the other up.
//
// Negatives are the earlier keys in the queue. Those of other cultures weigh more when they are near (hard negatives);
// those that are linked to an artifact, or share a rare entity with it, weigh nothing.
//
// Beside that contrast, a quarter of the embedding's coordinates learns to tell the cultures apart, by the cultures'
// prototypes (package moco): with the contrast alone, the neighbours of an artifact whose origin is hidden were of its
// culture less often than those that word tf-idf finds.
//
// With Config.BranchWeight each branch has a contrast of its own behind a projection head, so that a modality must tell artifacts
// apart by itself and can't leave that to another. Its positive pairs are the same, where both views show the modality: two views of an
// artifact's pictures, or the pictures of two that are linked. An artifact without the modality, or whose view hides it, has neither a
// loss nor a key there. The heads belong to the training: the weights that come out have none.
//
// # Stages
//
// A Stage has a learning rate with a linear warm-up and a cosine decay (Loshchilov and Hutter 2017, equation 5).
// "heads" trains fusion and projection, with the branches frozen; "unfreeze" the upper layers and, in its second half,
// the lower ones, each at a lower rate (Howard and Ruder 2018, sections 3.2 and 3.3); "full" trains everything, and is
// the only one by default. Every Config.Every steps the held-out artifacts' halves are looked for by each other
// (Validation); the best weights are kept, and training ends after Config.Patience validations without a better one.
//
// Guarantee: a run is a function of the Set, the Config and the starting weights: the same bytes for any number of
// threads, and also when it was stopped and went on from a checkpoint (TestRunRepeatsResumesAndLearns).
package train
