"""Episodes as profiles, kept on disk: the costly half of training is done once and can be interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from outlearn.data.rows import canonical_order
from outlearn.errors import InputError
from outlearn.execute import Executor, Serial
from outlearn.files import whole, writing
from outlearn.learners.profiles.profile import Profiler
from outlearn.rng import derive
from outlearn.tasks.episode import Episode

__all__ = [
    "EpisodeProfiles",
    "build_bank",
    "claim",
    "profile_episode",
    "situation",
    "usual_share",
]

Kept = TypeVar("Kept")
SHARD = 50  # episodes a file
ABOUT = "about.json"


@dataclass(frozen=True, slots=True)
class EpisodeProfiles:
    """One episode as the network needs it.

    support (n, P), query (m, P) float16 profiles; support_y (n,), query_y (m,) int8; situation (5,) float32;
    share () float32: anomaly share of the support, which probabilities are calibrated to.
    """

    support: NDArray[np.float16]
    support_y: NDArray[np.int8]
    query: NDArray[np.float16]
    query_y: NDArray[np.int8]
    situation: NDArray[np.float32]
    share: NDArray[np.float32]


def situation(X: NDArray[np.float32], y: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return size, width and label state of a support, as five numbers of about unit size."""
    n, d = X.shape
    known = (y == 0).mean()
    anomalies = int((y == 1).sum())
    return np.array(
        [np.log(n) / 7, np.log(d) / 4, known, np.log1p(anomalies) / 3, float(anomalies > 0)],
        dtype=np.float32,
    )


def profile_episode(episode: Episode, *, rich: bool = False) -> EpisodeProfiles:
    """Profile support and query of one episode; `rich` as in `Profiler`."""
    order = canonical_order(episode.support_x, episode.support_y)
    X, y = episode.support_x[order], episode.support_y[order]
    profiler = Profiler(X, y, derive(0), rich=rich)
    return EpisodeProfiles(
        profiler.profile(X).stacked().astype(np.float16),
        y,
        profiler.profile(episode.query_x).stacked().astype(np.float16),
        episode.query_y,
        situation(X, y),
        usual_share(episode),
    )


def usual_share(episode: Episode) -> NDArray[np.float32]:
    """Return the anomaly share of a support, () float32, within bounds where probabilities are defined."""
    share = float(episode.support_truth.mean())
    # A clean support does not say how many of the new rows will be odd; 5 % is the stated convention.
    return np.array(0.05 if share == 0 else min(max(share, 0.01), 0.5), dtype=np.float32)


def claim(folder: Path, about: Mapping[str, Any]) -> None:
    """Claim a folder for episodes made as `about` says, in JSON's terms; refuse a folder of others.

    Raises
    ------
    InputError
        When the folder holds episodes that were made otherwise, or nobody knows how.
    OutputError
        When the folder cannot be made or written to.
    """
    about = json.loads(json.dumps(about))
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    path = folder / ABOUT
    fresh, fault = False, ""
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
        other = sorted(key for key in {*there, *about} if there.get(key) != about.get(key))
        fault = f"with other {', '.join(other)}" if other else ""
    except FileNotFoundError:
        fresh = not any(folder.glob("[!.]*.npz"))
        fault = "" if fresh else f"nobody knows how ({path.name} is not there)"
    except (OSError, ValueError, AttributeError, TypeError):
        fault = f"nobody knows how ({path.name} is damaged)"
    if fault:
        raise InputError(
            f"{folder} holds tasks made {fault}; new ones are not mixed with them: name another folder, or "
            "remove this one"
        )
    if fresh:
        with whole(path) as draft:
            draft.write_text(json.dumps(about, indent=1), encoding="utf-8")


def _shard(indices: range, episode: Callable[[int], Episode], read: Callable[[Episode], Kept]) -> list[Kept]:
    return [read(episode(index)) for index in indices]


def build_bank(
    folder: Path,
    episode: Callable[[int], Episode],
    count: int,
    *,
    kind: type[Kept],
    read: Callable[[Episode], Kept],
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Kept]:
    """Return episodes 0 … count-1 as `read` makes them, taking from `folder` what it holds (see `claim`).

    kind : what `read` returns, a dataclass of arrays.

    `episode` must be a pure function of the index, `read` one of an episode, and both, with a process pool,
    picklable. Shards appear whole or not at all, so an interrupted build goes on where it stopped.

    Raises
    ------
    InputError
        When a shard is damaged.
    OutputError
        When a shard cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards = [range(start, min(start + SHARD, count)) for start in range(0, count, SHARD)]
    paths = [folder / f"{shard.start:07d}-{shard.stop:07d}.npz" for shard in shards]
    missing = [(s, p) for s, p in zip(shards, paths, strict=True) if not p.exists()]
    made = (executor or Serial()).map(partial(_shard, episode=episode, read=read), [s for s, _ in missing])
    done = count - sum(len(s) for s, _ in missing)
    for (shard, path), episodes in zip(missing, made, strict=True):
        _write(path, episodes)
        done += len(shard)
        if progress is not None:
            progress(done, count)
    return [kept for path in paths for kept in _read(path, kind)]


def _write(path: Path, episodes: Sequence[Any]) -> None:
    arrays = {
        f"{i}.{field.name}": getattr(episode, field.name)
        for i, episode in enumerate(episodes)
        for field in fields(episode)
    }
    with whole(path) as draft:
        np.savez(draft, **arrays)


def _read(path: Path, kind: type[Kept]) -> list[Kept]:
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            count = len(arrays.files) // len(names)
            return [kind(**{name: arrays[f"{i}.{name}"] for name in names}) for i in range(count)]
    except Exception as error:  # heads are parsed as Python, and zip is unpacked: it may be any
        raise InputError(f"{path} is damaged ({error}); remove it, and it is made anew") from error
