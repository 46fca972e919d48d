"""Draw vectors by scikit-learn's t-SNE, and print a line of JSON: the seconds of processor time.

    python peer.py VECTORS.f32 DIMENSION POINTS.f32
"""
import json
import sys
import time

import numpy as np
from sklearn.manifold import TSNE

vectors = np.fromfile(sys.argv[1], dtype="<f4").reshape(-1, int(sys.argv[2]))
start = time.process_time()
points = TSNE(n_components=2, init="pca", random_state=0, n_jobs=-1).fit_transform(vectors)
spent = time.process_time() - start
points.astype("<f4").tofile(sys.argv[3])
print(json.dumps({"seconds": spent}))
