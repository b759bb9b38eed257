"""Slow and plain: volumes under the surface, threshold by threshold and width by width.

The definition is that of Paparrizos et al. (VLDB 2022) in the form that the TSB-AD board computes.
"""

from itertools import pairwise

import numpy as np


def ranges(truth):
    found, start = [], None
    for i, value in enumerate([*truth, 0]):
        if value and start is None:
            start = i
        if not value and start is not None:
            found.append((start, i - 1))
            start = None
    return found


def soft(truth, width):
    weights = [float(value) for value in truth]
    for start, end in ranges(truth):
        for away in range(1, width // 2 + 1):
            for place in (start - away, end + away):
                if 0 <= place < len(truth):
                    weights[place] += np.sqrt(1 - away / width)
    return np.minimum(weights, 1.0)


def widened(truth, width):
    merged = []
    for start, end in ranges(truth):
        a, b = start - width // 2, end + width // 2
        if merged and merged[-1][1] >= a:
            merged[-1] = (merged[-1][0], b)
        else:
            merged.append((a, b))
    return [(max(a, 0), min(b, len(truth) - 1)) for a, b in merged]


def volume(truth, scores, window, thresholds=250):
    truth, scores = np.asarray(truth), np.asarray(scores)
    falling = np.sort(scores)[::-1]
    cuts = [falling[i] for i in np.linspace(0, len(scores) - 1, thresholds).astype(int)]
    rocs, prs = [], []
    for width in range(window + 1):
        weights, areas = soft(truth, width), widened(truth, width)
        points, precisions = [(0.0, 0.0)], []
        for cut in cuts:
            predicted = scores >= cut
            hits = (weights * predicted)[truth == 1].sum() + (weights * predicted)[truth == 0].sum()
            expected = truth.sum() + (weights * predicted)[truth == 0].sum()
            positives = (truth.sum() + expected) / 2
            reached = np.mean([predicted[a : b + 1].any() for a, b in areas])
            recall = min(hits / positives, 1.0) * reached
            points.append(((predicted.sum() - hits) / (len(truth) - positives), recall))
            precisions.append(hits / predicted.sum())
        prs.append(sum((points[i + 1][1] - points[i][1]) * p for i, p in enumerate(precisions)))
        points.append((1.0, 1.0))
        rocs.append(sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points)))
    return float(np.mean(rocs)), float(np.mean(prs))
