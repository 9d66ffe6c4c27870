"""Writes reference.json: random label sets and what scikit-learn and NumPy make of them.

    python crates/sermetrics/tests/reference.py     # scikit-learn 1.9.1, NumPy 2.4.6
"""
import json
import pathlib
import warnings

import numpy as np
from scipy import stats
from sklearn.metrics import (balanced_accuracy_score, confusion_matrix, f1_score, log_loss,
                             precision_recall_fscore_support)

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
    interval = stats.ttest_rel(others, values).confidence_interval(0.95)
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
        population_std=float(np.std(values)), sample_std=float(np.std(values, ddof=1)),
        difference_low=interval.low, difference_high=interval.high,
    ))
text = json.dumps(cases, separators=(",", ":")).replace("},{", "},\n{")
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
