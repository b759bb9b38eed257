"""Choosing and setting a classical detector for a table, by what worked on other tables."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from outlearn.data.labels import refuse_signs
from outlearn.data.usable import FEWEST_ROWS, usable_rows
from outlearn.errors import InputError, LabelError, ParameterError
from outlearn.execute import Executor
from outlearn.tasks.episode import Episode
from outlearn.tuning.experience import Experience, load_experience, save_experience
from outlearn.tuning.metafeatures import describe
from outlearn.tuning.search import Choice, Looker, Search, Trial
from outlearn.tuning.space import Config, configurations, spec_of
from outlearn.tuning.strategies.catalogue import STRATEGIES
from outlearn.tuning.table import PerformanceTable, build_table, fingerprint
from outlearn.tuning.trials.candidate import fitted, recognise
from outlearn.tuning.trials.ensemble import RankEnsemble
from outlearn.tuning.trials.isolate import IsolatedObserver
from outlearn.tuning.trials.observe import Observer, TableSample

__all__ = ["CLASSICAL", "MetaTuner", "Tuned", "configurations_of"]

CLASSICAL = ("iforest", "lof", "ocsvm", "kmeans")
MOST_FITTED = 2000  # that each of several detectors is fitted on: a part of an ensemble bears it


@dataclass(frozen=True)
class Tuned:
    """Record of a search.

    configs : candidates. choice : what was decided. trials : what was tried, in that order.
    default : the place of the default among the candidates, of the detector that was chosen first.
    beside : what was seen of it: where anything was tried it is looked at too, beside the budget, unless time
        is up; else None.
    left_out : names of tasks that are the table itself, which nothing was learnt from.
    notes : what else the user should know. seconds : of the whole search, the last fit included.
    """

    strategy: str
    configs: list[Config]
    choice: Choice
    trials: list[Trial]
    default: int
    beside: Trial | None
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float

    @property
    def winner(self) -> Config:
        return self.configs[self.choice.members[0]]


class MetaTuner:
    """Sets the hyper-parameters of classical detectors, and chooses among them, with few or no labels.

    Parameters
    ----------
    strategy : a name in `tuning.strategies.catalogue.STRATEGIES`.
    detectors : names of the detectors that `fit` learns about; see `tuning.space.DETECTORS`.
    candidates : configurations a detector that `fit` tries on each task, the default among them.
    random_state : seed of candidates, strategies and fitted detectors.

    Attributes
    ----------
    table_ : the performance table learnt from, after `fit`. experience_ : an `Experience`: what was learnt.
    tuned_ : a `Tuned`: what the last `optimize` did.
    """

    def __init__(
        self,
        strategy: str = "maml",
        *,
        detectors: Sequence[str] = CLASSICAL,
        candidates: int = 32,
        random_state: int = 0,
    ) -> None:
        if strategy not in STRATEGIES:
            raise ParameterError(f"strategy={strategy!r} is unknown; choose from {sorted(STRATEGIES)}")
        if candidates < 1:
            raise ParameterError(f"candidates={candidates}; wanted 1 or more")
        self.strategy = strategy
        self.detectors = tuple(spec_of(name).name for name in detectors)
        self.candidates = candidates
        self.random_state = random_state

    def fit(
        self,
        tasks: Iterable[Episode] | PerformanceTable,
        *,
        folder: Path | None = None,
        executor: Executor | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Learn from tasks, or from a performance table of them that is there already.

        Parameters
        ----------
        folder : where the table is kept, so that an interrupted computation goes on.
        executor, progress : of the computation; see `table.build_table`.
        """
        if isinstance(tasks, PerformanceTable):
            return self._learn(tasks)
        episodes = list(tasks)
        if not episodes:
            raise InputError("no task came to learn from; give at least one")
        configs = [
            c for name in self.detectors for c in configurations(name, self.candidates, self.random_state)
        ]
        with ExitStack() as stack:
            kept = Path(stack.enter_context(tempfile.TemporaryDirectory())) if folder is None else folder
            table = build_table(
                kept,
                episodes.__getitem__,
                len(episodes),
                configs,
                about=f"{len(episodes)} tasks of the caller",
                executor=executor,
                progress=progress,
            )
        return self._learn(table)

    def _learn(self, table: PerformanceTable) -> Self:
        if not table.configs:
            raise InputError("the performance table holds no configuration; compute one that does")
        self.table_ = table
        self.experience_ = Experience.learn(table, [self.strategy], self.random_state)
        return self

    @classmethod
    def pretrained(cls, strategy: str = "maml", *, path: Path | None = None, random_state: int = 0) -> Self:
        """Return a tuner with what was learnt before; what ships with the package by default.

        Raises
        ------
        ParameterError
            When the strategy was not learnt.
        WeightsError
            When the file cannot be used.
        """
        made = cls(strategy, random_state=random_state)
        experience = load_experience(path)
        experience.strategy(strategy)
        made.experience_ = experience
        return made

    def save(self, path: Path) -> None:
        """Write what was learnt, for `pretrained`.

        Raises
        ------
        ParameterError
            When nothing was learnt yet.
        OutputError
            When the file cannot be written.
        """
        learnt = self._learnt()
        save_experience(path, learnt, corpus=learnt.corpus, command="MetaTuner.save")

    def _learnt(self) -> Experience:
        if not hasattr(self, "experience_"):
            raise ParameterError("nothing was learnt yet; call fit first, or begin with MetaTuner.pretrained")
        return self.experience_

    def optimize(
        self,
        detector: Any,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        budget: int = 25,
        seconds: float = 30.0,
        time_limit: float | None = None,
        known_as: ArrayLike | None = None,
    ) -> Any:
        """Return a detector, set for these rows and fitted on them.

        Parameters
        ----------
        detector : an estimator of scikit-learn or PyOD with a declared space, a name, or a list of these to
            choose among. An estimator keeps its class, and its settings that are not in its space.
        X : (n, d) numbers.
        y : (n,) 1 anomaly, 0 normal, -1 unlabelled; None without any label.
        budget : configurations that may be tried on the rows; seconds : after which no further one is.
        time_limit : seconds that one configuration may take; each is then tried in another process.
        known_as : (n, c) the rows as they were before they were scaled or encoded, to recognise a table that
            was learnt from by; X when None.

        Returns
        -------
        A fitted `sklearn.pipeline.Pipeline`, whose last step is the detector. Where detectors are named, not
        given, and several configurations together are expected to be better, a `RankEnsemble` of them.

        Raises
        ------
        InputError
            When rows or labels are not usable.
        ParameterError
            When a detector has no declared space, or nothing was learnt about it.
        """
        started = time.monotonic()
        likes = dict(
            recognise(given) for given in (detector if isinstance(detector, (list, tuple)) else [detector])
        )
        if not likes:
            raise ParameterError("no detector came; give an estimator, a name or a list of them")
        _check_limits(budget, seconds, time_limit)
        rows = usable_rows(X)
        labels = _labels(y, len(rows))
        known = self._learnt()
        allowed = configurations_of(likes, known.configs)
        same = known.alike(fingerprint(rows if known_as is None else usable_rows(known_as)))
        with ExitStack() as stack:
            desk = _Desk(rows, labels, likes, self.random_state, time_limit, stack)
            search = Search(
                configs=known.configs,
                allowed=allowed,
                features=desk.features,
                looker=lambda: desk.looker,
                budget=budget,
                deadline=started + seconds,
                seed=self.random_state,
                same=frozenset(known.families[i] for i in same),
            )
            choice = known.strategy(self.strategy).search(search)
            names = [config["detector"] for config in known.configs]
            default = names.index(names[choice.members[0]])
            beside = search.beside(default) if search.trials else None
        if any(like is not None for like in likes.values()):  # what was given is to come back, set
            choice = replace(choice, members=choice.members[:1])
        made = self._build(known.configs, choice, rows[labels != 1], likes)
        left_out = tuple(dict.fromkeys(known.tasks[i] for i in same))
        self.tuned_ = Tuned(
            self.strategy,
            list(known.configs),
            choice,
            search.trials,
            default,
            beside,
            left_out,
            tuple(_notes(budget, left_out, search.trials)),
            time.monotonic() - started,
        )
        return made

    def _build(
        self, configs: Sequence[Config], choice: Choice, rows: NDArray[np.float32], likes: Mapping[str, Any]
    ) -> Any:
        members = [configs[i] for i in choice.members]
        if len(members) == 1:
            return fitted(members[0], rows, seed=self.random_state, like=likes[members[0]["detector"]])
        return RankEnsemble(members, max_rows=MOST_FITTED, random_state=self.random_state).fit(rows)


