"""Makes evaluation.json: scores drawn from a fixed seed, and what scikit-learn and SciPy say of them.

    pip install scikit-learn scipy && python evaluation.py > evaluation.json
"""
import json

import numpy as np
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from scipy.stats import beta
from sklearn.metrics import accuracy_score, confusion_matrix, roc_auc_score, roc_curve

rng = np.random.default_rng(20)


def comparison(genuine, impostor, fmrs, threshold):
    # f32 first: the scores of the library are f32, and ties have to be the same on both sides.
    genuine, impostor = (np.asarray(a, np.float32) for a in (genuine, impostor))
    labels = np.r_[np.ones(len(genuine)), np.zeros(len(impostor))]
    scores = np.r_[genuine, impostor]
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    accepted = scores >= np.float32(threshold)
    tn, fp, fn, tp = confusion_matrix(labels, accepted).ravel()
    return {
        "genuine": [float(v) for v in genuine],
        "impostor": [float(v) for v in impostor],
        "auc": roc_auc_score(labels, scores),
        "eer": brentq(lambda x: 1.0 - x - interp1d(fpr, tpr)(x), 0.0, 1.0, xtol=1e-14),
        "tar_at": [[f, tpr[fpr <= f].max()] for f in fmrs],
        "threshold": float(np.float32(threshold)),
        "at_threshold": {"fmr": [int(fp), int(fp + tn)], "fnmr": [int(fn), int(fn + tp)]},
        "accuracy": accuracy_score(labels, accepted),
        "roc_points": len(fpr),
    }


def clopper_pearson(k, n):
    low = 0.0 if k == 0 else float(beta.ppf(0.025, k, n - k + 1))
    high = 1.0 if k == n else float(beta.ppf(0.975, k + 1, n - k))
    one_sided = 1.0 if k == n else float(beta.ppf(0.95, k + 1, n - k))
    return {"hits": k, "trials": n, "low": low, "high": high, "upper_95_one_sided": one_sided}


fmrs = [0.0, 0.001, 0.01, 0.1, 0.5, 1.0]
print(json.dumps({
    "comparisons": [
        comparison(rng.normal(0.75, 0.1, 120), rng.normal(0.45, 0.1, 300), fmrs, 0.6),
        # Few distinct scores: ties within and across the classes.
        comparison(rng.integers(4, 11, 80) / 10, rng.integers(0, 8, 90) / 10, fmrs, 0.5),
        # Nothing to tell apart, and everything.
        comparison(rng.random(50), rng.random(70), fmrs, 0.5),
        comparison(rng.uniform(0.8, 1.0, 20), rng.uniform(0.0, 0.2, 30), fmrs, 0.5),
    ],
    "intervals": [clopper_pearson(k, n) for k, n in [
        (0, 1), (1, 1), (0, 30), (2, 30), (15, 30), (30, 30), (1, 500), (6, 123_950), (123_000, 123_950),
        (40_000, 1_000_000),
        (3, 100_000_000),
    ]],
}, separators=(",", ":")))
