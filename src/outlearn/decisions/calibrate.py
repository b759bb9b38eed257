"""From raw scores, which are unbounded, to anomaly scores in [0, 1] that never saturate."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit

from outlearn.decisions.checks import as_scores, as_share
from outlearn.decisions.threshold import by_contamination
from outlearn.errors import ParameterError

__all__ = ["Calibrator", "contamination_estimate", "shift_to"]

KNEE = 6.0  # size of a logit beyond which it is compressed
MEDIAN_LOGIT = 4.0  # how far below 0 the logit of the median of the support is put
MOST_CONTAMINATION = 0.4  # that is estimated
TYPICAL_CONTAMINATION = 0.1  # that estimates are shrunk towards


@dataclass(frozen=True, slots=True)
class Calibrator:
    """The increasing map ``sigmoid(compress((raw - centre) / scale))``; a raw score of `centre` becomes 0.5.

    Scores are unlikely to be probabilities: where nothing is known of the share of anomalies, none can be
    given. Beyond 6 in size the logit x is compressed to ``6 + log(1 + log(1 + x - 6))``, because a plain
    sigmoid is 1.0 in float64 from 37 on. Up to logits of 1e12, logits x that differ by 1e-9 max(1, |x|) keep
    different results.

    Raises
    ------
    ParameterError
        When the centre is not finite or the scale not positive and finite.
    """

    centre: float
    scale: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.centre) and np.isfinite(self.scale) and self.scale > 0):
            raise ParameterError(
                f"calibration with centre {self.centre!r} and scale {self.scale!r}: wanted a finite centre "
                "and a finite scale above 0"
            )

    @classmethod
    def from_logits(cls, temperature: float = 1.0, shift: float = 0.0) -> Calibrator:
        """Return the map for scores that already are log-odds: ``sigmoid((score - shift) / temperature)``.

        >>> Calibrator.from_logits().apply([0.0]).item()
        0.5
        """
        return cls(float(shift), float(temperature))

    @classmethod
    def fit(cls, support_scores: ArrayLike, contamination: float) -> Calibrator:
        """Return the map for which 0.5 is the threshold that flags the share `contamination` of the support.

        The median of the support becomes about 0.018 (a logit of -4), and a row as far above the threshold as
        the median is below it 0.982. Where the median is the threshold the quartiles and then the range give
        the scale; equal scores all fall just under 0.5.

        Raises
        ------
        InputError
            When there is no score, or one is NaN.
        ParameterError
            When `contamination` is not between 0 and 1, or scores are infinite.

        >>> calibrator = Calibrator.fit(np.arange(101.0), contamination=0.1)
        >>> calibrator.apply([50.0, 91.0, 500.0]).round(3)
        array([0.018, 0.5  , 0.999])
        """
        scores = _finite(support_scores, "support_scores")
        centre = by_contamination(scores, contamination)
        low, quartile, median, upper, high = np.quantile(scores, (0.0, 0.25, 0.5, 0.75, 1.0))
        tiny = max(1e-12 * max(abs(low), abs(high)), 1e-290)  # smaller spreads are rounding
        with np.errstate(over="ignore"):
            spreads = (centre - median, upper - quartile, high - low)
        for spread in spreads:
            if spread > tiny and np.isfinite(spread):
                return cls(centre, float(spread) / MEDIAN_LOGIT)
        return cls(centre, max(1.0, abs(centre)))

    def apply(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return (m,) anomaly scores in [0, 1], in the order of the raw scores (m,).

        Raises
        ------
        InputError
            When a score is NaN.
        """
        raw = as_scores(scores, "scores")
        with np.errstate(over="ignore"):
            logit = (raw - self.centre) / self.scale
        size = np.abs(logit)
        beyond = np.log1p(np.log1p(np.maximum(size - KNEE, 0.0)))
        logit = np.sign(logit) * (np.minimum(size, KNEE) + beyond)
        odds = np.exp(-np.abs(logit))
        result = np.where(logit >= 0, 1.0, odds) / (1.0 + odds)
        # Rounding may lift a raw score just under the centre to 0.5, which is the threshold.
        under = np.minimum(result, np.nextafter(0.5, 0.0))
        return cast("NDArray[np.float64]", np.where(raw < self.centre, under, result))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Calibrator:
        return cls(**state)


def _finite(values: ArrayLike, name: str) -> NDArray[np.float64]:
    scores = as_scores(values, name, at_least=1)
    if not np.isfinite(scores).all():
        raise ParameterError(f"{name} hold infinite values, from which no scale or level can be set")
    return scores


def shift_to(logits: ArrayLike, share: float) -> float:
    """Return the shift for which ``sigmoid(logits - shift)`` is `share` on average, for logits (n,).

    Raises
    ------
    InputError
        When there is no score, or one is NaN.
    ParameterError
        When `share` is not between 0 and 1, or scores are infinite.

    >>> round(shift_to([0.0, 0.0], 0.5), 6)
    0.0
    """
    as_share(share, "contamination")
    scores = _finite(logits, "logits")
    odds = np.log(share) - np.log1p(-share)
    low, high = float(scores.min() - odds) - 1.0, float(scores.max() - odds) + 1.0
    return float(brentq(lambda shift: expit(scores - shift).mean() - share, low, high, xtol=1e-9))


def contamination_estimate(support_scores: ArrayLike) -> float:
    """Return a rough, label-free estimate of the share of anomalies, in [1 / n, 0.4].

    The elbow of the sorted upper scores (the point nearest to the corner of the curve), shrunk halfway, as a
    geometric mean, to the typical share of 0.1. **Rough**: over 24 labelled sets its mean absolute error was
    0.08 to 0.09 for neighbour distances and isolation forests, no better than always answering 0.1. Say the
    share if you know it.

    Raises
    ------
    InputError
        When there is no score, or one is NaN.

    >>> scores = np.concatenate([np.linspace(0, 1, 95), np.linspace(9, 10, 5)])
    >>> 0.03 < contamination_estimate(scores) < 0.1
    True
    """
    descending = np.sort(as_scores(support_scores, "support_scores", at_least=1))[::-1]
    n = len(descending)
    upper = descending[: max(int(MOST_CONTAMINATION * n), 1)]
    if not upper[0] > upper[-1] or not np.isfinite(upper[0] - upper[-1]):
        return min(max(TYPICAL_CONTAMINATION, 1 / n), MOST_CONTAMINATION)
    height = (upper - upper[-1]) / (upper[0] - upper[-1])
    elbow = max(int(np.argmin(np.arange(len(upper)) / len(upper) + height)), 1) / n
    return float(min(max(np.sqrt(elbow * TYPICAL_CONTAMINATION), 1 / n), MOST_CONTAMINATION))
