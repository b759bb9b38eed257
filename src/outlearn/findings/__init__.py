"""Findings as data: values that a report renders, a program reads as JSON, and a store keeps.

Nothing here renders, reads rows or scores them.
"""

from outlearn.findings.profiles import column_profiles
from outlearn.findings.projection import map_sample
from outlearn.findings.table import (
    Bin,
    CategorySummary,
    ColumnProfile,
    Findings,
    MapSample,
    NumberSummary,
    Origin,
)

__all__ = [
    "Bin",
    "CategorySummary",
    "ColumnProfile",
    "Findings",
    "MapSample",
    "NumberSummary",
    "Origin",
    "column_profiles",
    "map_sample",
]
