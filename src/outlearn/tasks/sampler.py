"""An endless, addressable stream of synthetic episodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import ParameterError
from outlearn.rng import derive
from outlearn.tasks.episode import Episode
from outlearn.tasks.situation import SITUATIONS, labels_for
from outlearn.tasks.synthetic.table import ALL_KINDS, JOINT_KINDS, PRIORS, sample_table
from outlearn.tasks.synthetic.visibility import VIEWS, visibility
from outlearn.tasks.synthetic.world import SyntheticTable, TaskShape

__all__ = ["SamplerConfig", "SyntheticSampler"]

Weights = Mapping[str, float]


def _weights(**values: float) -> Weights:
    return MappingProxyType(values)


@dataclass(frozen=True, slots=True)
class SamplerConfig:
    """The make-up of the stream. Ranges are inclusive; weights need not sum to one.

    seed : two samplers of one seed and one configuration give the same episodes.
    support_rows, columns : drawn log-uniformly.
    contamination : share of anomalies in the support, where the situation has any.
    query_anomalies : share of anomalies in the query.
    labels : number of labelled anomalies in the situation ``labelled``, as far as the support has them.
    strength : how far anomalies go, 0 to 1; narrow it for a curriculum.
    visibility : a table is drawn again while its AUROC in a cheap view (neighbours or marginals, either for
        half of the tasks) is below a threshold drawn from here; ``(0, 0)`` takes every table.
    hidden : share of the ``labelled`` tasks that are taken however little a cheap view sees: where labels are
        all there is to go by.
    tries : tables drawn at most; the last one is taken as it is.
    priors, kinds, situations : weights by name.
    """

    seed: int = 0
    support_rows: tuple[int, int] = (50, 1000)
    query_rows: int = 256
    columns: tuple[int, int] = (2, 60)
    contamination: tuple[float, float] = (0.0, 0.3)
    query_anomalies: tuple[float, float] = (0.05, 0.5)
    labels: tuple[int, int] = (1, 20)
    strength: tuple[float, float] = (0.2, 1.0)
    visibility: tuple[float, float] = (0.5, 0.9)
    hidden: float = 0.0
    tries: int = 5
    priors: Weights = field(default_factory=lambda: _weights(mixture=1, causal=1, copula=1, discrete=1))
    kinds: Weights = field(
        default_factory=lambda: _weights(
            local=1,
            far=0.7,
            clustered=1,
            dependency=0.5,
            subspace=1.5,
            contextual=0.4,
            other_class=4,
            intervention=0.5,
        )
    )
    situations: Weights = field(
        default_factory=lambda: _weights(normal=1, contaminated=1.5, clean=0.5, labelled=1.5)
    )

    def __post_init__(self) -> None:
        _check_range("support_rows", self.support_rows, 2, np.inf)
        _check_range("columns", self.columns, 2, np.inf)
        _check_range("contamination", self.contamination, 0, 0.5)
        _check_range("query_anomalies", self.query_anomalies, 0, 1)
        _check_range("labels", self.labels, 1, np.inf)
        _check_range("strength", self.strength, 0, 1)
        _check_range("visibility", self.visibility, 0, 1)
        _check_range("hidden", (self.hidden, self.hidden), 0, 1)
        _check_range("tries", (self.tries, self.tries), 1, np.inf)
        _check_range("query_rows", (self.query_rows, self.query_rows), 2, np.inf)
        _check_names("priors", self.priors, tuple(PRIORS))
        _check_names("kinds", self.kinds, ALL_KINDS)
        _check_names("situations", self.situations, SITUATIONS)


class SyntheticSampler:
    """Episodes by number: ``episode(index)`` depends on the configuration and the index, on nothing else.

    A stream can so be resumed anywhere and shared out between workers.

    >>> sampler = SyntheticSampler(SamplerConfig(seed=1, query_rows=32))
    >>> first = sampler.episode(7)
    >>> bool((first.query_x == sampler.episode(7).query_x).all())
    True
    """

    def __init__(self, config: SamplerConfig | None = None) -> None:
        self.config = SamplerConfig() if config is None else config

    def episode(self, index: int) -> Episode:
        """Return episode number `index`, 0 or more."""
        config = self.config
        rng = derive(config.seed, index)
        n = _log_uniform(rng, config.support_rows)
        d = _log_uniform(rng, config.columns)
        situation = _pick(rng, config.situations)
        in_support = _support_anomalies(rng, config, situation, n)
        in_query = int(
            np.clip(round(config.query_rows * rng.uniform(*config.query_anomalies)), 1, config.query_rows - 1)
        )
        prior = _pick(rng, config.priors)
        shape = TaskShape(n - in_support + config.query_rows - in_query, in_support + in_query, d)
        hidden = situation == "labelled" and config.hidden > 0 and rng.random() < config.hidden
        table, strength = _visible_table(rng, config, prior, shape, tries=1 if hidden else config.tries)
        support_x, truth = _mix(rng, table.normals[: n - in_support], table.anomalies[:in_support])
        query_x, query_y = _mix(rng, table.normals[n - in_support :], table.anomalies[in_support:])
        wanted = int(rng.integers(config.labels[0], config.labels[1] + 1))
        origin = {
            "prior": prior,
            "kinds": table.kinds,
            "strength": strength,
            "situation": situation,
            "contamination": in_support / n,
            "noise_columns": table.noise_columns,
            "n": n,
            "d": d,
            "seed": config.seed,
            "index": index,
        }
        return Episode(support_x, labels_for(rng, truth, situation, wanted), query_x, query_y, truth, origin)

    def episodes(self, start: int = 0, stop: int | None = None) -> Iterator[Episode]:
        """Yield the episodes from `start` up to `stop`, or for ever."""
        index = start
        while stop is None or index < stop:
            yield self.episode(index)
            index += 1


def _visible_table(
    rng: np.random.Generator, config: SamplerConfig, prior: str, shape: TaskShape, *, tries: int
) -> tuple[SyntheticTable, float]:
    """Draw tables until one can be solved in the view that this task favours, or the tries are spent."""
    kinds = _pick_kinds(rng, config.kinds)
    view = "neighbours" if set(kinds) <= JOINT_KINDS else str(rng.choice(VIEWS))
    wanted = rng.uniform(*config.visibility)
    for attempt in range(tries):
        strength = float(rng.uniform(*config.strength))
        table = sample_table(rng, prior, shape, kinds, strength)
        if attempt == tries - 1 or visibility(table, view) >= wanted:
            break
    return table, strength


def _log_uniform(rng: np.random.Generator, bounds: tuple[int, int]) -> int:
    low, high = bounds
    return min(max(int(np.exp(rng.uniform(np.log(low), np.log(high + 1)))), low), high)


def _pick(rng: np.random.Generator, weights: Weights) -> str:
    share = np.array(list(weights.values()), dtype=float)
    return list(weights)[int(rng.choice(len(share), p=share / share.sum()))]


def _pick_kinds(rng: np.random.Generator, weights: Weights) -> tuple[str, ...]:
    """Draw the kinds of anomaly of a task: most have one, some two or three."""
    count = 1 + int(rng.random() < 0.35) + int(rng.random() < 0.15)
    return tuple(sorted({_pick(rng, weights) for _ in range(count)}))


def _support_anomalies(rng: np.random.Generator, config: SamplerConfig, situation: str, n: int) -> int:
    if situation in ("normal", "clean"):
        return 0
    low, high = config.contamination
    share = low + (high - low) * rng.beta(0.6, 1.0)  # real supports are most often lightly contaminated
    return min(max(round(n * share), int(situation == "labelled")), n - 1)


def _mix(
    rng: np.random.Generator, normals: NDArray[np.float32], anomalies: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    truth = np.repeat(np.array([0, 1], dtype=np.int8), (len(normals), len(anomalies)))
    order = rng.permutation(len(truth))
    return np.concatenate([normals, anomalies])[order], truth[order]


def _check_range(name: str, bounds: tuple[float, float], low: float, high: float) -> None:
    if not low <= bounds[0] <= bounds[1] <= high:
        raise ParameterError(f"{name}={bounds} is no range within {low} and {high}; give (smallest, largest)")


def _check_names(name: str, weights: Weights, known: tuple[str, ...]) -> None:
    unknown = sorted(set(weights) - set(known))
    if unknown:
        raise ParameterError(f"{name} names {unknown}, which are unknown; choose from {list(known)}")
    if not all(weight >= 0 for weight in weights.values()) or not sum(weights.values()) > 0:
        raise ParameterError(f"{name}={dict(weights)} are no weights; give numbers of 0 or more, one above 0")
