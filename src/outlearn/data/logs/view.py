"""Lines of a log become what is seen of them: their form, and how rare it is there and then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from outlearn.data.logs.forms import HOLE, parts_of, time_form
from outlearn.data.readers.lines import LINE
from outlearn.data.readers.source import Source

__all__ = ["LOG_FEATURES", "log_view", "log_words", "of_logs"]

LOG_FEATURES = (
    "form",
    "level",
    "process",
    "rarity of the rarest word",
    "rarity of the form",
    "rarity of the form after the one before",
    "lines of the form in the minute",
    "lines in the minute",
    "seconds since the line before",
    "characters",
    "holes",
)
MOST = 1_000_000  # words, forms and pairs that are counted; then those seen once are forgotten
LOOKED = 1000  # lines that tell the form of times
BLOCK = 50_000
WORD = r"[A-Za-z][A-Za-z_.$-]+"
SHOWN = 160  # characters of a line in the reason of a row


@dataclass
class _Counts:
    """How often words, forms and pairs of forms come in a log."""

    lines: int = 0
    words: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    last: str | None = None

    def add(self, parts: pl.DataFrame) -> None:
        """Take lines in, as `parts_of` tells them."""
        self.lines += parts.height
        words = parts.select(pl.col("message").str.extract_all(WORD).list.unique()).explode("message")
        self.words.update(dict(words["message"].drop_nulls().value_counts().iter_rows()))
        self.forms.update(dict(parts["form"].value_counts().iter_rows()))
        pairs = parts.select(before=pl.col("form").shift(1, fill_value=self.last), form="form").drop_nulls()
        self.last = parts["form"][-1]
        for before, form, count in pairs.group_by("before", "form").len().iter_rows():
            self.pairs[before, form] += count
        for counter in (self.words, self.forms, self.pairs):
            if len(counter) > MOST:
                for key in [key for key, count in counter.items() if count == 1]:
                    del counter[key]


def log_view(source: Source) -> tuple[Source, tuple[str, ...]]:
    """Return a source of the same lines as `LOG_FEATURES`, and the columns that no score may see.

    Those are the line itself and its time. The log is read once to count words and forms, in bounded memory;
    what comes within a minute is counted in pieces of 50,000 lines.
    """
    form = time_form(next(iter(source.chunks(LOOKED)))[LINE])
    counts = _Counts()
    for batch in source.batches(BLOCK):
        counts.add(parts_of(batch[LINE], form))
    told = "no time was found in its lines" if form is None else "times are read from its lines"
    note = f"read as a log: {counts.lines:,} lines of {len(counts.forms):,} forms; {told}"

    def batches(_: int) -> Iterator[pl.DataFrame]:
        last: pl.DataFrame | None = None
        for batch in source.batches(BLOCK):
            parts = parts_of(batch[LINE], form)
            yield _seen(batch, parts, counts, last)
            last = parts[-1:]

    view = Source(source.name, (LINE, "time", *LOG_FEATURES), batches, (*source.notes, note), source.rows)
    return view, (LINE, "time")


def _seen(
    batch: pl.DataFrame, parts: pl.DataFrame, counts: _Counts, last: pl.DataFrame | None
) -> pl.DataFrame:
    """Return what is seen of lines; `last` is the line before the first of them."""
    before = [None if last is None else last["form"][0], *parts["form"][:-1].to_list()]
    clock = [None if last is None else last["time"][0], *parts["time"][:-1].to_list()]
    forms = parts["form"].to_list()
    words = parts["message"].str.extract_all(WORD).to_list()
    total = counts.lines
    extra = pl.DataFrame(
        {
            "word": [min((counts.words[word] for word in each), default=total) for each in words],
            "kind": [counts.forms[each] for each in forms],
            "pair": [
                counts.pairs[one, two] if one is not None else None
                for one, two in zip(before, forms, strict=True)
            ],
            "first": [counts.forms[each] if each is not None else 0 for each in before],
            "clock": pl.Series(clock, dtype=pl.Float64),
        }
    )
    whole = pl.concat([batch.select(LINE), parts, extra], how="horizontal")
    minute = (pl.col("time") / 60).floor()
    none = minute.is_null()
    return whole.select(
        LINE,
        "time",
        "form",
        "level",
        "process",
        _rarity(pl.col("word"), pl.lit(total)).alias(LOG_FEATURES[3]),
        _rarity(pl.col("kind"), pl.lit(total)).alias(LOG_FEATURES[4]),
        _rarity(pl.col("pair"), pl.col("first")).alias(LOG_FEATURES[5]),
        pl.when(~none).then(pl.len().over(["form", minute])).cast(pl.Float64).alias(LOG_FEATURES[6]),
        pl.when(~none).then(pl.len().over(minute)).cast(pl.Float64).alias(LOG_FEATURES[7]),
        (pl.col("time") - pl.col("clock")).clip(lower_bound=0.0).alias(LOG_FEATURES[8]),
        pl.col("message").str.len_chars().cast(pl.Float64).alias(LOG_FEATURES[9]),
        pl.col("form").str.count_matches(HOLE, literal=True).cast(pl.Float64).alias(LOG_FEATURES[10]),
    )


def _rarity(count: pl.Expr, of: pl.Expr) -> pl.Expr:
    """Return -log10 of a share, by half a count more so that what is unseen has one."""
    return -((count + 0.5) / (of + 0.5)).log10()


def of_logs(columns: Sequence[str]) -> bool:
    """Tell whether columns are those of a view of a log."""
    return {LINE, *LOG_FEATURES} <= set(columns)


def log_words(cells: Mapping[str, Any]) -> str:
    """Return a line, cut where it is long."""
    line = str(cells[LINE])
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"
