"""What stands around the digits of a column, counted, and which measure that makes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from outlearn.data.quantities.affixes import MONEY, WORD, Affix, factor_of, read_affix
from outlearn.data.quantities.digits import powers_as_exponents, split
from outlearn.data.quantities.units import COUNT, MEASURES, SHARE, SHORT

__all__ = ["AffixTally"]

_MOST = 2_000  # different affixes; a column of numbers has a few, a column of texts as many as cells
_LONE = (
    0.05  # share of the cells with a unit that may have another one, for digits without to be in the first
)
_SCALES = ("k", "K", "b", "bn", "B")  # beside which m is a million
_FEW = 10  # distinct values, below which numbers with a letter behind may be names: 5G, 4K, 12A


@dataclass(frozen=True, eq=False)
class AffixTally:
    """The affixes of a column, with the cells that have each.

    digits : (n,) the digits of the cells that have some, and an affix that a number may have.
    powers : whether some are powers of ten.
    """

    counts: tuple[tuple[Affix, int], ...]
    digits: pl.Series
    powers: bool

    @classmethod
    def of(cls, filled: pl.Series) -> AffixTally | None:
        """Count the affixes of cells, none of which is empty; None where there are too many."""
        plain = powers_as_exponents(filled)
        parts = split(plain).drop_nulls()
        table = (
            parts.group_by("before", "after")
            .len()
            .sort("len", "before", "after", descending=[True, False, False])
        )
        if table.height > _MOST:
            return None
        counts: Counter[Affix] = Counter()
        fit = []
        for before, after, count in table.iter_rows():
            affix = read_affix(before, after)
            if affix is not None:
                counts[affix] += count
                fit.append((before, after))
        known = pl.DataFrame(fit, schema={"before": pl.String, "after": pl.String}, orient="row")
        digits = parts.join(known, on=["before", "after"], how="semi")["digits"]
        return cls(tuple(counts.items()), digits, powers=not plain.equals(filled))

    @cached_property
    def bare(self) -> int:
        """Cells with digits, and perhaps a sign, alone."""
        return sum(count for affix, count in self.counts if affix.bare)

    @cached_property
    def limits(self) -> int:
        """Cells with a limit of what was measured, such as < 0.5."""
        return sum(count for affix, count in self.counts if affix.limit)

    @cached_property
    def measure(self) -> str:
        """The measure that the most cells are of; of several the first in the tables."""
        sums: Counter[str] = Counter({"": self.bare})
        for affix, count in self.counts:
            if not affix.bare:
                sums.update(dict.fromkeys(affix.measures, count))
        if not any(affix.word in _SCALES for affix, _ in self.counts):
            del sums[SHORT]
        ranks = {measure: rank for rank, measure in enumerate(("", *MEASURES))}
        totals = {m: n + (self.bare if m and self.stands_alone(m) else 0) for m, n in sums.items()}
        return min(totals, key=lambda m: (-totals[m], ranks.get(m, len(ranks)), m))

    def words_in(self, measure: str) -> Counter[str]:
        """Return how many cells have each unit, currency or scale of a measure, as written."""
        words: Counter[str] = Counter()
        for affix, count in self.counts:
            if not affix.bare and factor_of(affix, measure) is not None:
                words[affix.symbol if measure.startswith(MONEY) else affix.word] += count
        return words

    def scales_in(self, measure: str) -> list[str]:
        """Return the words for thousands and their like, where cells of the measure have such."""
        if measure not in (COUNT, SHORT) and not measure.startswith(MONEY):
            return []
        fit = (affix for affix, _ in self.counts if not affix.bare and factor_of(affix, measure) is not None)
        return sorted({affix.word for affix in fit if affix.word})

    def stands_alone(self, measure: str) -> bool:
        """Return whether digits without a unit are in the one that the others have."""
        if not measure or measure in (COUNT, SHORT) or measure.startswith(MONEY):
            return True
        words = self.words_in(measure)
        total = sum(words.values())
        first = words.most_common(1)[0][0] if words else ""
        if measure.startswith(WORD) and len(first) > 1:
            return True
        # 250m beside 2 may be a quarter, 12A beside 12 a flat.
        if not words or (len(first) == 1 and first.isalpha()) or words[first] < (1 - _LONE) * total:
            return False
        return measure != SHARE or not self._has_parts()

    def _has_parts(self) -> bool:
        """Return whether digits begin with a zero: 0.12 may be 12 %."""
        return bool(self.digits.str.contains(r"^0?[.,][0-9]*[1-9]").any())

    def unit_in(self, measure: str) -> str:
        """Return the commonest unit of a measure, as written; none for scales, which multiply."""
        if not measure or measure in (COUNT, SHORT):
            return ""
        words = self.words_in(measure)
        return min(words, key=lambda word: (-words[word], word), default="")

    @property
    def minus_behind(self) -> bool:
        """Whether minus is written as parentheses or behind, in some cell."""
        return any(affix.negative and affix.behind for affix, _ in self.counts)

    def looks_like_names(self, measure: str, distinct: int) -> bool:
        """Tell whether a few whole numbers with the same letter behind are names, such as 4G and 5G."""
        words = self.words_in(measure)
        if distinct >= _FEW or self.bare or len(words) != 1 or measure.startswith(MONEY):
            return False
        (word,) = words
        glued = all(not affix.apart for affix, _ in self.counts)
        lone = (len(word) == 1 or measure.startswith(WORD)) and word.isalpha()
        return glued and lone and not self.digits.str.contains("[.,]").any()

    def mixture(self, least: float) -> str:
        """Say which units the cells mix, where most have one but no measure has `least` cells."""
        groups: Counter[str] = Counter()
        for affix, count in self.counts:
            if not affix.bare:
                groups[affix.symbol or affix.word] += count
        if self.bare:
            groups["no unit"] += self.bare
        letters = [word for word in groups if len(word) == 1 and word.isalpha()]
        unknown = any(not affix.bare and affix.measures[0].startswith(WORD) for affix, _ in self.counts)
        # Flats and seats have letters too: 12A, 12B.
        if sum(groups.values()) < least or len(groups) < 2 or len(letters) > 1 or unknown:
            return ""
        return _listed(groups.most_common())


def _listed(groups: Sequence[tuple[str, int]], most: int = 4) -> str:
    shown = [f"{word if word == 'no unit' else repr(word)} ({count:,})" for word, count in groups[:most]]
    return ", ".join(shown) + (f" and {len(groups) - most} more" if len(groups) > most else "")
