"""The detectors to choose among, their declared spaces, and how a choice becomes an estimator.

A configuration is a mapping of plain values; ``detector`` names the detector, ``scale`` and ``project`` what
is done to the rows first, the rest are settings of the detector itself. Spaces are ConfigSpace's, with
ranges, logarithmic scales and conditions. Settings that mean something only relative to a table (such as the
width of a kernel) are given so that they carry over: `settle` turns them into arguments for given rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import ParameterError
from outlearn.extras import require

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace

__all__ = ["DETECTORS", "Config", "Spec", "configurations", "default", "named", "spec_of", "vectors"]

Config = Mapping[str, Any]
Rows = NDArray[np.float64]
SCALES = ("standard", "robust", "minmax", "quantile")
MOST_STEPS = 50_000  # of the solver of a one-class SVM, which some kernels never let end
METRICS = ("euclidean", "manhattan", "chebyshev", "cosine")


@dataclass(frozen=True, slots=True)
class Spec:
    """A detector that can be tuned.

    home : the class that is built, as ``module:class``.
    space : adds its settings to a ConfigSpace space.
    settle : (configuration, rows (n, d) as the detector gets them) → arguments of `home`.
    others : further classes that are tuned in this space, as ``module:class``; arguments that a class does
        not have are left out.
    scaled : whether distances count, so that `scale` is part of the space.
    extra : the optional dependency of `home`, or None.
    """

    name: str
    home: str
    space: Callable[[ConfigurationSpace], None]
    settle: Callable[[Config, Rows], dict[str, Any]]
    others: tuple[str, ...] = ()
    scaled: bool = True
    extra: str | None = None

    def configuration_space(self, seed: int = 0) -> ConfigurationSpace:
        """Return the whole space, preparation included.

        Raises
        ------
        MissingExtraError
            When ConfigSpace is not installed.
        """
        cs = require("ConfigSpace", extra="tuning")
        space: ConfigurationSpace = cs.ConfigurationSpace(seed=seed)
        if self.scaled:
            space.add(cs.Categorical("scale", SCALES, default="standard"))
        project = cs.Categorical("project", ("none", "pca"), weights=(0.7, 0.3), default="none")
        variance = cs.Float("variance", (0.5, 0.999), default=0.9)
        space.add(project, variance)
        space.add(cs.EqualsCondition(variance, project, "pca"))
        self.space(space)
        return space

    def build(self) -> type:
        """Return the class that is built.

        Raises
        ------
        MissingExtraError
            When its optional dependency is not installed.
        """
        module, name = self.home.split(":")
        home = import_module(module) if self.extra is None else require(module, extra=self.extra)
        made: type = getattr(home, name)
        return made


def _forest(space: ConfigurationSpace) -> None:
    cs = require("ConfigSpace", extra="tuning")
    space.add(
        cs.Integer("trees", (25, 200), log=True, default=100),
        cs.Integer("max_samples", (16, 1024), log=True, default=256),
        cs.Float("max_features", (0.2, 1.0), default=1.0),
    )


def _settle_forest(config: Config, rows: Rows) -> dict[str, Any]:
    return {
        "n_estimators": int(config["trees"]),
        "max_samples": int(min(config["max_samples"], len(rows))),
        "max_features": float(config["max_features"]),
    }


def _neighbours(space: ConfigurationSpace) -> None:
    cs = require("ConfigSpace", extra="tuning")
    space.add(
        cs.Integer("neighbours", (2, 200), log=True, default=20),
        cs.Categorical("metric", METRICS, default="euclidean"),
    )


def _settle_neighbours(config: Config, rows: Rows) -> dict[str, Any]:
    return {
        "n_neighbors": int(max(min(config["neighbours"], len(rows) - 1), 1)),
        "metric": str(config["metric"]),
        "novelty": True,
    }


def _boundary(space: ConfigurationSpace) -> None:
    cs = require("ConfigSpace", extra="tuning")
    kernel = cs.Categorical("kernel", ("rbf", "sigmoid", "poly"), weights=(0.7, 0.15, 0.15), default="rbf")
    degree = cs.Integer("degree", (1, 4), default=3)
    space.add(
        cs.Float("nu", (0.01, 0.9), log=True, default=0.5),
        cs.Float("width", (0.02, 50.0), log=True, default=1.0),
        kernel,
        degree,
    )
    space.add(cs.EqualsCondition(degree, kernel, "poly"))


def _settle_boundary(config: Config, rows: Rows) -> dict[str, Any]:
    # The unit of the width is what scikit-learn calls "scale".
    unit = 1 / (rows.shape[1] * (float(rows.var()) or 1.0))
    return {
        "nu": float(config["nu"]),
        "kernel": str(config["kernel"]),
        "gamma": float(config["width"]) * unit,
        "degree": int(config.get("degree", 3)),
        "max_iter": MOST_STEPS,
    }


def _centres(space: ConfigurationSpace) -> None:
    cs = require("ConfigSpace", extra="tuning")
    space.add(
        cs.Integer("clusters", (1, 100), log=True, default=8),
        cs.Categorical("relative", (False, True), default=False),
    )


def _settle_centres(config: Config, rows: Rows) -> dict[str, Any]:
    return {"n_clusters": int(min(config["clusters"], len(rows))), "relative": bool(config["relative"])}


def _distances(space: ConfigurationSpace) -> None:
    cs = require("ConfigSpace", extra="tuning")
    space.add(
        cs.Integer("neighbours", (1, 200), log=True, default=5),
        cs.Categorical("metric", METRICS[:3], default="euclidean"),
        cs.Categorical("method", ("largest", "mean", "median"), default="largest"),
    )


def _settle_distances(config: Config, rows: Rows) -> dict[str, Any]:
    return {
        "n_neighbors": int(max(min(config["neighbours"], len(rows) - 1), 1)),
        "metric": str(config["metric"]),
        "method": str(config["method"]),
    }


def _network(space: ConfigurationSpace) -> None:
    cs = require("ConfigSpace", extra="tuning")
    space.add(
        cs.Integer("depth", (1, 3), default=2),
        cs.Integer("width", (8, 128), log=True, default=64),
        cs.Categorical("activation", ("relu", "tanh", "leaky_relu"), default="relu"),
        cs.Float("dropout", (0.0, 0.5), default=0.2),
        cs.Integer("epochs", (5, 100), log=True, default=10),
        cs.Float("rate", (1e-4, 1e-2), log=True, default=1e-3),
    )


def _widths(config: Config) -> list[int]:
    return [max(int(config["width"]) >> layer, 2) for layer in range(int(config["depth"]))]


def _settle_autoencoder(config: Config, rows: Rows) -> dict[str, Any]:
    return {
        "hidden_neuron_list": _widths(config),
        "hidden_activation_name": str(config["activation"]),
        "dropout_rate": float(config["dropout"]),
        "epoch_num": int(config["epochs"]),
        "lr": float(config["rate"]),
        "verbose": 0,
    }


def _settle_svdd(config: Config, rows: Rows) -> dict[str, Any]:
    return {
        "n_features": rows.shape[1],
        "hidden_neurons": _widths(config),
        "hidden_activation": str(config["activation"]),
        "dropout_rate": float(config["dropout"]),
        "epochs": int(config["epochs"]),
        "learning_rate": float(config["rate"]),
        "verbose": 0,
    }


DETECTORS: Mapping[str, Spec] = MappingProxyType(
    {
        spec.name: spec
        for spec in (
            Spec(
                "iforest",
                "sklearn.ensemble:IsolationForest",
                _forest,
                _settle_forest,
                others=("pyod.models.iforest:IForest",),
                scaled=False,
            ),
            Spec(
                "lof",
                "sklearn.neighbors:LocalOutlierFactor",
                _neighbours,
                _settle_neighbours,
                others=("pyod.models.lof:LOF",),
            ),
            Spec(
                "ocsvm",
                "sklearn.svm:OneClassSVM",
                _boundary,
                _settle_boundary,
                others=("pyod.models.ocsvm:OCSVM",),
            ),
            Spec(
                "kmeans",
                "outlearn.tuning.trials.kmeans:KMeansOutlier",
                _centres,
                _settle_centres,
                others=("sklearn.cluster._kmeans:KMeans",),
            ),
            Spec("knn", "pyod.models.knn:KNN", _distances, _settle_distances, extra="pyod"),
            Spec(
                "autoencoder",
                "pyod.models.auto_encoder:AutoEncoder",
                _network,
                _settle_autoencoder,
                extra="pyod",
            ),
            Spec("deepsvdd", "pyod.models.deep_svdd:DeepSVDD", _network, _settle_svdd, extra="pyod"),
        )
    }
)
"""Everything with a declared space, by name."""


def spec_of(name: str) -> Spec:
    """Return the detector of a name.

    Raises
    ------
    ParameterError
        When there is none of that name.
    """
    if name not in DETECTORS:
        raise ParameterError(f"no detector named {name!r} can be tuned; choose from {sorted(DETECTORS)}")
    return DETECTORS[name]


def default(name: str) -> dict[str, Any]:
    """Return the default configuration of a detector.

    >>> default("lof")["neighbours"]
    20
    """
    return _plain(name, spec_of(name).configuration_space().get_default_configuration())


def configurations(name: str, count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return `count` different configurations: the default first, then draws from the space.

    >>> [config["detector"] for config in configurations("kmeans", 2)]
    ['kmeans', 'kmeans']
    """
    space = spec_of(name).configuration_space(seed)
    drawn = {space.get_default_configuration(): None}
    while len(drawn) < count:
        drawn[space.sample_configuration()] = None
    return [_plain(name, config) for config in drawn]


