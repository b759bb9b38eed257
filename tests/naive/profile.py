"""Plain oracle for outlearn.learners.profiles.profile: loops over rows; cells are Python floats."""

from __future__ import annotations

from math import copysign, dist, log, log1p
from statistics import median

NEIGHBOURS = 50


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def nearest(points: list[list[float]], query: list[float], copy: bool) -> list[tuple[float, int]]:
    """(distance, position) of the nearest points, without one exact copy of the query."""
    found = sorted((dist(point, query), i) for i, point in enumerate(points))
    wanted = min(NEIGHBOURS, max(len(points) - 1, 1))
    if copy and len(points) > 1:
        found = found[1:]
    return found[:wanted]


def mean_to(found: list[tuple[float, int]], k: int) -> float:
    return mean([distance for distance, _ in found[:k]])


def neighbour_statistics(
    reference: list[list[float]], kept: list[bool], query: list[list[float]]
) -> list[list[float]]:
    """Eight statistics of each query row in one view: d1 d5 d20 d50 ratio5 ratio20 clean5 clean20."""
    own = [nearest(reference, point, True) for point in reference]
    own5, own20 = ([mean_to(found, k) for found in own] for k in (5, 20))
    cleaned = [point for point, stays in zip(reference, kept, strict=True) if stays]
    floor = log((median(own5) + 1e-6) * 1e-2)

    def lg(value: float) -> float:
        return log(value + 1e-6)

    rows = []
    for point in query:
        found = nearest(reference, point, point in reference)
        clean = nearest(cleaned, point, point in cleaned)
        ratios = [
            lg(mean_to(found, k)) - lg(mean([local[i] for _, i in found[:k]]))
            for k, local in ((5, own5), (20, own20))
        ]
        lengths = [lg(mean_to(found, k)) for k in (1, 5, 20, 50)]
        lengths_clean = [lg(mean_to(clean, k)) for k in (5, 20)]
        rows.append(
            [max(v, floor) for v in lengths]
            + [min(max(v, -5), 25) for v in ratios]
            + [max(v, floor) for v in lengths_clean]
        )
    return [[round(value, 6) for value in row] for row in rows]


def mid_ranks(values: list[float]) -> list[float]:
    return [(sum(w < v for w in values) + sum(w <= v for w in values)) / (2 * len(values)) for v in values]


def kept_rows(isolation: list[float], reference: list[list[float]], y: list[int]) -> list[bool]:
    """Which rows cleaning keeps: all but the oddest fifth by forest and neighbours; known normals always."""
    distance = [mean_to(nearest(reference, point, True), NEIGHBOURS) for point in reference]
    oddness = [a + b for a, b in zip(mid_ranks(isolation), mid_ranks(distance), strict=True)]
    oddness = [-1.0 if label == 0 else value for value, label in zip(oddness, y, strict=True)]
    order = sorted(range(len(y)), key=lambda i: -oddness[i])  # stable
    drop = min(int(0.2 * len(y)), sum(label != 0 for label in y))
    dropped = set(order[:drop])
    return [i not in dropped for i in range(len(y))]


def quantile(ordered: list[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def relative(value: float, support: list[float]) -> tuple[float, float]:
    """Tail rank and robust deviation of one value among those of the support."""
    ordered = sorted(support)
    n, middle = len(ordered), quantile(ordered, 0.5)
    spread = max(quantile(ordered, 0.75) - quantile(ordered, 0.25), 1e-3)
    below, upto = sum(w < value for w in ordered), sum(w <= value for w in ordered)
    signed = [copysign(log1p(abs(v - middle) / spread), v - middle) for v in (value, quantile(ordered, 0.99))]
    tail = -log1p(-(below + upto) / (2 * n + 1)) + max(signed[0] - signed[1], 0)
    return tail, signed[0]
