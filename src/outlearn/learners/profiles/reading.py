"""From profiles of rows to their order, by a trained network; with labels, by their evidence as well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from outlearn.learners.profiles.evidence import Evidence
from outlearn.learners.profiles.lean import LeanProfile
from outlearn.learners.profiles.lean_bank import LeanEpisode
from outlearn.learners.profiles.summary import summarise
from outlearn.learners.profiles.verdicts import has_verdicts, known_share

if TYPE_CHECKING:
    from outlearn.nets.rows import RowNet

__all__ = ["Read", "Reader", "order_of", "read_episode"]

Rows = NDArray[np.float32]
Floats = NDArray[np.float64]


def order_of(net: RowNet, profile: Rows, normal: float) -> Floats:
    """Return the label-free order (m,) of rows by their profiles (m, 2F)."""
    import torch

    with torch.inference_mode():
        return np.asarray(net.order(torch.from_numpy(profile), normal).double().numpy())


@dataclass(frozen=True)
class Reader:
    """From profiles to the order of rows, with the labels of the support as far as there are any."""

    net: RowNet
    normal: float
    evidence: Evidence | None = None

    @classmethod
    def of(cls, net: RowNet, own: LeanProfile, y: NDArray[np.int8]) -> Reader:
        """Return a reader by the labels (n,) of a support and its blind profiles."""
        plain = cls(net, known_share(y))
        if not has_verdicts(y):
            return plain
        return replace(plain, evidence=Evidence(plain(own), own.labels.astype(np.float64), y))

    def __call__(self, profile: LeanProfile) -> Floats:
        import torch

        order = order_of(self.net, profile.order(), self.normal)
        if self.evidence is None:
            return order
        with torch.inference_mode():
            evidence = torch.from_numpy(self.evidence.inputs(order, profile.labels.astype(np.float64)))
            moved = self.net.labelled(torch.from_numpy(order).float(), evidence)
            return np.asarray(moved.double().numpy())


@dataclass(frozen=True)
class Read:
    """An episode as a network reads it.

    own (n,), asked (m,) : order of the rows of support and query, labelled rows blind to their own label.
    summary : (len(SUMMARY),) of the support.
    """

    own: Floats
    asked: Floats
    summary: NDArray[np.float32]


def read_episode(net: RowNet, episode: LeanEpisode) -> Read:
    """Read an episode with the labels of its support."""
    y, own = episode.support_y, _profile(episode.support, episode.support_labels)
    reader = Reader.of(net, own, y)
    order = reader(own)
    asked = reader(_profile(episode.query, episode.query_labels))
    return Read(order, asked, summarise(order, own.order(), y, int(episode.columns)))


def _profile(rows: NDArray[np.float16], labels: NDArray[np.float16]) -> LeanProfile:
    tails, deviations = np.hsplit(rows.astype(np.float32), 2)
    return LeanProfile(tails, deviations, labels.astype(np.float32))
