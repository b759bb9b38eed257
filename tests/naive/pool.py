"""Slow and plain: neighbour and tail detectors as their definitions read, one row at a time."""

import math


def distances(row, support):
    """Distances to the support in rising order, one exact copy of the row left out."""
    found = sorted((math.dist(row, other), i) for i, other in enumerate(support))
    return found[1:] if found[0][0] == 0.0 else found


def knn_mean(row, support, k):
    near = distances(row, support)[: min(k, len(support) - 1)]
    return sum(d for d, _ in near) / len(near)


def knn_kth(row, support, k):
    return distances(row, support)[min(k, len(support) - 1) - 1][0]


def lof(row, support, k):
    def density(point):
        reach = [max(d, knn_kth(support[i], support, k)) for d, i in distances(point, support)[:k]]
        return 1.0 / (sum(reach) / k + 1e-10)

    near = [i for _, i in distances(row, support)[:k]]
    return sum(density(support[i]) for i in near) / k / density(row)


def tails(row, support, kind):
    total = 0.0
    for j, value in enumerate(row):
        column = [other[j] for other in support]
        n = len(column)
        mean = sum(column) / n
        third = sum((v - mean) ** 3 for v in column)
        left = -math.log(max(sum(v <= value for v in column) / n, 1 / (n + 1)))
        right = -math.log(max(sum(v >= value for v in column) / n, 1 / (n + 1)))
        skewed = left if third < 0 else right
        total += max(left, right) if kind == "ecod" else max((left + right) / 2, skewed)
    return total
