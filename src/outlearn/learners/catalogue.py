"""The learners by name: what each is, what suits it, and how to build one for tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from outlearn.errors import ParameterError
from outlearn.learners.profiles.profile import BASIC_LABELS, BASIC_STATISTICS, PRIOR_GATE
from outlearn.learners.training.settings import seeded

if TYPE_CHECKING:
    from torch import nn

    from outlearn.learners.base import Learner
    from outlearn.learners.gradient.learner import GradientLearner
    from outlearn.learners.metric.learner import MetricLearner

__all__ = ["CATALOGUE", "LearnerSpec", "Recipe"]


@dataclass(frozen=True, slots=True)
class LearnerSpec:
    """A learner as users choose it.

    where : module and class.
    family : ``gradient``, ``metric``, ``in-context`` or ``profile``.
    idea, suits, cost, explains : one line each.
    options : defaults on tables beside those of the class.
    first_order : takes inner gradients as given, so the inner loss has nothing to learn.
    probabilistic : its scores are log-odds (`learners.base.ProbabilisticScorer`); else they rank.
    rich : reads all statistics of a row (`profiles.profile.FEATURES`); else the basic or the lean ones.
    """

    where: str
    family: str
    idea: str
    suits: str
    cost: str
    explains: str
    options: Mapping[str, Any] = field(default_factory=dict)
    first_order: bool = False
    probabilistic: bool = False
    rich: bool = False

    def load(self) -> Callable[..., Learner[Any]]:
        """Return the class of the learner."""
        module, name = self.where.split(":")
        made: Callable[..., Learner[Any]] = getattr(import_module(f"outlearn.learners.{module}"), name)
        return made


_FAMILIES = ("gradient", "metric")  # of learners that a recipe builds
_STEPS: Mapping[str, Any] = MappingProxyType({"steps": 5, "rate": 0.1})
_LINEAR = "weights of the statistics before and after"

CATALOGUE: Mapping[str, LearnerSpec] = MappingProxyType(
    {
        "profiles": LearnerSpec(
            "profiles.learner:Profiles",
            "profile",
            "a small network, trained on hundreds of real tables, scores a row by its profile",
            "the default; any support, with or without labels",
            "no step; two neighbour searches a row",
            "contributions and neighbours",
            probabilistic=True,
        ),
        "incontext": LearnerSpec(
            "incontext.learner:InContext",
            "in-context",
            "a network reads the support and its labels in one pass",
            "any support, with or without labels; records of several modalities",
            "one pass; dear to train",
            "contributions and neighbours",
            probabilistic=True,
            rich=True,
        ),
        "maml": LearnerSpec(
            "gradient.maml:MAML",
            "gradient",
            "a start from which a few gradient steps suffice",
            "five labels or more, tasks much like those it learnt from",
            "second-order training, quick steps in use",
            _LINEAR,
            MappingProxyType({**_STEPS, "rates": "layer-step"}),
        ),
        "fomaml": LearnerSpec(
            "gradient.maml:FOMAML",
            "gradient",
            "MAML without second derivatives",
            "as MAML, with deep or wide networks",
            "about half of MAML's training",
            _LINEAR,
            MappingProxyType({"steps": 5, "rate": 0.05}),
            first_order=True,
        ),
        "anil": LearnerSpec(
            "gradient.anil:ANIL",
            "gradient",
            "only the last layer adapts",
            "few labels, where adapting everything would overfit",
            "the cheapest gradient learner in use",
            "a linear model on fixed features",
            MappingProxyType({**_STEPS, "rates": "parameter"}),
        ),
        "metasgd": LearnerSpec(
            "gradient.metasgd:MetaSGD",
            "gradient",
            "MAML that also learns how far to step in each parameter",
            "one label or more; the best of the gradient learners on real tables",
            "as MAML, with twice the parameters",
            _LINEAR,
            _STEPS,
        ),
        "reptile": LearnerSpec(
            "gradient.reptile:Reptile",
            "gradient",
            "a start near where many tasks end",
            "many inner steps, large networks, little memory",
            "first order; no query rows are kept back",
            _LINEAR,
            MappingProxyType({"steps": 8, "rate": 0.05}),
            first_order=True,
        ),
        "protonet": LearnerSpec(
            "metric.protonet:ProtoNet",
            "metric",
            "distance to the mean of the usual rows and to that of the known anomalies",
            "one label or more of one kind of anomaly; normal rows alone",
            "one pass; the quickest to train",
            "which prototype is near",
        ),
        "siamese": LearnerSpec(
            "metric.pairs:Siamese",
            "metric",
            "likeness learnt from pairs of rows",
            "several kinds of anomaly, one label each",
            "one pass, and a distance to every support row",
            "the nearest support rows",
            MappingProxyType({"nearest": 200}),
        ),
        "triplet": LearnerSpec(
            "metric.pairs:Triplet",
            "metric",
            "likeness learnt from the hardest triples of rows",
            "as Siamese, with close kinds",
            "as Siamese",
            "the nearest support rows",
            MappingProxyType({"positives": "mean", "nearest": 200}),
        ),
    }
)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What rebuilds a gradient or metric learner for tables.

    learner : a name in `CATALOGUE` of a gradient or metric learner.
    columns : width of the tables, when the network reads their columns; None for row profiles.
    widths : of the hidden layers; embedding : dimensions of the space of metric learners.
    options : arguments of the learner beside its defaults on tables.
    seed : of the initialisation.
    """

    learner: str
    columns: int | None = None
    widths: tuple[int, ...] = (64, 64)
    embedding: int = 32
    options: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        kind = CATALOGUE.get(self.learner)
        if kind is None or kind.family not in _FAMILIES:
            known = [name for name, each in CATALOGUE.items() if each.family in _FAMILIES]
            raise ParameterError(f"learner is {self.learner!r}; wanted one of {', '.join(known)}")
        sizes = (*self.widths, self.embedding, 1 if self.columns is None else self.columns)
        if not self.widths or any(not isinstance(size, int) or size < 1 for size in sizes):
            raise ParameterError(
                f"widths={self.widths}, embedding={self.embedding}, columns={self.columns}; wanted whole "
                "numbers of 1 or more, and at least one hidden layer"
            )

    @property
    def settings(self) -> dict[str, Any]:
        """All arguments of the learner: its defaults on tables and the options."""
        return {**CATALOGUE[self.learner].options, **self.options}

    @property
    def one_class(self) -> bool:
        """Whether it adapts to supports without a known anomaly; see `learners.tabular.label_weights`."""
        return not CATALOGUE[self.learner].first_order

    def build(self) -> GradientLearner | MetricLearner:
        """Return the untrained learner, the same for the same recipe.

        Raises
        ------
        ParameterError
            When an option is unknown or out of range.
        """
        from outlearn.nets.losses import LabelLoss, binary_cross_entropy

        kind = CATALOGUE[self.learner]
        arguments: dict[str, Any] = {
            "module": self._network(1 if kind.family == "gradient" else self.embedding)
        }
        if kind.family == "gradient":
            loss = binary_cross_entropy if kind.first_order else LabelLoss()
            arguments |= {"loss": loss, "query_loss": binary_cross_entropy}
        try:
            learner = kind.load()(**arguments, **self.settings)
        except TypeError as error:
            raise ParameterError(f"options of {self.learner}: {error}") from error
        return cast("GradientLearner | MetricLearner", learner)  # by the families that a recipe takes

    def _network(self, outputs: int) -> nn.Module:
        import torch

        from outlearn.nets.mlp import MLP
        from outlearn.nets.profile import ProfileNet

        gate = (
            torch.tensor([PRIOR_GATE.get(name, 0.0) for name in BASIC_STATISTICS]) if outputs == 1 else None
        )
        with seeded(self.seed):
            if self.columns is not None:
                return MLP(self.columns, self.widths, outputs, normalise=True)
            return ProfileNet(len(BASIC_STATISTICS), len(BASIC_LABELS), self.widths, outputs, gate)
