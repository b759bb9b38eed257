"""Readers: from a file, a database or a dataframe to chunks of rows whose columns have settled types."""

from outlearn.data.readers.opening import open_source
from outlearn.data.readers.source import ReadOptions, Source

__all__ = ["ReadOptions", "Source", "open_source"]
