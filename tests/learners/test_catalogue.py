"""The learners by name, and the recipes that rebuild them."""

import re

import pytest
import torch

from outlearn.errors import ParameterError
from outlearn.learners.catalogue import CATALOGUE, Recipe
from outlearn.learners.gradient.learner import GradientLearner
from outlearn.learners.metric.learner import MetricLearner

NAMES = [name for name, kind in CATALOGUE.items() if kind.family in ("gradient", "metric")]


def test_ten_learners_are_told_in_words():
    assert list(CATALOGUE) == [
        "profiles", "incontext", "maml",
        "fomaml", "anil", "metasgd", "reptile", "protonet", "siamese", "triplet",
    ]  # fmt: skip
    for kind in CATALOGUE.values():
        assert kind.family in ("profile", "in-context", "gradient", "metric")
        assert all((kind.idea, kind.suits, kind.cost, kind.explains))
        assert kind.load().__name__ == kind.where.split(":")[1]
        assert kind.load().transductive is False


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_builds_the_learner_of_its_name(name):
    learner = Recipe(learner=name).build()
    family = {"gradient": GradientLearner, "metric": MetricLearner}[CATALOGUE[name].family]
    assert isinstance(learner, CATALOGUE[name].load()) and isinstance(learner, family)
    assert Recipe(learner=name).one_class == (not CATALOGUE[name].first_order)


@pytest.mark.parametrize("columns", [None, 3])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_recipe_gives_the_same_bytes_and_another_seed_others(name, columns):
    def start(seed):
        return Recipe(learner=name, columns=columns, seed=seed, widths=(8, 4)).build().start()

    random = torch.random.get_rng_state()
    first, again, other = start(3), start(3), start(4)
    assert list(first) == list(again) == list(other)
    assert all(torch.equal(value, again[key]) for key, value in first.items())
    assert any(not torch.equal(value, other[key]) for key, value in first.items())
    assert torch.equal(torch.random.get_rng_state(), random), "others' random numbers are left alone"


def test_options_of_a_recipe_take_the_place_of_defaults():
    assert Recipe(learner="maml").build().steps == 5
    given = Recipe(learner="maml", options={"steps": 2, "rate": 0.3, "rates": "fixed", "trim": 0.1}).build()
    assert (given.steps, given.rate, given.rates, given.trim) == (2, 0.3, "fixed", 0.1)
    assert Recipe(learner="siamese", options={"margin": 3.0, "nearest": 2}).build().margin == 3
    assert Recipe(learner="protonet", embedding=7, widths=(5,)).build().module.head.weight.shape[0] == 7
    assert Recipe(learner="anil", columns=6, widths=(5,)).build().module.body[0].in_features == 6


@pytest.mark.parametrize("name", ["incontext", "profiles", "mamml", "", None])
def test_an_unknown_learner_is_named(name):
    told = re.escape(f"learner is {name!r}; wanted one of maml, fomaml, anil")
    with pytest.raises(ParameterError, match=told):
        Recipe(learner=name)


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ({"learner": "maml", "options": {"stepps": 3}}, "options of maml: .*'stepps'"),
        ({"learner": "maml", "options": {"steps": "many"}}, "options of maml"),
        ({"learner": "maml", "options": {"steps": -1}}, "steps=-1"),
        ({"learner": "maml", "options": {"module": None}}, "options of maml: .*'module'"),
        ({"learner": "protonet", "options": {"rate": 0.1}}, "options of protonet: .*'rate'"),
        ({"learner": "reptile", "options": {"rates": "one"}}, "Reptile"),
        ({"learner": "siamese", "options": {"margin": 0}}, "margin=0"),
        ({"learner": "maml", "widths": ()}, "at least one hidden layer"),
        ({"learner": "maml", "widths": (8, 0)}, r"widths=\(8, 0\)"),
        ({"learner": "maml", "columns": 0}, "columns=0"),
        ({"learner": "triplet", "embedding": 2.5}, "embedding=2.5"),
    ],
)
def test_what_cannot_be_built_is_named(recipe, told):
    with pytest.raises(ParameterError, match=told):
        Recipe(**recipe).build()
