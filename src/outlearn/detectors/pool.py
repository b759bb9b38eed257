"""The classical detectors by name.

>>> import numpy as np
>>> rows = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
>>> scorer = POOL["knn"].fit(rows, None, np.random.default_rng(0), {"k": 10})
>>> odd = np.array([[0.0, 0.0, 9.0]], dtype=np.float32)
>>> bool(scorer.score(odd)[0] > scorer.score(rows).max())
True
"""

from __future__ import annotations

from outlearn.detectors.classical import neighbours, shapes, tails, trees
from outlearn.detectors.classical.entry import Parameter, PoolEntry

__all__ = ["POOL"]

_COPY = "A copy of a support row is judged by the other support rows, so it scores as that row does. "
_ALONE = "A row is judged by what was fitted on the support. "

POOL: dict[str, PoolEntry] = {
    "kmeans": PoolEntry(
        summary="distance to the nearest k-means centre",
        source="Lloyd 1982; k-means++: Arthur, Vassilvitskii 2007",
        notes=_ALONE + "A lone far row in the support may become a centre and look normal.",
        build=shapes.kmeans,
        parameters={
            "clusters": Parameter(8, 1, 1000, "number of centres, lowered to the number of rows"),
            "starts": Parameter(10, 1, 100, "random starts, of which the tightest is kept"),
        },
        standardise=True,
    ),
    "iforest": PoolEntry(
        summary="how few random cuts set the row apart",
        source="Liu, Ting, Zhou 2008",
        notes=_ALONE + "Cost grows with trees, hardly with rows.",
        build=trees.isolation_forest,
        parameters={
            "trees": Parameter(100, 1, 10_000, "number of trees"),
            "max_samples": Parameter(
                256, 2, 1_000_000, "rows drawn for a tree, lowered to the number of rows"
            ),
        },
    ),
    "lof": PoolEntry(
        summary="how much sparser the row lies than its neighbours do",
        source="Breunig, Kriegel, Ng, Sander 2000",
        notes=_COPY + "More than k equal rows make their surroundings look extreme.",
        build=neighbours.lof,
        parameters={"k": Parameter(20, 1, 1_000_000, "neighbours, lowered to rows - 1")},
        standardise=True,
    ),
    "ocsvm": PoolEntry(
        summary="how far outside a kernel boundary around the support the row lies",
        source="Schölkopf et al. 2001",
        notes=_ALONE + "Time grows with the square of the rows.",
        build=shapes.ocsvm,
        parameters={
            "nu": Parameter(0.5, 0.001, 1, "share of the support that may lie outside"),
            "gamma": Parameter("scale", 1e-9, 1e9, "sharpness of the kernel", words=("scale", "auto")),
        },
        standardise=True,
    ),
    "knn": PoolEntry(
        summary="mean distance to the 5 nearest rows",
        source="Angiulli, Pizzuti 2002",
        notes=_COPY,
        build=neighbours.knn,
        parameters={"k": Parameter(5, 1, 1_000_000, "neighbours, lowered to rows - 1")},
        standardise=True,
    ),
    "kth_nn": PoolEntry(
        summary="distance to the 5th nearest row",
        source="Ramaswamy, Rastogi, Shim 2000",
        notes=_COPY,
        build=neighbours.kth_nn,
        parameters={"k": Parameter(5, 1, 1_000_000, "which neighbour, lowered to rows - 1")},
        standardise=True,
    ),
    "knn50": PoolEntry(
        summary="mean distance to the 50 nearest rows",
        source="Angiulli, Pizzuti 2002",
        notes=_COPY + "Bears a support that holds groups of anomalies better than `knn` does.",
        build=neighbours.knn,
        parameters={"k": Parameter(50, 1, 1_000_000, "neighbours, lowered to rows - 1")},
        standardise=True,
    ),
    "cleaned_knn": PoolEntry(
        summary="mean distance to the 20 nearest rows, after the oddest fifth of the support was dropped",
        source="screening by Isolation Forest and kNN(50), ranks added; then kNN",
        notes=_COPY + "Made for a support that holds anomalies; on a clean one `knn` is better.",
        build=neighbours.cleaned_knn,
        parameters={
            "k": Parameter(20, 1, 1_000_000, "neighbours, lowered to kept rows - 1"),
            "drop": Parameter(0.2, 0.0, 0.49, "share of the support that is dropped"),
            "screen_k": Parameter(50, 1, 1_000_000, "neighbours of the screening"),
            "trees": Parameter(100, 1, 10_000, "trees of the screening"),
        },
        standardise=True,
    ),
    "hbos": PoolEntry(
        summary="how rare the bins are that the row's values fall into",
        source="Goldstein, Dengel 2012",
        notes=_ALONE + "Looks at each column by itself.",
        build=shapes.hbos,
        parameters={
            "bins": Parameter(10, 2, 10_000, "bins a column"),
            "alpha": Parameter(0.1, 1e-6, 0.999, "added to each density, so that an empty bin stays finite"),
            "tol": Parameter(
                0.5, 0.001, 0.999, "bin widths beyond the range that still count as the last bin"
            ),
        },
        standardise=True,
    ),
    "ecod": PoolEntry(
        summary="how far out in a tail of the support each value lies",
        source="Li, Zhao, Hu, Botta, Ionescu, Chen 2022",
        notes=_ALONE
        + "Looks at each column by itself; beyond the range of the support all values are equal.",
        build=tails.ecod,
    ),
    "copod": PoolEntry(
        summary="how far out in the tails of the support, both or the longer one, each value lies",
        source="Li, Zhao, Botta, Ionescu, Hu 2020",
        notes=_ALONE
        + "Looks at each column by itself; beyond the range of the support all values are equal.",
        build=tails.copod,
    ),
    "pca": PoolEntry(
        summary="distance from the mean in units of the spread along principal components",
        source="Shyu, Chen, Sarinnapakorn, Chang 2003; minor components pooled as in Tipping, Bishop 1999",
        notes=_ALONE + "Wide tables are fine.",
        build=shapes.pca,
        parameters={
            "variance": Parameter(0.99, 0.01, 1, "share of the variance that components are kept for")
        },
        standardise=True,
    ),
    "mcd": PoolEntry(
        summary="distance from the centre of the tightest half, in units of its spread",
        source="Rousseeuw, Van Driessen 1999",
        notes=_ALONE + "Wants more rows than columns; slow above some hundred columns.",
        build=shapes.mcd,
        parameters={
            "share": Parameter("auto", 0.5, 1, "share of the rows in the tightest part", words=("auto",)),
        },
        standardise=True,
    ),
    "cblof": PoolEntry(
        summary="distance to the nearest large cluster",
        source="He, Xu, Deng 2003, without weights by cluster size",
        notes=_ALONE + "Where sizes tell no small clusters from large ones, all count as large.",
        build=shapes.cblof,
        parameters={
            "clusters": Parameter(8, 1, 1000, "number of clusters, lowered to the number of rows"),
            "starts": Parameter(10, 1, 100, "random starts, of which the tightest is kept"),
            "alpha": Parameter(0.9, 0.001, 0.999, "share of the rows that large clusters hold together"),
            "beta": Parameter(5.0, 1.001, 1e6, "ratio of sizes that parts large from small"),
        },
        standardise=True,
    ),
    "bagged_trees": PoolEntry(
        summary="how much the row looks like the labelled anomalies rather than like the rest",
        source="bagging on unlabelled rows: Mordelet, Vert 2014; extra trees: Geurts, Ernst, Wehenkel 2006",
        notes=_ALONE + "Needs labelled anomalies. Knows only kinds of anomaly like those labelled.",
        build=trees.bagged_trees,
        parameters={
            "trees": Parameter(400, 1, 10_000, "trees, each on its own draw of unlabelled rows"),
            "unlabelled": Parameter(12, 1, 10_000, "unlabelled rows in a draw, a labelled anomaly"),
        },
        needs_labels=True,
    ),
}
