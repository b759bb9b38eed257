"""Hosts: how many of their flows there are, how many are flagged, and how odd each host is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

__all__ = ["MOST_HOSTS", "Host", "HostTally"]

MOST_HOSTS = 200_000  # hosts that are kept, about; a flood with forged addresses has no end of them
STEP = 0.01  # scores nearer than this are counted together
_HOST = ["address", "role"]


@dataclass(frozen=True, slots=True)
class Host:
    """An address as the source or the target of flows, with its score in [0, 1]; see `HostTally.hosts`."""

    address: str
    role: str
    flows: int
    flagged: int
    score: float


class HostTally:
    """Counts the flows of hosts as they come, in bounded memory.

    cut : whether there were too many hosts to count all.

    >>> tally = HostTally()
    >>> flows = pl.DataFrame({"source": ["a", "a", "b"], "target": ["c", "d", "d"]})
    >>> tally.add(flows, np.array([0.9, 0.8, 0.1]), np.array([True, True, False]))
    >>> [(host.address, host.role, host.flows, host.flagged) for host in tally.hosts(0.1, 0.0, 2)]
    [('a', 'source', 2, 2), ('c', 'target', 1, 1)]
    """

    def __init__(self) -> None:
        self.cut = False
        self._parts: list[pl.DataFrame] = []
        self._rows = 0  # of the parts after the first, which is what was summed up before

    def add(self, flows: pl.DataFrame, scores: NDArray[np.float64], flagged: NDArray[np.bool_]) -> None:
        """Count flows by their columns "source" and "target", with their scores (n,) and flags (n,)."""
        seen = flows.select("source", "target").with_columns(
            bin=np.floor(scores / STEP).astype(np.int16), total=scores, flagged=flagged.astype(np.int64)
        )
        for role in ("source", "target"):
            counts = (
                seen.drop_nulls(role)
                .group_by(pl.col(role).cast(pl.String).alias("address"), "bin")
                .agg(pl.len().cast(pl.Int64).alias("flows"), pl.col("flagged").sum(), pl.col("total").sum())
            )
            self._parts.append(
                counts.select("address", pl.lit(role).alias("role"), "bin", "flows", "flagged", "total")
            )
            self._rows += counts.height
        if self._rows > self._parts[0].height:
            self._sum_up()

    def hosts(self, usual: float, share: float, count: int, *, flagged: bool = False) -> tuple[Host, ...]:
        """Return the first hosts by score, then by flagged flows, then by flows.

        The score is the mean of the highest scores of a host and of one usual score. As many count as the
        square root of the number of its flows: of a fixed share an odd hour among quiet ones would be lost.
        Before, as many of the highest are set aside as are high for any host of so many flows: the highest
        of a thousand usual scores are high, and busy hosts would all be odd. The usual score stands for what
        a few flows leave open: one odd flow makes a host half odd, five make it odd.

        Parameters
        ----------
        usual : the median score of all flows. share : how many of all flows have high scores, in [0, 1].
        flagged : leave out hosts without a flagged flow, and tell of those with most of them first: of what
            is hunted for, a flag says more than a score.
        """
        if not self._parts:
            return ()
        self._sum_up()
        first = ["flagged", "score"] if flagged else ["score", "flagged"]
        ranked = _scored(self._parts[0], usual, share).sort(
            [*first, "flows", *_HOST], descending=[True, True, True, False, False]
        )
        ranked = ranked.filter(pl.col("flagged") > 0) if flagged else ranked
        return tuple(Host(**cells) for cells in ranked.head(count).iter_rows(named=True))

    def _sum_up(self) -> None:
        known = (
            pl.concat(self._parts).group_by([*_HOST, "bin"]).agg(pl.col("flows", "flagged", "total").sum())
        )
        if known.select(pl.struct(_HOST).n_unique()).item() > MOST_HOSTS:
            # Half are let go, so that this is not done again with every piece.
            best = _scored(known, 0.0, 0.0).sort(["score", *_HOST], descending=[True, False, False])
            known = known.join(best.head(MOST_HOSTS // 2), on=_HOST, how="semi")
            self.cut = True
        self._parts, self._rows = [known], 0


def _scored(known: pl.DataFrame, usual: float, share: float) -> pl.DataFrame:
    """Return each host with its flows, flagged ones and score."""
    flows, below = pl.col("flows"), pl.col("flows").cum_sum()
    aside = (share * flows.sum()).floor()
    taken = flows.sum().sqrt().ceil()
    # Of a bin as many count as lie between those set aside and those that are too many.
    counted = (pl.min_horizontal(below, aside + taken) - pl.max_horizontal(below - flows, aside)).clip(0)
    total = (counted * pl.col("total") / flows).sum() + usual * (taken - counted.sum() + 1)
    return (
        known.sort("bin", descending=True)
        .group_by(_HOST, maintain_order=True)
        .agg(flows.sum().alias("flows "), pl.col("flagged").sum(), (total / (taken + 1)).alias("score"))
        .rename({"flows ": "flows"})
    )
