// Package text turns what can be read of an artifact into a feature vector.
//
// The way of a text, and what each step is for:
//
//   - normalization, so that spellings which a reader takes for equal are equal:
//     NFKD and full case folding; accents, vowel signs, tatweel, joiners, and the
//     macrons, dots, ayns and hamzas of transliterations dropped; letters that
//     differ by habit only made one (the forms of Arabic kaf, ya and heh, the
//     Turkish i, ligatures, v and u: see sameLetters); digits of all scripts made
//     ASCII. None of it needs the language, so that records of different
//     languages still meet. What is left in pieces is composed (NFC);
//   - letters and words of a user's own (Spellings) read as others;
//   - words: maximal runs of letters, numbers and marks. An apostrophe inside of a
//     word is dropped like an ayn (Qur'an), unless the usage of the text's
//     language, given or detected, parts words by it (l'art, Konya'da);
//   - sounds: a word's consonants, those alike made one, by which Süleyman, Suleiman and
//     سليمان meet. They count beside the words;
//   - character 3..5-grams of each word, with a mark at both of its ends. They
//     carry inflections, misspellings, and scripts written without spaces;
//   - all hashed into a fixed number of buckets by a seeded hash (Weinberger
//     et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009),
//     so that there is no vocabulary to keep and new words need no training;
//   - weighted (1 + ln tf) * (ln((1+N)/(1+df)) + 1), the words, the sounds and
//     the grams each scaled to a length of their own, since there are ten times
//     as many grams;
//   - projected to Dim coordinates by a sparse Johnson-Lindenstrauss transform
//     (Kane and Nelson, "Sparser Johnson-Lindenstrauss Transforms", JACM 2014,
//     the block construction): cosines survive within about 1/sqrt(Dim). The
//     columns are computed from the bucket's hash; no matrix is stored.
//
// An Encoder is a pure function of its Config: equal input gives equal bits,
// whatever was encoded before and on however many goroutines. The document
// frequencies are the one thing that changes; they live in Table.
//
// Its types, in the order of the steps: an Encoder counts the Terms of Texts into a Doc, Table has the document frequencies of
// all, Spellings are what a user has read as something else, and Encoder.Project makes the vector of a Doc by them. Package text must not know what an artifact is (package weave
// gives the texts), nor who keeps the frequencies.
package text
