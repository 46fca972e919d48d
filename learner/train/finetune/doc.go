// Package finetune trains the model that serves further, beside serving, and promotes the result only if it has proved
// to be no worse.
//
// Run is one training of a Source. It takes a snapshot of the archive (package dataset), trains from the weights that
// serve (package train), compares both on what was held out (package gate), and adds the candidate with its Table to
// the models (package registry), as evaluated or rejected. A Scheduler runs one whenever its Triggers say so, on the
// Archive that its Manager serves, and asks the Manager to promote a better candidate. The package does not know where
// an archive is kept, nor how a model comes to serve.
//
// Training is resumable: Run writes a checkpoint now and then, and a Run over the same snapshot goes on from it, also
// after a crash, to the same bytes (TestKilledAnywhere). If the archive has changed since, the training begins anew:
// the checkpoint would be of other artifacts. What serves is not touched before the candidate is complete, compared and
// written down.
//
// Training takes only its Share of the processor: it pauses between steps, which run on one thread by default. Ingest
// then finds the other cores free, and this one most of the time.
package finetune
