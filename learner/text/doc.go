// Package text turns what can be read of an artifact into a feature vector.
//
// The way of a text, and what each step is for:
//
//   - NFKC and case folding (Unicode toNFKC_Casefold), so that spellings which
//     a reader takes for equal are equal;
//   - words: maximal runs of letters, numbers and marks. Words carry names;
//   - character 3..5-grams of each word, with a mark at both of its ends. They
//     carry inflections, misspellings, and scripts written without spaces;
//   - both hashed into a fixed number of buckets by a seeded hash (Weinberger
//     et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009),
//     so that there is no vocabulary to keep and new words need no training;
//   - weighted (1 + ln tf) * (ln((1+N)/(1+df)) + 1), the words and the grams
//     each scaled to length 1, since there are twenty times as many grams;
//   - projected to Dim coordinates by a sparse Johnson-Lindenstrauss transform
//     (Kane and Nelson, "Sparser Johnson-Lindenstrauss Transforms", JACM 2014,
//     the block construction): cosines survive within about 1/sqrt(Dim). The
//     columns are computed from the bucket's hash; no matrix is stored.
//
// An Encoder is a pure function of its Config: equal input gives equal bits,
// whatever was encoded before and on however many goroutines. The document
// frequencies are the one thing that changes; they live in Table.
package text
