// Command bench times a MoCo step beside PyTorch's, and package gemm's matrix products beside torch's and OpenBLAS'.
// `make bench-train` runs it.
//
// The step is that of ../shared/peers/training/train_step.py with `--graph shared`, whose README describes it: three
// modalities of 512, 256 and 128 features, width 128, batch 256, queue 4096, two layers with 4 bases, cross-attention,
// InfoNCE, AdamW; blocks sampled in the museum's graph beforehand, each node once (the edges of a block are taken apart
// by relation at its first step, which is one of the warm-up). (Ours drops out after the feed-forward of the fusion
// too, and takes means of features before the linear input, and forms the matrices of relations where that is less
// work: the function is the same.) The programs run in turn, -runs times for each number of threads: other work on the
// machine then hits both. A ratio is the median of the ratios of neighbouring runs.
//
// The features of both are normal numbers, none of them 0, so nothing here shows what sparse rows (tape.InputProduct) save.
//
// Products are the best of repeats within 0.6 s, as the peers' matmul.py counts.
//
// The peers' Python environment is made in -cache if it isn't there. RESULTS.md has what was found; -results appends to
// it.
package main
