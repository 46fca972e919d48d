// Package moco trains a model by momentum contrast (He et al. 2020, Algorithm 1).
//
// A Trainer has a query encoder with gradients, a key encoder that follows it slowly, and a queue of earlier keys as
// negatives. Step takes two Views of the same items and moves the weights once; beside the contrast of the fusion's
// projections it may have Prototypes of known classes, and a contrast of each branch's projections (Config.Branches). State and Restore let a Trainer stop and go on. The package does not know how views are
// made, which negatives are hard (a tape.Weigher says that), or when to stop: all of that is package train's.
//
// AdamW moves every row of the weights in every step, also those of the input that no sparse row of the views reads: their
// gradient is 0, so that their moments fade, and they go on by the moments and the decay, as after a dense product. A lazy
// update, of the rows that were read, would be another optimizer.
//
// Guarantee: a step is deterministic. The same weights, views and seed give the same bits, for any number of threads.
package moco
