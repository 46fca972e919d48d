// Command maps draws the vectors of an archive as a map (package layout), beside scikit-learn's t-SNE on the same vectors, in one run
// (make bench-maps).
//
// The vectors are those that the index's peers are measured with (../shared/peers/ann/make_data.py, walters-svd-128). kilim finds their
// neighbours by its index, as the daemon would, and draws them; the peer runs with its defaults, as a process of its own. Both maps are
// measured by the same exact Trustworthiness and Continuity, at k = 15, over each -every-th point.
//
// Then a map of ten elevenths of the vectors is drawn, the others are placed as newcomers (-place), and the next layout follows: told are how long a
// newcomer takes, how far the map can be believed before and after, and how far the old points move, in widths of the map.
//
// Times are those of the processor and not of the wall.
package main