def configurations_of(detectors: Iterable[str], configs: Sequence[Config]) -> NDArray[np.int64]:
    """Return the places of the configurations of these detectors among those that were learnt about.

    Raises
    ------
    ParameterError
        When nothing was learnt about one of them.
    """
    names, wanted = [config["detector"] for config in configs], list(detectors)
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        raise ParameterError(
            f"nothing was learnt about {', '.join(unknown)}; learnt: {', '.join(sorted(set(names)))}"
        )
    return np.flatnonzero(np.isin(names, wanted))


@dataclass
class _Desk:
    """TableSample, features and observer of a table, made when first asked for."""

    rows: NDArray[np.float32]
    labels: NDArray[np.int8]
    likes: Mapping[str, Any]
    seed: int
    time_limit: float | None
    stack: ExitStack

    @cached_property
    def sample(self) -> TableSample:
        return TableSample.of(self.rows, self.labels, self.seed)

    @cached_property
    def looker(self) -> Looker:
        if self.time_limit is None:
            return Observer(self.sample, seed=self.seed, like=self.likes)
        return self.stack.enter_context(
            IsolatedObserver(self.sample, seed=self.seed, like=self.likes, limit=self.time_limit)
        )

    @cached_property
    def features(self) -> NDArray[np.float64]:
        return describe(self.sample)


