"""Published figures that ours stand beside, each with its own protocol and source.

Figures of other people's protocols are no like-for-like comparison: sets, cuts and splits differ, as the note
says.
"""

from __future__ import annotations

from dataclasses import dataclass

from outlearn.evaluate.compare import markdown

DTE = "DTE, ICLR 2024, result files"
ADGYM = "ADGym, 31 ADBench sets of 1,000 rows or more cut to 3,000"
MEASURED = "PyOD 3.6.7, measured on 43 ADBench classical sets of up to 5,000 rows"


@dataclass(frozen=True)
class Anchor:
    """Mean AUROC and average precision of a detector under the protocol whose name starts with `protocol`."""

    protocol: str
    detector: str
    auroc: float | None
    ap: float | None
    source: str


ANCHORS = (
    Anchor("contaminated", "IForest", 0.766, 0.416, MEASURED),
    Anchor("contaminated", "kNN(50)", 0.768, 0.385, MEASURED),
    Anchor("contaminated", "HBOS", 0.752, 0.404, MEASURED),
    Anchor("contaminated", "cleaned kNN(20)", 0.767, 0.441, "measured on 40 ADBench sets"),
    Anchor("contaminated", "MCD", 0.748, 0.337, f"{DTE}, 57 sets, its own split"),
    Anchor("contaminated", "IForest", 0.737, 0.336, f"{DTE}, 57 sets, its own split"),
    Anchor("contaminated", "CBLOF", 0.731, 0.318, f"{DTE}, 57 sets, its own split"),
    Anchor("contaminated", "kNN", 0.728, 0.308, f"{DTE}, 57 sets, its own split"),
    Anchor("inlier-only", "kNN(5)", 0.866, 0.654, MEASURED),
    Anchor("inlier-only", "LOF", 0.837, 0.618, MEASURED),
    Anchor("inlier-only", "IForest", 0.807, 0.537, MEASURED),
    Anchor("inlier-only-dte", "DTE-NP", 0.815, 0.571, f"{DTE}, 57 sets of up to 50,000 rows"),
    Anchor("inlier-only-dte", "kNN", 0.809, 0.562, f"{DTE}, 57 sets of up to 50,000 rows"),
    Anchor("inlier-only-dte", "ICL", 0.794, 0.557, f"{DTE}, 57 sets of up to 50,000 rows"),
    Anchor("inlier-only-dte", "LOF", 0.785, 0.521, f"{DTE}, 57 sets of up to 50,000 rows"),
    Anchor("inlier-only-dte", "IForest", 0.758, 0.438, f"{DTE}, 57 sets of up to 50,000 rows"),
    Anchor("few-label-5", "CatBoost", 0.848, 0.565, ADGYM),
    Anchor("few-label-5", "PReNet", None, 0.526, ADGYM),
    Anchor("few-label-5", "XGBOD", None, 0.487, ADGYM),
    Anchor("few-label-5", "learned design choice", None, 0.556, ADGYM),
    Anchor("few-label-5", "oracle", None, 0.714, ADGYM),
    Anchor("few-label-5", "CatBoost", 0.852, 0.625, "measured on 34 ADBench sets"),
    Anchor("few-label-5", "bagged extra trees", 0.856, 0.651, "measured on 34 ADBench sets"),
    Anchor("few-label-10", "CatBoost", 0.882, 0.635, ADGYM),
    Anchor("few-label-10", "PReNet", None, 0.579, ADGYM),
    Anchor("few-label-10", "XGBOD", None, 0.572, ADGYM),
    Anchor("few-label-10", "learned design choice", None, 0.618, ADGYM),
    Anchor("few-label-10", "oracle", None, 0.745, ADGYM),
    Anchor("few-label-20", "CatBoost", 0.901, 0.693, ADGYM),
    Anchor("few-label-20", "learned design choice", None, 0.669, ADGYM),
    Anchor("few-label-20", "oracle", None, 0.767, ADGYM),
)


def anchor_table(protocol: str) -> str:
    """Return the published figures for a protocol as a Markdown table, or a line that says there are none."""
    known = [anchor for anchor in ANCHORS if anchor.protocol == protocol]
    if not known:
        return "No published figure for this protocol."
    body = [(a.detector, _figure(a.auroc), _figure(a.ap), a.source) for a in known]
    return markdown(("published", "AUROC", "AP", "source"), body)


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
