"""Which columns of an encoded table belong together: the modalities of a record."""

from __future__ import annotations

from collections.abc import Collection

from outlearn.data.encode import Encoder
from outlearn.data.schema import Kind
from outlearn.learners.incontext.fusion import Modality

__all__ = ["modalities_of"]

# What makes a table one of records of several modalities.
ATTACHED = (Kind.SERIES, Kind.EMBEDDING, Kind.SEQUENCE)
APART = (*ATTACHED, Kind.TEXT)
VALUES = "values"


def modalities_of(encoder: Encoder, without: Collection[int] = ()) -> tuple[Modality, ...]:
    """Return the modalities of a table; none where no column holds lists or sequences.

    without : encoded columns that are left out of the matrix; places are those in what is left.

    Numbers, truth values, categories and moments are one modality; each text, list of numbers and sequence is
    one of its own. Where one of these is missing, the values say so, for it may mean something too.

    >>> import polars as pl
    >>> from outlearn.data import infer_schema
    >>> rows = pl.DataFrame({"age": [31.5, 47.2, 28.0], "photo": [[0.1, 0.9], [0.3, -0.2], [0.7, 0.4]]})
    >>> encoder = Encoder.fit(rows, infer_schema(rows))
    >>> [(one.name, one.columns, one.missing) for one in modalities_of(encoder)]
    [('values', (0, 3), None), ('photo', (1, 2), 3)]
    """
    kinds = {column.name: column.kind for column in encoder.schema.columns}
    values: list[int] = []
    apart: dict[str, list[int]] = {}
    missing: dict[str, int] = {}
    named = zip(encoder.columns, encoder.sources, strict=True)
    kept = (pair for column, pair in enumerate(named) if column not in without)
    for place, (name, source) in enumerate(kept):
        if kinds[source] not in APART:
            values.append(place)
        elif name == f"{source} is missing":
            missing[source] = place
        else:
            apart.setdefault(source, []).append(place)
    if not any(kinds[source] in ATTACHED for source in apart):
        return ()
    modalities = [Modality(source, tuple(places), missing.get(source)) for source, places in apart.items()]
    if values:
        modalities.insert(0, Modality(VALUES, tuple(sorted((*values, *missing.values())))))
    return tuple(modalities)
