"""Trained learners to and from checkpoints."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from outlearn.errors import ParameterError, WeightsError
from outlearn.learners.catalogue import CATALOGUE, Recipe
from outlearn.learners.incontext.learner import ARCHITECTURE, InContext, InContextLearned
from outlearn.learners.pretrained import (
    TABLE_ARCHITECTURE,
    load_incontext,
    load_learner,
    save_incontext,
    save_table_learner,
)
from outlearn.learners.profiles.profile import BASIC_FEATURES, FEATURES
from outlearn.learners.tabular import TableLearned
from outlearn.weights import Header, read_checkpoint, write_checkpoint

PROVENANCE = {"corpus": "made up", "seed": 4, "command": "by hand", "notes": {"held-out AUROC": 0.9}}


@pytest.fixture(scope="module")
def learned() -> InContextLearned:
    net = InContext(seed=4, width=16, latents=4, blocks=1).network().eval()
    for parameter in net.parameters():
        parameter.data += 0.05
    return InContextLearned(net)


def test_a_learner_scores_the_same_after_a_round_trip(learned, tmp_path, sampler):
    path, episode = tmp_path / "w.safetensors", sampler.episode(0)
    save_incontext(path, learned, **PROVENANCE)
    again = load_incontext(path)
    assert not again.net.training
    scores = [
        one.adapt(episode.support_x, episode.support_y).score(episode.query_x) for one in (learned, again)
    ]
    assert np.array_equal(*scores)


def test_a_checkpoint_says_where_it_comes_from(learned, tmp_path):
    path = tmp_path / "w.safetensors"
    save_incontext(path, learned, **PROVENANCE)
    _, header = read_checkpoint(path, ARCHITECTURE)
    assert header == Header(
        ARCHITECTURE, asdict(learned.net.config), features=FEATURES, sha256=header.sha256, **PROVENANCE
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"architecture": "incontext-0"}, "incontext-0"),
        ({"features": FEATURES[1:]}, "other row statistics"),
        ({"config": {"statistics": 3}}, "do not fit the network"),
        ({"config": {"statistics": 3, "labels": 2, "width": 8}}, "do not fit the network"),
    ],
    ids=["architecture", "features", "half-a-config", "another-config"],
)
def test_a_checkpoint_that_does_not_fit_is_refused(learned, tmp_path, change, told):
    path = tmp_path / "w.safetensors"
    header = Header(ARCHITECTURE, asdict(learned.net.config), features=FEATURES, **PROVENANCE)
    write_checkpoint(path, learned.net.state_dict(), replace(header, **change))
    with pytest.raises(WeightsError, match=told):
        load_incontext(path)


def test_an_absent_checkpoint_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"no checkpoint at .*none\.safetensors"):
        load_incontext(tmp_path / "none.safetensors")


def test_a_checkpoint_that_was_written_anew_is_read_anew(learned, tmp_path):
    path = tmp_path / "w.safetensors"
    save_incontext(path, learned, **PROVENANCE)
    assert load_incontext(path).net.config.width == 16
    other = InContextLearned(InContext(width=32, latents=4, blocks=1).network().eval())
    save_incontext(path, other, **PROVENANCE)
    assert load_incontext(path).net.config.width == 32


def test_the_shipped_learner_is_read_once():
    assert load_incontext() is load_incontext()


# ---- gradient and metric learners

NAMES = [name for name, kind in CATALOGUE.items() if kind.family in ("gradient", "metric")]
TOLD = {"corpus": "made up", "command": "by hand", "notes": {}}
ROWS = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
LABELS = np.resize([-1, -1, 0, 1], 20).astype(np.int8)


def save(path, recipe):
    """Write parameters that differ from those that the recipe starts with, and return what they score."""
    learner = recipe.build()
    meta = {name: value + 0.01 for name, value in learner.start().items()}
    save_table_learner(path, recipe, meta, **TOLD)
    return TableLearned(learner.learned(meta), recipe.columns, recipe.one_class)


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("columns", [None, 3])
@pytest.mark.parametrize("name", NAMES)
def test_every_learner_scores_the_same_after_a_round_trip(name, columns, tmp_path):
    path = tmp_path / "w.safetensors"
    recipe = Recipe(learner=name, columns=columns, widths=(8, 4), embedding=3, seed=2)
    saved, again = save(path, recipe), load_learner(name, path)
    for labels in (LABELS, np.full(20, -1, dtype=np.int8)):
        first, second = (one.adapt(ROWS, labels).score(ROWS) for one in (saved, again))
        np.testing.assert_allclose(
            first, second, rtol=1e-4, atol=1e-5
        )  # what is loaded is of double precision
    assert again.one_class == recipe.one_class and again.columns == columns
    _, header = read_checkpoint(path, TABLE_ARCHITECTURE)
    assert (header.corpus, header.command, header.seed) == ("made up", "by hand", 2)
    assert header.features == (BASIC_FEATURES if columns is None else ("x0", "x1", "x2"))


@pytest.mark.usefixtures("few_trees")
def test_options_of_a_recipe_are_kept(tmp_path):
    from types import MappingProxyType

    path = tmp_path / "w.safetensors"
    options = MappingProxyType({"steps": 2, "rates": "parameter", "trim": 0.2})
    saved = save(path, Recipe(learner="maml", options=options))
    again = load_learner("maml", path)
    assert (again.learned.learner.steps, again.learned.learner.trim) == (2, 0.2)
    first, second = (one.adapt(ROWS, LABELS).score(ROWS) for one in (saved, again))
    np.testing.assert_allclose(first, second, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_learner_scores_a_row_alone_as_in_a_batch_to_the_last_digits(name, tmp_path):
    path = tmp_path / "w.safetensors"
    save(path, Recipe(learner=name))
    scorer = load_learner(name, path).adapt(ROWS, LABELS)
    alone = np.concatenate([scorer.score(row[None]) for row in ROWS])
    np.testing.assert_allclose(alone, scorer.score(ROWS), rtol=1e-10)


def test_the_same_parameters_are_the_same_bytes(tmp_path):
    paths = [tmp_path / f"{i}.safetensors" for i in range(2)]
    for path in paths:
        save(path, Recipe(learner="protonet"))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_file_of_another_learner_is_refused(tmp_path, learned):
    path = tmp_path / "w.safetensors"
    save(path, Recipe(learner="maml"))
    with pytest.raises(WeightsError, match="holds the learner 'maml'; wanted 'anil'"):
        load_learner("anil", path)
    with pytest.raises(WeightsError, match=TABLE_ARCHITECTURE):
        load_learner("incontext", path)
    save_incontext(path, learned, **PROVENANCE)
    with pytest.raises(WeightsError, match=ARCHITECTURE):
        load_learner("maml", path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"architecture": "table-learner-0"}, "table-learner-0"),
        ({"features": BASIC_FEATURES[1:]}, "other row statistics"),
        ({"config": {"widths": [8]}}, "do not fit the network"),
        ({"config": {"embedding": 0}}, "do not fit the network"),
        ({"config": {"widths": 8}}, "do not fit the network"),
        ({"config": {"options": {"speed": 9}}}, "do not fit the network"),
        ({"config": {"colour": "red"}}, "do not fit the network"),
        ({"config": {"columns": 4}}, "do not fit the network"),
        ({"config": {"learner": ["protonet"]}}, r"holds the learner \['protonet'\]"),
    ],
)
def test_a_learner_that_does_not_fit_its_header_is_refused(tmp_path, change, told):
    path = tmp_path / "w.safetensors"
    save(path, Recipe(learner="protonet"))
    tensors, header = read_checkpoint(path, TABLE_ARCHITECTURE)
    change = {name: header.config | value if name == "config" else value for name, value in change.items()}
    write_checkpoint(path, tensors, replace(header, **change))
    with pytest.raises(WeightsError, match=told):
        load_learner("protonet", path)


@pytest.mark.parametrize("name", ["fomaml", "reptile"])
def test_a_learner_without_shipped_weights_says_how_to_get_some(name):
    with pytest.raises(ParameterError, match=f"'{name}' ships no weights; .*--learner {name} --corpus"):
        load_learner(name)


def test_damage_is_told(tmp_path):
    path = tmp_path / "w.safetensors"
    save(path, Recipe(learner="siamese"))
    whole = path.read_bytes()
    for damaged in (whole[:-8] + bytes(8), whole[: len(whole) // 2], b"", b"not weights"):
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match=r"damaged|not a readable"):
            load_learner("siamese", path)
