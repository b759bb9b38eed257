"""Tables with a time column to series: equal steps, no gaps inside a stretch, no missing values."""

from outlearn.data.series.reader import SeriesReader
from outlearn.data.series.series import Series

__all__ = ["Series", "SeriesReader"]
