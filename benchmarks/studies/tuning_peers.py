"""Ways to search without having learnt from other tables: at random, a Gaussian process, Optuna's TPE.

Each tries configurations of a given list, and takes the one it saw most of; what is seen is an average
precision. The first five are drawn at random.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import optuna
from ConfigSpace import CategoricalHyperparameter
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from outlearn.rng import derive
from outlearn.tuning.search import Choice, Search
from outlearn.tuning.space import DETECTORS, Config, vectors

FIRST = 5  # drawn at random
OFTEN, SELDOM = 10, 5  # trials up to which the scales of a Gaussian process are found anew, then each so many
optuna.logging.set_verbosity(optuna.logging.ERROR)


class RandomSearch:
    """Tries what is drawn."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def search(self, search: Search) -> Choice:
        rng = derive(self.seed, 0x5EA)
        order = rng.permutation(search.allowed).tolist()
        self.begin(search, rng)
        while search.left and order:
            pick = self.next(search, order) if len(search.trials) >= FIRST else order[0]
            order.remove(pick)
            seen = search.look(pick)
            self.observe(search, pick, 0.0 if seen is None or seen.precision is None else seen.precision)
        values = {i: seen.precision or 0.0 for i, seen in search.seen.items()}
        best = max(values, key=lambda i: values[i], default=int(search.allowed[0]))
        return Choice((best,), np.full(len(search.configs), np.nan), "it was best of those tried")

    def begin(self, search: Search, rng: np.random.Generator) -> None:
        self.tried: list[int] = []
        self.values: list[float] = []

    def next(self, search: Search, order: list[int]) -> int:
        return order[0]

    def observe(self, search: Search, pick: int, value: float) -> None:
        self.tried.append(pick)
        self.values.append(value)


class GaussianProcess(RandomSearch):
    """Expected improvement under a Gaussian process with a Matérn kernel, its scales by likelihood."""

    def begin(self, search: Search, rng: np.random.Generator) -> None:
        super().begin(search, rng)
        self.points = vectors(search.configs)
        kernel = ConstantKernel() * Matern(nu=2.5) + WhiteKernel(0.1)
        self.model = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
        self.plain = None

    def next(self, search: Search, order: list[int]) -> int:
        X, y = self.points[self.tried], np.array(self.values)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scales at their bounds
            if len(y) <= OFTEN or len(y) % SELDOM == 0 or self.plain is None:
                self.model.fit(X, y)
                self.plain = GaussianProcessRegressor(self.model.kernel_, optimizer=None, normalize_y=True)
            self.plain.fit(X, y)
            mean, spread = self.plain.predict(self.points[order], return_std=True)
        spread = np.maximum(spread, 1e-9)
        over = (mean - y.max()) / spread
        return order[int((spread * (over * norm.cdf(over) + norm.pdf(over))).argmax())]


class TPE(RandomSearch):
    """Optuna's tree-structured Parzen estimator; of what it asks for, the nearest that is left is tried."""

    def begin(self, search: Search, rng: np.random.Generator) -> None:
        super().begin(search, rng)
        self.points = vectors(search.configs)
        names = sorted({search.configs[i]["detector"] for i in search.allowed})
        self.spaces = {name: distributions(name) for name in names}
        self.choose = optuna.distributions.CategoricalDistribution(names)
        sampler = optuna.samplers.TPESampler(n_startup_trials=FIRST, seed=self.seed)
        self.study = optuna.create_study(direction="maximize", sampler=sampler)

    def next(self, search: Search, order: list[int]) -> int:
        trial = self.study.ask()
        name = trial.suggest_categorical("detector", self.choose.choices)
        config: dict[str, Any] = {"detector": name}
        for key, kind in self.spaces[name].items():
            config[key] = trial._suggest(f"{name}.{key}", kind)
        self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
        far = np.abs(self.points[order] - vectors([meaningful(config)])).sum(axis=1)
        return order[int(far.argmin())]

    def observe(self, search: Search, pick: int, value: float) -> None:
        super().observe(search, pick, value)
        config = search.configs[pick]
        name = config["detector"]
        kinds = {
            f"{name}.{key}": kind for key, kind in self.spaces[name].items() if config.get(key) is not None
        }
        self.study.add_trial(
            optuna.trial.create_trial(
                params={
                    "detector": name,
                    **{key: config[key.partition(".")[2]] for key in kinds},
                },
                distributions={"detector": self.choose, **kinds},
                value=value,
            )
        )


def distributions(name: str) -> dict[str, Any]:
    """Return a detector's space as Optuna's distributions."""
    space: dict[str, Any] = {}
    for setting in DETECTORS[name].configuration_space().values():
        if isinstance(setting, CategoricalHyperparameter):
            space[setting.name] = optuna.distributions.CategoricalDistribution(setting.choices)
        elif isinstance(setting.default_value, int):
            space[setting.name] = optuna.distributions.IntDistribution(
                setting.lower, setting.upper, log=setting.log
            )
        else:
            space[setting.name] = optuna.distributions.FloatDistribution(
                setting.lower, setting.upper, log=setting.log
            )
    return space


def meaningful(config: Config) -> Config:
    """Return a configuration without settings whose condition does not hold."""
    space = DETECTORS[config["detector"]].configuration_space()
    kept = dict(config)
    for condition in space.conditions:
        if kept.get(condition.parent.name) != condition.value:
            kept.pop(condition.child.name, None)
    return kept


PEERS: Mapping[str, type[RandomSearch]] = MappingProxyType(
    {"random search": RandomSearch, "Gaussian process": GaussianProcess, "TPE": TPE}
)


def regret(precision: NDArray[np.float64], tried: list[int]) -> float:
    """Return how far the best of those tried is below the best of all, in the range of all; 0 to 1."""
    span = float(precision.max() - precision.min())
    return 0.0 if span == 0 else float(precision.max() - precision[tried].max()) / span
