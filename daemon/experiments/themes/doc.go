// Command themes asks how well the works of a museum are ranked by theme, beside the peer's kernel ridge regression
// (../shared/peers/themes/ridge.py), BM25 and word tf-idf, in one run (make bench-themes).
//
// A feed of works with theme labels is split at random, by the peer's seed: those fitted, whose labels are known, and those ranked,
// whose labels only judge. Asked are ranked works that share a term of the theme with another one (at most -queries a
// theme), and each ranks the others. The gain of a work is the Jaccard similarity of its terms of the theme to those of the work that asks;
// the figure is the mean nDCG@10 (Järvelin and Kekäläinen 2002).
//
// The row overall is of all themes at once: the gain is the mean of the Jaccard similarities, of 600 works that ask.
//
// With -kilim (make bench-themes-daemon) a daemon is asked in place of the peer: it is fed with all works, those to be fitted with labels, half of them
// later, as replacements. Its lists of 200, less the fitted works in them, and kilim eval, which draws its queries itself, must agree with the model to 0.01 in the mean.
//
// With -kilim and -declare THEME a daemon is fed with all works but 300, and learns all themes but one, of which the records have labels. That one is declared while the 300
// come, five a second. It is told how long after the declaration a list of the theme is answered and a message is in its topic, by how much processor time of the
// daemon, whether the lists of the other themes are the same, and how long nothing was told of them. It fails if a list of another theme is not answered, or a newcomer
// not told.
//
// The heads (learner/theme/head), one vector a work and theme, are fitted by the profiles of the fitted works. They rank alone, and
// as candidates: how many of the first 10 by the whole score are among the first 200 by the vectors.
//
// Beside them E of the daemon's untrained model is split into a group of coordinates for each theme and one that they share. Of both it is told how
// well linear probes read a theme's terms from the vectors of another: leakage.
//
// With -gate (make bench-themes BENCH=-gate) it is told instead how well the gate tells which themes the ranked works have labels of, and its load a theme; and how well works
// are ranked in general by what it says the themes count, with evidence as in the list total, beside equal weights, total and general alone, among all
// ranked works and among the first 200 of total, which is what a daemon orders.
//
// The peer runs unchanged, beside, as a process of its own. questions.py repeats its draws, so that split and queries are the
// same. Times are those of the processor and not of the wall.
package main
