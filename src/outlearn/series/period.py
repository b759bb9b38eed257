"""The period of a channel, from its autocorrelation and its spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

__all__ = ["period_of"]

Floats = NDArray[np.float64]
SHORTEST = 4  # points of a period
CLEAR = 0.2  # autocorrelation that a period has at least
READ = 50_000  # points
NEARLY = 0.9  # of the highest peak: an earlier one as high as that is the period, later ones its multiples


def period_of(x: Floats) -> int | None:
    """Return the dominant period of a channel (n,), in points; None where none is clear.

    The first clear peak of the autocorrelation, of the channel with its slow course (what the spectrum holds
    below three cycles) taken out.

    >>> period_of(np.sin(np.arange(500.0) * 2 * np.pi / 25))
    25
    """
    x = np.asarray(x, dtype=np.float64)[:READ]
    n = len(x)
    if n < 3 * SHORTEST:
        return None
    spectrum = np.fft.rfft(x - np.linspace(x[0], x[-1], n))
    spectrum[:3] = 0.0
    steady = np.fft.irfft(spectrum, n)
    curve = np.fft.irfft(np.abs(np.fft.rfft(steady, 2 * n)) ** 2)[: n // 2]
    if curve[0] <= 1e-12 * max(float(np.square(x).sum()), 1e-300):
        return None
    curve = curve / curve[0] * n / (n - np.arange(len(curve)))
    peaks, _ = find_peaks(curve)
    peaks = peaks[(peaks >= SHORTEST) & (curve[peaks] >= CLEAR)]
    if not len(peaks):
        return None
    return int(peaks[curve[peaks] >= NEARLY * curve[peaks].max()][0])
