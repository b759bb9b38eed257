"""The handwritten digits that come with scikit-learn, as image classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from outlearn.errors import ParameterError
from outlearn.tasks.images import ImageClasses

__all__ = ["digits"]

_OWN = 8  # pixels a side as they ship
_FULL_INK = 16.0  # the greatest value of a pixel


def digits(size: int = 28) -> ImageClasses:
    """Return 1,797 images of the ten digits, scaled up from 8 × 8 to `size` × `size` by linear interpolation.

    Ten classes are few for meta-learning: they serve as a test on real handwriting of what was learnt on
    others. Turned by 180°, a 6 is a 9, and 0, 1 and 8 stay as they are: draw tasks without turns.

    Raises
    ------
    ParameterError
        When `size` is below 8.

    >>> digits(8).images.shape
    (1797, 1, 8, 8)
    """
    if size < _OWN:
        raise ParameterError(f"size={size}; the digits have {_OWN} × {_OWN} pixels, give {_OWN} or more")
    bunch = load_digits()
    weights = _interpolation(_OWN, size)
    images = np.clip(weights @ (bunch.images / _FULL_INK) @ weights.T, 0, 1)
    return ImageClasses(
        images[:, None].astype(np.float32),
        bunch.target.astype(np.int64),
        tuple(str(name) for name in bunch.target_names),
    )


def _interpolation(source: int, target: int) -> NDArray[np.float64]:
    """Return weights (target, source) to interpolate between pixel centres; edges are continued."""
    centres = (np.arange(target) + 0.5) * source / target - 0.5
    return np.stack(
        [np.interp(centres, np.arange(source), unit) for unit in np.eye(source)],
        axis=1,
    )
