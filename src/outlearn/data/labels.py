"""What the user said of rows, as 1 (anomaly), 0 (normal) and -1 (not said)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.columns.cells import text_of
from outlearn.data.label_words import UNLABELLED, calls_normal, fold, meanings_of
from outlearn.errors import LabelError

__all__ = ["LabelTally", "Labelling", "label_words", "parse_labels", "refuse_signs"]

MOST_VALUES = 1000  # different ones; a column of more is none of labels
MANY = 0.2  # share of labelled anomalies that is worth a word where no row is labelled normal
_LISTED = 5
_PLAIN = frozenset(("", "1", "0", "-1", "anomaly", "normal"))  # which need no translation
_TRUTHS = frozenset(("1", "0", "true", "false", "yes", "no", "y", "n", "t", "f"))
_ALLOWED = (
    "1, 0, -1 or empty (anomaly, normal, not labelled), or words such as anomaly/normal, fraud/ok, yes/no, "
    "or benign beside names of attacks; --anomaly-value VALUE says which value is an anomaly, all others "
    "being normal then"
)


def parse_labels(
    values: pl.Series | Sequence[Any],
    *,
    name: str,
    first_row: int = 0,
    anomaly_values: Sequence[str] = (),
) -> NDArray[np.int8]:
    """Read labels `(n,)`: 1 known anomaly, 0 known normal, -1 unlabelled (empty, missing or -1).

    Parameters
    ----------
    values : (n,) numbers, booleans or text; text in any case, numbers also as text ("1.0"). Words are
        translated where they are certain together, as fraud/ok are.
    name : of the column, for the message.
    first_row : number of the first value in its source, for the message.
    anomaly_values : those that mean an anomaly, where the user says so; every other one is normal then.

    Raises
    ------
    LabelError
        When a value means none of these, naming up to five with their rows, counted from 0; and for 1 and
        -1 without 0 where 1 is the more frequent, which scikit-learn would mean the other way round.

    >>> parse_labels(["Anomaly", "0", None, 1.0, "-1"], name="verdict").tolist()
    [1, 0, -1, 1, -1]
    >>> parse_labels(["BENIGN", "DDoS", ""], name="label").tolist()
    [0, 1, -1]
    >>> parse_labels([1, 1, -1], name="y", anomaly_values=["-1"]).tolist()
    [0, 0, 1]
    """
    series = values if isinstance(values, pl.Series) else _series(values)
    tally = LabelTally(name, anomaly_values=anomaly_values)
    tally.add(series, first_row)
    return tally.settle().labels(series)


def refuse_signs(labels: NDArray[np.int8]) -> None:
    """Refuse labels (n,) that look like those of scikit-learn: 1 for most rows, -1 for the outliers.

    Raises
    ------
    LabelError
        When no row is labelled 0 and more rows are labelled 1 than -1, of which there are some.

    >>> refuse_signs(np.array([1, -1, -1], dtype=np.int8))
    """
    ones, minus = int((labels == 1).sum()), int((labels == -1).sum())
    if minus and ones > minus and ones + minus == len(labels):
        raise LabelError(
            f"y holds 1 in {_rows(ones)} and -1 in {minus:,}, and no 0; here 1 is a known anomaly, 0 a known "
            "normal row and -1 one that is not labelled. If -1 marks the outliers, as scikit-learn writes "
            "it, give (y == -1).astype(int)"
        )


def _series(values: Sequence[Any]) -> pl.Series:
    """Return values as text, which keeps several types apart, as one column type would not."""
    return pl.Series([None if value is None else str(value) for value in values], dtype=pl.String)


def label_words(cells: pl.Series) -> pl.Series:
    """Return cells as words in one spelling: numbers without a zero fraction, text folded, "" for missing.

    >>> label_words(pl.Series(["1.0", " OK ", None, "Non-Fraud"])).to_list()
    ['1', 'ok', '', 'non fraud']
    """
    text = text_of(cells)
    numbers = text.cast(pl.Float64, strict=False)
    distinct = text.unique().drop_nulls()
    folded = text.replace_strict(
        distinct, [fold(word) for word in distinct.to_list()], default="", return_dtype=pl.String
    )
    whole = text_of(numbers.set(~numbers.is_finite(), None))
    return whole.zip_with(whole.is_not_null(), folded.fill_null(""))


@dataclass(frozen=True, slots=True)
class Labelling:
    """What the values of a column of labels mean, and how many rows have each label.

    meanings : 1, 0 or -1 by word, as `label_words` gives it. notes : how values were translated.
    caution : what makes the meaning doubtful though it is settled; empty where nothing does.
    one_sided : why nothing can be learnt from these labels alone; empty where nothing speaks against it.
    absent : that no row holds a value which the user named as an anomaly; empty where one is there.
    """

    meanings: Mapping[str, int]
    anomalies: int
    normals: int
    unlabelled: int
    notes: tuple[str, ...] = ()
    caution: str = ""
    one_sided: str = ""
    absent: str = ""

    def labels(self, cells: pl.Series) -> NDArray[np.int8]:
        """Return the labels (n,) of cells of that column."""
        words = label_words(cells)
        labels = words.replace_strict(dict(self.meanings), default=-1, return_dtype=pl.Int8)
        return labels.to_numpy().astype(np.int8)


class LabelTally:
    """The values of a column of labels, gathered a piece at a time, and then what they mean together.

    name : of the column; source : of its table, for messages. anomaly_values : as in `parse_labels`.
    """

    def __init__(self, name: str, *, source: str = "", anomaly_values: Sequence[str] = ()) -> None:
        self._name = f"column '{name}'{f' of {source}' if source else ''}"
        self._column = name
        self._named = frozenset(label_words(_series(anomaly_values)).to_list())
        self._counts: Counter[str] = Counter()
        self._first: dict[str, tuple[Any, int]] = {}

    def add(self, cells: pl.Series, first_row: int = 0) -> NDArray[np.bool_]:
        """Take more cells, and return (n,) which of them may hold a label.

        Raises
        ------
        LabelError
            When there are more different values than labels have.
        """
        words = label_words(cells)
        table = pl.DataFrame({"word": words}).with_row_index("row", first_row)
        groups = table.group_by("word").agg(pl.len().alias("rows"), pl.col("row").min().alias("first"))
        for word, rows, first in groups.sort("first").iter_rows():
            self._counts[word] += rows
            self._first.setdefault(word, (cells[first - first_row], first))
        if len(self._counts) > MOST_VALUES:
            raise LabelError(self._complaint([word for word in self._counts if word not in UNLABELLED]))
        nothing = UNLABELLED if self._named else {*UNLABELLED, "-1"}
        return (~words.is_in([word for word in nothing if word not in self._named])).to_numpy()

    def understood(self, *, kinds: bool = True) -> tuple[dict[str, int], tuple[str, ...]]:
        """Return what is known of the values, by word, and the words of which nothing is.

        kinds : whether unknown words may name kinds of anomaly, see `meanings_of`.

        Raises
        ------
        LabelError
            When the values have two meanings.
        """
        words = list(self._counts)
        if not self._named:
            self._refuse_signs()
            self._refuse_name()
            return meanings_of(words, kinds=kinds)
        nothing = UNLABELLED if "0" not in words or "0" in self._named else {*UNLABELLED, "-1"}
        meanings = {word: -1 if word in nothing else 0 for word in words}
        return meanings | {word: 1 for word in words if word in self._named}, ()

    def settle(self) -> Labelling:
        """Return what the values mean.

        Raises
        ------
        LabelError
            When a value means nothing, or the meaning of all is not certain.
        """
        meanings, unknown = self.understood()
        if unknown:
            raise LabelError(self._complaint(unknown))
        counts = Counter[int]()
        for word, label in meanings.items():
            counts[label] += self._counts[word]
        return Labelling(
            meanings,
            counts[1],
            counts[0],
            counts[-1],
            self.notes(meanings),
            self._caution(counts),
            self._one_sided(counts),
            "" if self._named & set(self._counts) else self._absent(),
        )

    def _refuse_signs(self) -> None:
        """Refuse 1 and -1 as scikit-learn has them: 1 for most rows, which are normal."""
        ones, minus = self._counts["1"], self._counts["-1"]
        if "0" in self._counts or not minus or ones <= minus:
            return
        raise LabelError(
            f"{self._name} holds 1 in {_rows(ones)} and -1 in {minus:,}, and no 0. Here 1 is an anomaly, 0 "
            "a normal row, and -1 or an empty cell one that is not labelled, so most rows would be "
            "anomalies. If -1 marks the outliers, as scikit-learn writes it, give --anomaly-value -1; if 1 "
            "does, give --anomaly-value 1"
        )

    def _refuse_name(self) -> None:
        """Refuse truth values in a column whose name says that the true ones are normal."""
        said = [word for word in self._counts if word not in {*UNLABELLED, "-1"}]
        if calls_normal(self._column) and said and _TRUTHS.issuperset(said):
            false = next((word for word in ("0", "false", "no", "n", "f") if word in said), "0")
            raise LabelError(
                f"{self._name} holds {', '.join(map(repr, said))}, and by its name the true ones are normal "
                f"rows; --anomaly-value {false} says which value marks an anomaly"
            )

    def _complaint(self, words: Collection[str]) -> str:
        first = [self._first[word] for word in list(words)[:_LISTED]]
        shown = ", ".join(f"{value!r} (row {row})" for value, row in first)
        more = f" and {len(words) - _LISTED:,} more" if len(words) > _LISTED else ""
        said = [word for word in self._counts if word not in UNLABELLED]
        rarer = min(said, key=lambda word: self._counts[word]) if len(said) == 2 else ""
        hint = f": --anomaly-value {self._first[rarer][0]}, if the rarer one is" if rarer else ""
        return f"{self._name} holds {shown}{more}; allowed labels are {_ALLOWED}{hint}"

    def notes(self, meanings: Mapping[str, int]) -> tuple[str, ...]:
        """Say how values were translated, where they were not as they should be."""
        notes = [absent] if (absent := self._absent()) else []
        if self._named or not _PLAIN.issuperset(meanings):
            parts = [
                f"{what}: {self._listed([word for word in meanings if meanings[word] == label])}"
                for label, what in ((1, "anomalies"), (0, "normal"), (-1, "not labelled"))
                if label in meanings.values()
            ]
            notes.append(f"values of {self._name} were read as {'; '.join(parts)}")
        elif "-1" in meanings and "0" not in meanings:
            notes.append(f"-1 in {self._name} was read as not labelled; give --anomaly-value if it says more")
        return tuple(notes)

    def _absent(self) -> str:
        absent = sorted(self._named - set(self._counts))
        there = ", ".join(self._spelt(word) for word in list(self._counts)[: 2 * _LISTED])
        listed = ", ".join(map(repr, absent))
        return f"no row of {self._name} holds {listed}; its values are {there}" if absent else ""

    def _listed(self, words: Sequence[str]) -> str:
        shown = ", ".join(
            f"{self._spelt(word)} ({_rows(self._counts[word])})" for word in words[: 2 * _LISTED]
        )
        return shown + (f" and {len(words) - 2 * _LISTED:,} more" if len(words) > 2 * _LISTED else "")

    def _spelt(self, word: str) -> str:
        return f"'{self._first[word][0]}'" if word else "empty"

    def _one_sided(self, counts: Mapping[int, int]) -> str:
        total = sum(self._counts.values())
        if counts[0] or 2 * counts[1] <= total:
            return ""
        return (
            f"{self._name} calls {counts[1]:,} of {_rows(total)} anomalies and none normal; 1 is an "
            "anomaly, 0 a normal row, and an empty cell one that is not labelled. Write 0 beside the "
            "normal rows; if the values mean something else, --anomaly-value VALUE says which marks an "
            "anomaly"
        )

    def _caution(self, counts: Mapping[int, int]) -> str:
        total = sum(self._counts.values())
        if self._named:
            return ""
        if counts[0] and 2 * counts[1] > total:
            return (
                f"{self._name} calls {counts[1]:,} of {_rows(total)} anomalies and {counts[0]:,} normal: if "
                "it is the other way round, --anomaly-value VALUE says which value marks an anomaly"
            )
        if not counts[0] and MANY * total < counts[1]:
            return (
                f"{self._name} calls {counts[1]:,} of {_rows(total)} anomalies and none normal, so the "
                "others count as not labelled: is that so? If they are normal, write 0 there or say "
                "--anomaly-value 1"
            )
        return ""


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"
