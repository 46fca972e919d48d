// Command lab shows what fine-tuning does for the embeddings, on feeds in kilim's profile:
//
//	go run ./learner/train/lab -feed ../shared/data/walters.jsonl.gz
//	kilim demo --artifacts 3000 --out demo.jsonl
//	go run ./learner/train/lab -feed demo.jsonl -without hard
//	go run ./learner/train/lab -feed demo.jsonl -ablations -seeds 1 -steps 400
//
// 2,000 artifacts are set aside (fewer in a small archive). The others are an archive by themselves, of which package
// dataset makes the training set, as it does for the daemon. Then, with all artifacts in the graph, these tasks measure
// the embeddings:
//
//   - half: each record's pieces (title, sentences, terms, date, location; with two or more
//     modalities these too) are dealt out to two halves. The graph has the first half of every
//     record; a second half, which only reads it, looks for its first among all. MRR, and the
//     share found in the first ten.
//   - culture: of the artifacts set aside, culture, period, dynasty, reign, style, place and
//     creator are hidden, in text and graph. The ten nearest of the others that have a culture
//     vote. Accuracy, and F1 as a mean over the cultures. Cultures of fewer than -least records
//     are left out.
//   - each theme of one label (of the demo: motif, music, craft, belief): the same, by the labels
//     of the ten nearest. Themes are never features.
//
// The untrained and the trained model stand beside cosines of words' tf-idf, and BM25. Intervals are of 95%, by
// bootstrap over the artifacts; values of several seeds are their means. A verdict compares with the untrained model,
// pair by pair. With -ablations each part is left out in turn, or made another way, and the verdicts compare with the
// model that has all. RESULTS.md has what was measured last.
package main
