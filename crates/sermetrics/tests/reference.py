"""Writes reference.json: random label sets and what scikit-learn and NumPy make of them.

    python crates/sermetrics/tests/reference.py     # scikit-learn 1.9.1, NumPy 2.4.6, statsmodels 0.15.0
"""
import json
import pathlib
import warnings

import numpy as np
from scipy import stats
from sklearn.metrics import (balanced_accuracy_score, confusion_matrix, f1_score, log_loss,
                             precision_recall_fscore_support)
from statsmodels.stats.multitest import multipletests

warnings.simplefilter("ignore")
rng = np.random.default_rng(7)
cases = []
for _ in range(30):
    classes = int(rng.integers(2, 9))
    n = int(rng.integers(1, 70))
    present = rng.choice(classes, size=int(rng.integers(1, classes + 1)), replace=False)
    truth = rng.choice(present, size=n)
    predicted = np.where(rng.random(n) < 0.6, truth, rng.integers(0, classes, n))
    logits = rng.normal(size=(n, classes))
    probabilities = np.round(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), 6)
    probabilities /= probabilities.sum(1, keepdims=True)
    labels = list(range(classes))
    precision, recall, f1, support = precision_recall_fscore_support(truth, predicted, labels=labels, zero_division=0)
    values = rng.normal(80, 5, size=10)
    others = values + rng.normal(1, 2, size=10)
    test = stats.ttest_rel(others, values)
    interval = test.confidence_interval(0.95)
    # Nadeau and Bengio 2003, for ten folds: the standard error with 1 / J + 1 / (k - 1) in place of 1 / J
    difference = others - values
    error = np.std(difference, ddof=1) * np.sqrt(1 / 10 + 1 / 9)
    corrected = stats.t.interval(0.95, 9, loc=difference.mean(), scale=error)
    other_system = np.where(rng.random(n) < 0.5, truth, rng.integers(0, classes, n))
    a, b = predicted == truth, other_system == truth
    only = int((a & ~b).sum()), int((b & ~a).sum())
    family = rng.random(int(rng.integers(1, 7))) * 0.1
    confidence = probabilities.reshape(n, classes).max(1)
    confidence[: n // 2] = np.round(confidence[: n // 2] * 15) / 15      # on the edges
    # (edge, edge]: the number of edges below it, edges as exact f64 quotients
    bins = np.clip(np.digitize(confidence, np.arange(1, 15) / 15, right=True), 0, 14)
    gaps = [(np.abs(a[bins == i].mean() - confidence[bins == i].mean()), (bins == i).sum()) for i in range(15) if (bins == i).any()]
    onehot = np.eye(classes)[truth]
    cases.append(dict(
        classes=classes, truth=truth.tolist(), predicted=predicted.tolist(),
        confusion=confusion_matrix(truth, predicted, labels=labels).tolist(),
        uar=balanced_accuracy_score(truth, predicted), war=float(np.mean(truth == predicted)),
        macro_f1=f1_score(truth, predicted, average="macro", zero_division=0),
        weighted_f1=f1_score(truth, predicted, average="weighted", zero_division=0),
        precision=precision.tolist(), recall=recall.tolist(), f1=f1.tolist(), support=support.tolist(),
        probabilities=probabilities.ravel().tolist(),
        log_loss=log_loss(truth, probabilities, labels=labels),
        brier=float(np.mean(((probabilities - onehot) ** 2).sum(1))),
        values=values.tolist(), others=others.tolist(), mean=float(np.mean(values)),
        std=float(np.std(values, ddof=1)),
        difference_low=interval.low, difference_high=interval.high, difference_p=float(test.pvalue),
        corrected_low=float(corrected[0]), corrected_high=float(corrected[1]),
        corrected_p=float(2 * stats.t.sf(abs(difference.mean()) / error, 9)),
        other_system=other_system.tolist(), only=only,
        mcnemar_p=float(stats.binomtest(only[0], sum(only), 0.5).pvalue) if sum(only) else 1.0,
        family=family.tolist(), holm=multipletests(family, method="holm")[1].tolist(),
        confidence=confidence.tolist(), bin_counts=np.bincount(bins, minlength=15).tolist(),
        ece=float(sum(gap * count for gap, count in gaps) / n), mce=float(max(gap for gap, _ in gaps)),
    ))
text = json.dumps(cases, separators=(",", ":")).replace("},{", "},\n{")
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
