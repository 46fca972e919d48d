"""Prints as JSON which works the peer fits and ranks, and which of them ask: python questions.py PEER FEED FIT SEED QUERIES.

The peer (ridge.py) draws them by numpy's generator; the draws are repeated here, by its own functions and in its order, so that others
can be asked the same. Works are given by their places in the feed; those that ask, by their places among the ranked ones."""
import gzip, importlib.util, json, sys
import numpy as np

peer, feed, fit, seed, queries = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
spec = importlib.util.spec_from_file_location("peer", peer)
ridge = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ridge)

with gzip.open(feed, "rt") as f:
    works = [json.loads(line) for line in f]
places = np.random.default_rng(seed).permutation(len(works))
fitted, ranked = np.sort(places[:fit]), np.sort(places[fit:])
themes = sorted({t for w in works for t in w.get("theme", {})})
draw, asked, some = np.random.default_rng(0), {}, np.zeros(len(ranked), bool)
for t in themes:
    having = ridge.terms([works[i] for i in ranked], t)
    shared = np.asarray(having.sum(0)).ravel() >= 2
    able = np.flatnonzero(having @ shared.astype(float) > 0)
    some[able] = True
    if len(able):
        asked[t] = np.sort(draw.choice(able, queries, replace=False)) if len(able) > queries else able
able = np.flatnonzero(some)
general = np.sort(draw.choice(able, min(len(able), 600), replace=False))
print(json.dumps({"fitted": fitted.tolist(), "ranked": ranked.tolist(), "general": general.tolist(), "asked": {t: q.tolist() for t, q in asked.items()}}))
