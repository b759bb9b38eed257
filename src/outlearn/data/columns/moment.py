"""Dates and times: where in time, at what hour, on which day of the week."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn import plain
from outlearn.data.columns.base import Repairs, with_indicator
from outlearn.data.columns.cells import numbers_of, text_of
from outlearn.data.columns.dates import PACKED, check_form, epoch_unit, form_of, holds_packed, moments_of
from outlearn.data.columns.numeric import lower_median

__all__ = ["MomentEncoder", "form_of_moments"]

_SECOND = 1_000_000  # in microseconds, as all moments here
_DAY = 86_400 * _SECOND
# Opposite hours, and opposite days of the week, are a distance of 1 apart, as two categories are.
_RADIUS = 0.5


@dataclass(frozen=True, slots=True)
class MomentEncoder:
    """Encodes days since the median moment, then hour and day of the week as points of a circle.

    form : how text is read (see `dates.FORMS`) or the unit of counts since 1970. zone : whose clock is read.
    centre : lower median in microseconds since 1970. hours, weekdays : whether the fit saw more than one time
    of day, more than one day of the week; without, they have no columns. A missing cell is the centre of all
    of these.
    """

    name: str
    form: str
    zone: str | None
    centre: int
    hours: bool
    weekdays: bool
    indicator: bool

    @property
    def names(self) -> tuple[str, ...]:
        features = ["days"]
        features += ["hour sine", "hour cosine"] if self.hours else []
        features += ["weekday sine", "weekday cosine"] if self.weekdays else []
        features += ["is missing"] if self.indicator else []
        return tuple(f"{self.name} {feature}" for feature in features)

    @classmethod
    def fit(cls, name: str, cells: pl.Series) -> MomentEncoder:
        """Learn from a column of the table."""
        form, zone = form_of_moments(cells), getattr(cells.dtype, "time_zone", None)
        moments, _ = moments_of(cells, form, zone)
        micros = moments.drop_nulls().to_physical().to_numpy()
        centre = (
            int(np.partition(micros, (micros.size - 1) // 2)[(micros.size - 1) // 2]) if micros.size else 0
        )
        hours = bool(np.ptp(micros % _DAY)) if micros.size else False
        weekdays = bool(np.ptp(micros // _DAY % 7)) if micros.size else False
        return cls(name, form, zone, centre, hours, weekdays, micros.size < len(cells))

    def encode(self, cells: pl.Series) -> tuple[NDArray[np.float32], Repairs]:
        """Return (n, 1 to 6) and what was repaired."""
        moments, unparsed = moments_of(cells, self.form, self.zone)
        missing = moments.is_null().to_numpy()
        micros = moments.to_physical().fill_null(self.centre).to_numpy()
        blocks = [((micros - self.centre) / _DAY)[:, None]]
        if self.hours:
            blocks.append(_circle(86_400)[micros % _DAY // _SECOND])
        if self.weekdays:
            blocks.append(_circle(7)[micros // _DAY % 7])
        for circle in blocks[1:]:
            circle[missing] = 0.0
        values = np.concatenate(blocks, axis=1).astype(np.float32)
        unexpected = 0 if self.indicator else int(missing.sum()) - unparsed
        return with_indicator(values, missing, self.indicator), Repairs(unexpected, unparsed)

    def to_state(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> MomentEncoder:
        check_form(plain.text(state, "form"), plain.optional_text(state, "zone"))
        return cls(
            name=plain.text(state, "name"),
            form=plain.text(state, "form"),
            zone=plain.optional_text(state, "zone"),
            centre=plain.whole(state, "centre", low=-plain.LARGEST),
            hours=plain.flag(state, "hours"),
            weekdays=plain.flag(state, "weekdays"),
            indicator=plain.flag(state, "indicator"),
        )


def _circle(steps: int) -> NDArray[np.float64]:
    """Return sine and cosine of each step of a turn, (steps, 2)."""
    angle = 2 * np.pi * np.arange(steps) / steps
    return _RADIUS * np.column_stack([np.sin(angle), np.cos(angle)])


def form_of_moments(cells: pl.Series) -> str:
    """Return how to read the column: in one form, as text or digits, or as counts since 1970 in one unit."""
    if cells.dtype in (pl.Datetime, pl.Date):
        return "iso"
    if not cells.dtype.is_numeric():
        form = form_of(text_of(cells), share=0.5)
        if form:
            return form
    values = numbers_of(cells).values
    if holds_packed(values, few=1):
        return PACKED
    return epoch_unit(lower_median(values[~np.isnan(values)]))