def _check_limits(budget: int, seconds: float, time_limit: float | None) -> None:
    if budget < 0 or not seconds > 0 or (time_limit is not None and not time_limit > 0):
        raise ParameterError(
            f"budget={budget}, seconds={seconds}, time_limit={time_limit}; wanted 0 or more trials and "
            "more than 0 seconds"
        )


def _notes(budget: int, left_out: Sequence[str], trials: Sequence[Trial]) -> Iterator[str]:
    """Say what else the user should know of a search."""
    if budget == 0:
        yield "nothing was tried on the rows: what is best known of other tables was taken"
    if left_out:
        yield f"what was learnt from {', '.join(left_out)} was not used: it is this table"
    faults = sum(trial.seen is None for trial in trials)
    if faults:
        yield f"{faults} of {len(trials)} configurations failed when tried"


def _labels(y: ArrayLike | None, n: int) -> NDArray[np.int8]:
    if y is None:
        return np.full(n, -1, dtype=np.int8)
    labels = np.asarray(y)
    if labels.shape != (n,) or not np.isin(labels, (-1, 0, 1)).all():
        raise LabelError(
            f"labels of shape {labels.shape} with values {np.unique(labels)[:5].tolist()} came for {n} rows; "
            "wanted one a row: 1 (anomaly), 0 (normal) or -1 (unlabelled)"
        )
    if int((labels != 1).sum()) < FEWEST_ROWS:
        raise LabelError(
            f"all but {int((labels != 1).sum())} rows are labelled as anomalies; wanted {FEWEST_ROWS}"
        )
    refuse_signs(labels.astype(np.int8))
    return labels.astype(np.int8)
