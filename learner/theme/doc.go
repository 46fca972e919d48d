// Package theme tells what an artifact is like in one respect: in its motifs, its craft, the belief that it speaks of. What it
// learns from are labels: for some artifacts it is known which terms of a theme they have.
//
//   - A Work is what is read of one artifact, and its labels.
//   - A Space weighs what is read: words, titles and shared entities by how rare they are, and gives each Work a Vector. The inner
//     product of two Vectors is their kernel, a weighted sum of four cosines.
//   - A Profiler predicts by kernel ridge regression which terms a Work has: Fit, then Profiles. A Profile is the probability
//     of each term, and the shares of the terms of the nearest labelled Works.
//   - A Ranker scores two Works in a theme by the Jaccard similarity that is to be expected of their terms, given that the one
//     that asks has the theme, and by three lesser parts. The parts add up to the score.
//
// Ridge regression in closed form rivals deep networks at this (Onishi and Hayashi, "A Reproducibility and Generalizability Study
// on Extreme Multi-Label Classification with Ridge Regression", ECIR 2025, arXiv 2501.10179). It is solved by the Nyström method (Williams and
// Seeger, "Using the Nyström Method to Speed Up Kernel Machines", NIPS 2000, section 2): the model has as many rows as there are
// landmarks, however large the archive; with a landmark for each labelled Work it is the exact solution.
//
// Guarantee: the labels of a Work reach nothing but a Profiler that it is fitted by. A Profiler is a function of the Works that
// it was fitted by, whatever their order, and the same to the bit for any number of threads.
//
// The package does not know the store, Kafka, or which artifacts are candidates.
package theme
