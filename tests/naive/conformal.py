"""Slow and plain: p-values and the step-up procedure as their definitions read."""


def p_values(scores, reference):
    return [(1 + sum(r >= s for r in reference)) / (1 + len(reference)) for s in scores]


def benjamini_hochberg(p, q):
    m = len(p)
    ranked = sorted(range(m), key=lambda i: p[i])
    last = max((k for k in range(1, m + 1) if p[ranked[k - 1]] <= q * k / m), default=0)
    cut = p[ranked[last - 1]] if last else -1
    return [value <= cut for value in p]
