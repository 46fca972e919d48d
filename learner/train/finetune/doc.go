// Package finetune fine-tunes the model that serves, beside serving, and lets the result take over only
// when it has shown to be no worse.
//
// A run takes a snapshot of the archive (package dataset), trains from the weights that serve (package
// train), compares both on what was held out (package gate), and keeps the candidate with its table among the
// models, promoted or rejected. What is promoted takes over when its Manager has made all that a model makes.
//
// Training is resumable: a checkpoint is written now and then, and a run over the same snapshot goes on from
// it, also after a crash, to the same bytes. When the archive has changed since, the run begins anew: the
// checkpoint would be of other artifacts. Whatever happens, what serves is not touched before the
// candidate is whole, judged and written down.
//
// Run is one training, of a Source; a Tuner runs one whenever its Triggers say so, of the Archive that its Manager
// serves. The package does not know where an archive is kept, nor how a model comes to serve.
//
// The training's share of the processor is bounded by resting between steps, on one thread: ingest
// finds the other cores free, and this one most of the time.
package finetune