def vectors(configs: Sequence[Config]) -> NDArray[np.float64]:
    """Return configurations as numbers in [0, 1]: (C, W), of one width for all detectors.

    One column a detector, one a number of any space (where it does not apply, 0) and one a category.
    Settings of one name are one column, whatever detector they are of.
    """
    cs = require("ConfigSpace", extra="tuning")
    spaces = {name: spec.configuration_space() for name, spec in DETECTORS.items()}
    columns: dict[tuple[str, Any], int] = {("detector", name): place for place, name in enumerate(DETECTORS)}
    for space in spaces.values():
        for setting in space.values():
            choices = setting.choices if isinstance(setting, cs.CategoricalHyperparameter) else (None,)
            for choice in choices:
                columns.setdefault((setting.name, choice), len(columns))
    rows = np.zeros((len(configs), len(columns)))
    for row, config in zip(rows, configs, strict=True):
        row[columns["detector", config["detector"]]] = 1.0
        for setting in spaces[config["detector"]].values():
            if setting.name not in config:
                continue
            value = config[setting.name]
            if isinstance(setting, cs.CategoricalHyperparameter):
                row[columns[setting.name, value]] = 1.0
            else:
                row[columns[setting.name, None]] = setting.to_vector(value)
    return rows


def _plain(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    values = {key: value.item() if hasattr(value, "item") else value for key, value in dict(config).items()}
    return {"detector": name, **values}


def named(configs: Sequence[Config]) -> list[str]:
    """Return a short text for each configuration, such as ``lof neighbours=20 scale=standard``."""
    return [
        " ".join([config["detector"], *(f"{k}={_short(v)}" for k, v in config.items() if k != "detector")])
        for config in configs
    ]


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
