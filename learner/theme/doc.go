// Package theme tells what an artifact is like in one respect: in its motifs, its craft, the belief that it speaks of. What it
// learns from are labels: for some artifacts it is known which terms of a theme they have.
//
//   - A Work is what is read of one artifact: words, title, and names that it may share with others. It has no labels.
//   - A Basis is what a fit needs of the Works whose labels are known, before these labels are looked at. When Works come or change,
//     another one is made and fitted in the background, and until then the Model that serves does not know them: their
//     words change how rare all others are, so that an update of the solution would not be the one that a fresh fit finds.
//   - Basis.Fit makes a Model of the Works' Labels. It takes over what an earlier Model of the same Basis knows: a label that came costs the
//     solution of its term, a new theme that of its terms, and the others keep their weights to the bit.
//   - Model.Profile predicts the terms of a Work: a Profile. Model.Ask makes of the Profile of a Work that asks a Question: Compare scores
//     another Profile in a theme, General in all, and Explain names the terms that both are likely to have, which are the reason.
//   - Model.Gate tells which themes apply to a Work, and what each counts.
//   - A Table has the Profiles of many. Table.Search finds whom a Work has to be compared with: those that may be among its best, and those that
//     may have it among theirs. Nobody else belongs there.
//   - MarshalBinary and Unmarshal keep a Model. A Basis is not kept: Works are, by their owner.
//
// # Method
//
// Terms are predicted by kernel ridge regression, which rivals deep networks at this (Onishi and Hayashi, "A Reproducibility and
// Generalizability Study on Extreme Multi-Label Classification with Ridge Regression", ECIR 2025, arXiv 2501.10179). The kernel is a sum
// of four cosines: words with pairs of words, the same of the title, the title's characters, and what is shared, each weighted by rarity. Of n
// Works x f features X the weights are X' (X X' + ridge I)^-1 (Y - prior). The equations are solved by conjugate gradients, abreast terms at
// once, over products with the sparse X alone, preconditioned by the Nyström approximation of X X' (Williams and Seeger, "Using the
// Nyström Method to Speed Up Kernel Machines", NIPS 2000; as a preconditioner Frangella, Tropp and Udell, "Randomized Nyström
// Preconditioning", SIMAX 2023). The same approximation instead of the solution lost: with 4,096 landmarks of 8,000 works
// the mean nDCG@10 was 0.359, exactly solved 0.373 (daemon/experiments/themes/RESULTS.md). Weights near 0 are dropped: a Profile is a sum over the few that
// remain, not over all Works.
//
// Two works are as like in a theme as the Jaccard similarity that is to be expected of their terms. Parts are what is added
// to it. Part of that goes by the terms of all themes; so that one which comes later changes nothing of the others, it may stand apart (Model.Apart).
//
// # Bounds
//
// With n Works, f features (about 5 n), t terms, m landmarks (at most Config.Landmarks), and 4 bytes a number:
//
//   - a Basis takes n m numbers for the preconditioner, and 4 for each feature of each Work (about 100): 8,000 Works 50 MB;
//   - a Fit takes abreast (4 n + m + f) for each thread, 18 MB, and a Model 2 for each weight of at least 0.01, at most 16,384 a term: 3 million
//     for 2,600 terms, 23 MB;
//   - a Profile keeps at most 256 terms by each of two predictions and 256 words: 6 KB. A text of any length has 1,024
//     coordinates a view at most.
//
// Time, of one processor, for 8,000 Works and 2,600 terms that two have: a Basis 2 s, a Fit 24 s (it grows as n t), a theme of 10 terms
// 1 s, since up to 64 terms are solved at once; a Profile 0.9 ms, a comparison
// 1 us in a theme, 3 with those in general among them.
//
// # Whom to compare
//
// All parts of a score are inner products of vectors with nothing negative, or Jaccard similarities made of one. A Table has postings of each vector's larger
// parts, and how long the smaller ones are together. What a Work shares with another is at most what postings
// gather, and the product of its length with that of the smaller parts: a Search adds that up for everyone, and compares those alone whose sum
// does. Of 11,940 works of the Tate a list of 15 takes some 50 comparisons, as of 3,000; what grows with the archive is the sum.
//
// The obvious design, the nearest by vectors of 64 numbers (package head), lost: they order well, but bound nothing, so that who is missing is
// not known. To keep all parts in postings would take 4 KB of each artifact, and as many comparisons.
//
// # Guarantees
//
// Labels reach nothing but the Fit that they are given to. A Model is a function of its Works and their Labels, whatever their
// order, and the same to the bit for any number of threads and whatever Model it was updated from.
//
// The package does not know the store, Kafka, or which artifacts are candidates.
package theme
