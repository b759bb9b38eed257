"""Settings of a run: what a file may say, and how it is told that something is wrong."""

from pathlib import Path

import pytest

from outlearn.errors import ParameterError, ReadError
from outlearn.learners.training.config import MetatrainConfig, TaskConfig, TrainingConfig, read_config

FULL = """
learner = "metasgd"
seed = 7
widths = [32, 16]
embedding = 8
[tasks]
synthetic = 100
corpus = "sets"
pattern = "a/*"
licence = "*BSD*"
situations = ["labelled"]
per_set = 3
augment = false
held_out = 0.2
support = 64
query = 32
[training]
steps = 50
batch = 4
rate = 1
clip = 0
every = 5
patience = 2
log = "/var/log"
[options]
steps = 3
rates = "parameter"
"""


def read(tmp_path: Path, text: str) -> MetatrainConfig:
    path = tmp_path / "run.toml"
    path.write_text(text)
    return read_config(path)


def test_every_key_of_a_file_counts_and_paths_are_relative_to_it(tmp_path):
    config = read(tmp_path, FULL)
    tasks = TaskConfig(
        synthetic=100,
        corpus=tmp_path / "sets",
        pattern="a/*",
        licence="*BSD*",
        situations=("labelled",),
        per_set=3,
        augment=False,
        held_out=0.2,
        support=64,
        query=32,
    )
    training = TrainingConfig(steps=50, batch=4, rate=1, clip=0, every=5, patience=2, log=Path("/var/log"))
    options = {"steps": 3, "rates": "parameter"}
    assert config == MetatrainConfig(
        learner="metasgd",
        seed=7,
        widths=(32, 16),
        embedding=8,
        options=options,
        tasks=tasks,
        training=training,
    )


def test_an_empty_file_is_the_default(tmp_path):
    assert read(tmp_path, "") == MetatrainConfig()


def test_settings_written_out_give_the_same_but_for_paths(tmp_path):
    for config in (
        MetatrainConfig(learner="anil", options={"rate": 0.5, "learn_penalty": True}),
        MetatrainConfig(),
    ):
        assert read(tmp_path, config.to_toml()) == config
        assert read(tmp_path, config.settled().to_toml()) == config.settled()
    assert "sets" not in read(tmp_path, FULL).to_toml()


def test_the_learner_decides_what_is_left_open():
    incontext = MetatrainConfig().settled().training
    assert (incontext.epochs, incontext.steps, incontext.batch, incontext.patience) == (6, None, 8, 0)
    other = MetatrainConfig(learner="maml").settled().training
    assert (other.epochs, other.steps, other.batch, other.patience) == (None, 4000, 16, 10)
    given = TrainingConfig(epochs=2, batch=3, patience=0)
    assert MetatrainConfig(learner="maml", training=given).settled().training == given


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("learner = 'mamma'", "learner is 'mamma'; wanted one of profiles, incontext, maml"),
        ("learner = 3", "learner is 3; wanted a text"),
        ("seed = -1", "seed is -1; wanted 0 or more"),
        ("seed = 1.5", "seed is 1.5; wanted a whole number"),
        ("seed = true", "seed is True; wanted a whole number"),
        ("features = 'rows'", "features is 'rows'; wanted one of profile, columns"),
        ("features = 'columns'\nlearner = 'maml'", "there is no tasks.corpus whose columns"),
        ("widths = 64", "widths is 64; wanted a list, each entry a whole number"),
        ("widths = [64, 'x']", "each entry a whole number"),
        ("widths = [0]", "widths is 0; wanted 1 or more"),
        ("embedding = 0", "embedding is 0"),
        ("rounds = 3", "rounds is unknown; known are learner, seed"),
        ("tasks = 3", "tasks is 3; wanted a table"),
        ("options = 3", "options is 3; wanted a table"),
        ("[task]\nsynthetic = 3", "task is unknown"),
        ("[tasks]\nsynthetics = 3", "tasks.synthetics is unknown; known are synthetic, corpus"),
        ("[tasks]\nsynthetic = 0", "tasks.synthetic is 0 and there is no tasks.corpus"),
        ("[tasks]\ncorpus = 3", "tasks.corpus is 3; wanted a path"),
        ("[tasks]\npattern = ['a']", r"tasks.pattern is \('a',\); wanted a text"),
        ("[tasks]\nsituations = []", "tasks.situations is empty"),
        ("[tasks]\nsituations = ['odd']", "tasks.situations is 'odd'; wanted one of normal"),
        ("[tasks]\nper_set = 0", "tasks.per_set is 0; wanted 1 or more"),
        ("[tasks]\naugment = 1", "tasks.augment is 1; wanted true or false"),
        ("[tasks]\nheld_out = 1.0", "tasks.held_out is 1.0; wanted 0.001 to 0.9"),
        ("[tasks]\nheld_out = nan", "tasks.held_out is nan"),
        ("[tasks]\nsupport = 1", "tasks.support is 1; wanted 2 or more"),
        ("[training]\nsteps = 0", "training.steps is 0; wanted 1 or more"),
        ("[training]\nsteps = 5\nepochs = 5", "give one of them"),
        ("[training]\nrate = 'high'", "training.rate is 'high'; wanted a number"),
        ("[training]\nrate = inf", "training.rate is inf"),
        ("[training]\nrate = 0", "training.rate is 0"),
        ("[training]\npatience = -1", "training.patience is -1"),
        ("[training]\nsteps = 5", "training.steps: not for the in-context learner"),
        ("[training]\nclip = 2.0", "training.clip: not for the in-context learner"),
        ("widths = [8]", "widths: not for the in-context learner"),
        ("[options]\nsteps = 5", "options.steps: not for the in-context learner"),
        ("[options]\nwidth = 30", "a width that 4 divides"),
        ("[options]\nblocks = 0", "whole numbers above 0"),
        (
            "learner = 'maml'\n[options]\nrates = 'layers'",
            "options.rates is 'layers'; wanted one of fixed, one",
        ),
        ("learner = 'maml'\n[options]\nsteps = [1]", r"options.steps is \[1\]; wanted a number"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, told):
    with pytest.raises(ParameterError, match=told) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(str(tmp_path / "run.toml"))


def test_a_file_that_is_no_toml_or_not_there_is_told(tmp_path):
    with pytest.raises(ReadError, match="cannot be read as TOML"):
        read(tmp_path, "learner: maml")
    with pytest.raises(ReadError, match="cannot be read as TOML"):
        read_config(tmp_path / "nowhere.toml")
