// Package moco trains a model by momentum contrast (He et al. 2020, Algorithm
// 1): a query encoder with gradients, a key encoder which follows it slowly, and
// a queue of earlier keys as negatives; beside these, if wanted, Prototypes of
// known classes. A step is deterministic: the same
// weights, blocks and seed give the same bits, for any number of threads.
package moco
