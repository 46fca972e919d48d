// Command model compares the models and trainings that a user can choose, in one table (make bench-model): by what they learn, and by
// what they cost.
//
// A grid has data (the demo archive with its pictures and recordings, Walters, Tate) and choices (layers, fusion, residual, aggregator,
// media as nodes, a loss behind each branch), each beside the default in one thing. A choice that this build's model does not know is
// left out with a remark. Of each pair and seed the lab (learner/train/lab) trains a model and measures it on artifacts that were set
// aside: halves MRR, culture by the ten nearest others (accuracy, macro F1 over cultures of ten records at least). What a newcomer costs
// is the processor time of a daemon with that model: the first records of the data are fed, and settled; then so many more, at a rate;
// the difference is divided by these. A loss behind branches changes nothing of what serves, and is not measured there again.
//
// A row is kept (-rows, rows.jsonl beside this) as soon as it is there, and one that is kept is not made again: a run that was stopped goes
// on where it was, and short runs add up. Rows are told apart by all that they were made with, but not by the revision, which the table
// names: who changes what a training does takes another file, or begins this one anew.
//
// The whole table takes a night of a quiet machine. A part of it answers sooner, and says what it is of: -records N trains with as many
// records of each archive, -steps and -seeds with less of each. -loaded is for a machine that has other work: what is learned does not
// depend on that (the lab's result is the same bit for bit, whatever runs beside it); no cost is measured then, and none of such a row is told.
package main
