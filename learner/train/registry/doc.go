// Package registry keeps a row for each model: how it came to be, how it was evaluated, and its State.
//
// A Registry is the models of one folder. A Model is one small JSON file, named by its epoch, and beside it the
// checkpoint, if the model has one. Add gives a model the next epoch, SetState records what became of it, List and Get
// read. The package does not know what a model computes, what a checkpoint holds, or which model serves now.
//
// Guarantee: files are replaced as a whole (package atomicfile), so a crash leaves the state before a change or after
// it. States change only as transitions allows.
package registry
