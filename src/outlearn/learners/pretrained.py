"""Trained learners to and from checkpoints."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from outlearn.errors import WeightsError
from outlearn.learners.incontext import ARCHITECTURE, InContextLearned
from outlearn.learners.profile import LABEL_FEATURES, STATISTICS
from outlearn.weights.checkpoint import Header, read_checkpoint, shipped, write_checkpoint

__all__ = ["load_incontext", "save_incontext"]

FEATURES = (*STATISTICS, *LABEL_FEATURES)


def save_incontext(
    path: Path, learned: InContextLearned, *, corpus: str, seed: int, command: str, notes: dict[str, object]
) -> None:
    """Write a trained in-context learner with its provenance."""
    header = Header(ARCHITECTURE, asdict(learned.net.config), corpus, seed, command, FEATURES, dict(notes))
    write_checkpoint(path, learned.net.state_dict(), header)


def load_incontext(path: Path | None = None) -> InContextLearned:
    """Load an in-context learner; the shipped one by default. A file is read once and shared.

    Raises
    ------
    WeightsError
        When the checkpoint cannot be used; see `weights.read_checkpoint`.
    """
    path = shipped("incontext") if path is None else path
    written = path.stat().st_mtime_ns if path.exists() else 0
    return _load(path, written)


@lru_cache(maxsize=4)
def _load(path: Path, written: int) -> InContextLearned:
    # `written` is part of the key: a file that was written anew is read anew.
    from outlearn.nets.incontext import InContextConfig, InContextNet

    tensors, header = read_checkpoint(path, ARCHITECTURE)
    if header.features != FEATURES:
        raise WeightsError(
            f"{path} was trained on other row statistics than this version computes; train it anew"
        )
    try:
        net = InContextNet(InContextConfig(**header.config))
        net.load_state_dict(tensors)
    except (TypeError, RuntimeError) as error:
        raise WeightsError(
            f"{path} holds tensors that do not fit the network its header describes"
        ) from error
    return InContextLearned(net.eval())
