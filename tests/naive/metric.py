"""Slow and plain: metric learners with a loop over rows, on embeddings of one task."""

import math

import numpy as np


def distance(a, b):
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))


def prototype(support, y, w, kinds):
    total, mean = 0.0, np.zeros(len(support[0]))
    for row, label, weight in zip(support, y, w, strict=True):
        if label in kinds:
            total, mean = total + weight, mean + weight * row
    return mean / total if total else None


def logits(support, y, w, query, ways, scale=1.0):
    """Minus the scaled squared distance of each query row to each class (M, C)."""
    means = [prototype(support, y, w, {way}) for way in range(ways)]
    width = len(support[0])
    return np.array([[-scale * distance(row, mean) ** 2 / width for mean in means] for row in query])


def log_odds(support, y, w, query, scale=1.0, radius=1.0):
    """Log-odds of an anomaly: p(x is odd) / p(x is usual), with a constant density beyond the radius."""
    usual, odd = prototype(support, y, w, {0, -1}), prototype(support, y, w, {1})
    out = []
    for row in query:
        near = math.exp(-scale * distance(row, usual) ** 2 / len(row))
        far = math.exp(-radius)
        if odd is not None:
            far += math.exp(-scale * distance(row, odd) ** 2 / len(row))
        out.append(math.log(far / near))
    return np.array(out)


def nearest(row, rows, k):
    closest = sorted(distance(row, other) for other in rows)[:k]
    return sum(closest) / len(closest)


def likeness(support, y, query, k):
    """Mean distance to the nearest usual rows, less that to the nearest anomalies where there are any."""
    usual = [row for row, label in zip(support, y, strict=True) if label < 1]
    odd = [row for row, label in zip(support, y, strict=True) if label == 1]
    return np.array([nearest(row, usual, k) - (nearest(row, odd, k) if odd else 0) for row in query])


def pairs(query, query_y, support, support_y):
    """Each labelled query row with every other labelled row: (anchor, distance, of one kind)."""
    found = []
    for i, (row, label) in enumerate(zip(query, query_y, strict=True)):
        others = [(x, y) for j, (x, y) in enumerate(zip(query, query_y, strict=True)) if j != i]
        others += list(zip(support, support_y, strict=True))
        found += [(i, distance(row, x), y == label) for x, y in others if label >= 0 and y >= 0]
    return found


def contrastive(query, query_y, support, support_y, margin):
    """Mean over pairs of one kind plus mean over pairs of two kinds."""
    found = pairs(query, query_y, support, support_y)
    alike = [d**2 for _, d, same in found if same]
    unlike = [max(0.0, margin - d) ** 2 for _, d, same in found if not same]
    return sum(sum(part) / max(len(part), 1) for part in (alike, unlike))


def triplet(query, query_y, support, support_y, margin):
    """Mean over anchors that have both kinds of partner."""
    found, losses = pairs(query, query_y, support, support_y), []
    for anchor in range(len(query)):
        alike = [d for i, d, same in found if i == anchor and same]
        unlike = [d for i, d, same in found if i == anchor and not same]
        if alike and unlike:
            losses.append(math.log1p(math.exp(margin + max(alike) - min(unlike))))
    return sum(losses) / max(len(losses), 1)
