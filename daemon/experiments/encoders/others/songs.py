"""The task "songs: type" asked of what others use: openSMILE's feature sets, and the networks of musicnn,
which were trained on the tags that listeners gave to recordings (MagnaTagATune, Million Song Dataset).

Neighbours are by cosine of features of mean 0 and deviation 1 over the collection, held to 4 deviations; the score is
that of `kilim eval encoders`: the share of a recording's nearest five that are of its type, leave one out.
Beside it, what a classifier trained on the types themselves gets, to tell whether the features know anything of them.

    make bench-songs
"""
import json, os, sys, warnings

warnings.filterwarnings("ignore")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import opensmile
import soundfile
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

NEAREST, RESAMPLES, SEED = 5, 2000, 1


def songs(folder):
    """Paths and types of the recordings."""
    with open(os.path.join(folder, "songs.jsonl"), encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    return ([os.path.join(folder, r["media"][0]["uri"]) for r in records],
            np.array([r["theme"]["music"][0] for r in records]))


def smile(paths, feature_set):
    extractor = opensmile.Smile(feature_set=feature_set, feature_level=opensmile.FeatureLevel.Functionals)
    rows = []
    for path in paths:
        samples, rate = soundfile.read(path, always_2d=True)
        rows.append(extractor.process_signal(samples.mean(1), rate).values[0])
    return np.nan_to_num(np.array(rows))


def network(paths, model):
    """Log tags and the layer before them, means over windows of three seconds."""
    from musicnn.extractor import extractor

    tags, layer = [], []
    for path in paths:
        likely, _, features = extractor(path, model=model, input_length=3, input_overlap=1.5, extract_features=True)
        tags.append(np.log(likely + 1e-4).mean(0))
        layer.append(features["penultimate"].reshape(-1, features["penultimate"].shape[-1]).mean(0))
    return np.array(tags), np.array(layer)


def nearest(features, types):
    """The score of each recording."""
    z = np.clip((features - features.mean(0)) / (features.std(0) + 1e-9), -4, 4)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    likeness = z @ z.T
    np.fill_diagonal(likeness, -np.inf)
    order = np.argsort(-likeness, axis=1, kind="stable")[:, :NEAREST]
    return (types[order] == types[:, None]).mean(1)


def interval(scores):
    rng = np.random.default_rng(SEED)
    means = [rng.choice(scores, len(scores)).mean() for _ in range(RESAMPLES)]
    return np.percentile(means, [2.5, 97.5])


def taught(features, types):
    """Accuracy of linear discriminants with shrinkage, eight folds, three times."""
    classifier = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))
    folds = RepeatedStratifiedKFold(n_splits=8, n_repeats=3, random_state=SEED)
    return cross_val_score(classifier, features, types, cv=folds).mean()


def main():
    paths, types = songs(sys.argv[1])
    sets = {"openSMILE eGeMAPSv02": smile(paths, opensmile.FeatureSet.eGeMAPSv02),
            "openSMILE ComParE 2016": smile(paths, opensmile.FeatureSet.ComParE_2016)}
    stdout, sys.stdout = sys.stdout, sys.stderr  # musicnn prints its progress
    for model in ("MTT_musicnn", "MSD_musicnn"):
        sets[f"{model}, tags"], sets[f"{model}, last layer"] = network(paths, model)
    sys.stdout = stdout
    counts = np.unique(types, return_counts=True)[1]
    chance = (counts * (counts - 1)).sum() / (len(types) * (len(types) - 1))
    print(f"songs: type, {len(types)} recordings, {len(counts)} types; chance {chance:.3f}\n")
    print(f"{'':26}{'features':>9}  {'nearest 5, of the type':24}taught the types: right")
    for name, features in sets.items():
        scores = nearest(features, types)
        low, high = interval(scores)
        right = f"{taught(features, types):.3f}" if features.shape[1] < 1000 else "-"
        print(f"{name:26}{features.shape[1]:>9}  {f'{scores.mean():.3f} ({low:.3f}..{high:.3f})':24}{right}")


if __name__ == "__main__":
    main()
