"""Meta-training, end to end, on tasks small enough for a test."""

import csv
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from outlearn import Detector
from outlearn.errors import InputError, MissingExtraError, OutputError, ParameterError
from outlearn.execute import Processes
from outlearn.learners.catalogue import CATALOGUE
from outlearn.learners.incontext.learner import ARCHITECTURE
from outlearn.learners.pretrained import TABLE_ARCHITECTURE, load_incontext
from outlearn.learners.profiles import bank
from outlearn.learners.training import supply
from outlearn.learners.training.config import MetatrainConfig, TaskConfig, TrainingConfig
from outlearn.learners.training.loop import warm_cosine
from outlearn.learners.training.metatrain import Outcome, metatrain, work_folder
from outlearn.learners.training.supply import task_source
from outlearn.tasks.sampler import SamplerConfig
from outlearn.weights import read_checkpoint

PLAIN = MetatrainConfig(seed=3, tasks=TaskConfig(synthetic=12), training=TrainingConfig(epochs=2))
SHORT = TrainingConfig(steps=6, batch=4, every=2)
GROUPS = ["all", "corpus, with known anomalies", "corpus, no known anomalies"]


@pytest.fixture(autouse=True)
def _small_tasks(monkeypatch):
    small = partial(SamplerConfig, support_rows=(30, 50), query_rows=24, columns=(2, 5), visibility=(0, 0))
    monkeypatch.setattr(supply, "SamplerConfig", small)
    monkeypatch.setattr(bank, "SHARD", 4)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Seven small sets of three families and three licences."""
    folder = tmp_path_factory.mktemp("corpus")
    lines = [("file", "licence", "family")]
    for name, load, licence in (
        ("wine", load_wine, "CC-BY-4.0"),
        ("iris", load_iris, ""),
        ("cancer", load_breast_cancer, "BSD-3-Clause"),
    ):
        X, classes = load(return_X_y=True)
        for odd in np.unique(classes)[:2]:
            kept = np.r_[np.flatnonzero(classes != odd)[:60], np.flatnonzero(classes == odd)[:8]]
            np.savez(folder / f"{name}{odd}.npz", X=X[kept, :4], y=classes[kept] == odd)
            lines.append((f"{name}{odd}.npz", licence, name))
    with (folder / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(lines)
    return folder


@pytest.fixture
def of_sets(corpus) -> MetatrainConfig:
    tasks = TaskConfig(synthetic=0, corpus=corpus, per_set=4, support=20, query=20)
    return MetatrainConfig(learner="protonet", widths=(8,), tasks=tasks, training=SHORT)


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """Where runs find the profiles of earlier ones."""
    return tmp_path_factory.mktemp("kept")


class Told:
    """A progress callback that notes what it is told, and interrupts at `stop`."""

    def __init__(self, stop: tuple[str, int] | None = None) -> None:
        self.stages: list[tuple[str, int, int]] = []
        self._stop = stop

    def __call__(self, stage: str, done: int, total: int | None, loss: float | None = None, /) -> None:
        self.stages.append((stage, done, total))
        if (stage, done) == self._stop:
            raise KeyboardInterrupt

    def of(self, stage: str) -> list[int]:
        return [done for name, done, _ in self.stages if name == stage]


def run(config: MetatrainConfig, place: Path, *, stop=None, **options) -> tuple[bytes, Outcome, Told]:
    told = Told(stop)
    outcome = metatrain(config, place / "w.safetensors", progress=told, **options)
    return outcome.checkpoint.read_bytes(), outcome, told


@pytest.mark.usefixtures("few_trees")
def test_the_incontext_learner_ends_the_same_interrupted_or_not(tmp_path, sampler):
    written, outcome, told = run(PLAIN, tmp_path)
    assert told.stages == [("profiling episodes", n, 12) for n in (4, 8, 12)] + [
        ("training", n, 2) for n in (1, 2)
    ]

    path = tmp_path / "w.safetensors"
    _, header = read_checkpoint(path, ARCHITECTURE)
    before, after = (outcome.figures[f"{when} training"][0].auroc for when in ("before", "after"))
    assert header.notes == {"held-out AUROC before": before, "held-out AUROC": after, "episodes": 12}
    assert header.corpus == (
        "synthetic episodes of outlearn.tasks.sampler.SyntheticSampler (generated, no licence needed); "
        "no real data"
    )
    assert header.seed == 3
    assert header.command == "outlearn metatrain --episodes 12 --epochs 2 --seed 3 --out w.safetensors"
    episode = sampler.episode(0)
    scores = load_incontext(path).adapt(episode.support_x, episode.support_y).score(episode.query_x)
    assert scores.shape == episode.query_y.shape

    cut, state = tmp_path / "cut", tmp_path / "state"
    for stop in (("profiling episodes", 8), ("training", 1)):
        with pytest.raises(KeyboardInterrupt):
            run(PLAIN, cut, folder=state, stop=stop)
        assert not (cut / "w.safetensors").exists()
    resumed, again, told = run(PLAIN, cut, folder=state)
    assert (resumed, again.figures) == (written, outcome.figures)
    assert told.of("profiling episodes") == []


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("learner", ["maml", "protonet"])
def test_other_learners_end_the_same_interrupted_or_not(tmp_path, of_sets, learner):
    config = replace(of_sets, learner=learner)
    written, outcome, _ = run(config, tmp_path)
    cut, state = tmp_path / "cut", tmp_path / "state"
    for stop in (("profiling sets", 12), ("training", 3), ("training", 5)):
        with pytest.raises(KeyboardInterrupt):
            run(config, cut, folder=state, stop=stop)
    resumed, again, told = run(config, cut, folder=state)
    assert told.of("profiling sets") == []
    assert told.of("training") == [5, 6]
    assert (resumed, again.figures) == (written, outcome.figures)
    assert (tmp_path / "w.md").read_text() == (cut / "w.md").read_text()


@pytest.mark.usefixtures("few_trees")
def test_a_log_goes_on_without_repeating_a_step(tmp_path, of_sets, kept):
    config = replace(of_sets, training=replace(SHORT, rate=0.01, log=tmp_path / "log"))
    with pytest.raises(KeyboardInterrupt):
        run(config, tmp_path, folder=kept, stop=("training", 5))
    first = scalars(tmp_path / "log")
    assert [step for step, _ in first["loss/training"]] == [1, 2, 3, 4, 5]
    time.sleep(1.1)  # files of a log are read in the order of the second in their names
    run(config, tmp_path, folder=kept)
    log = scalars(tmp_path / "log")
    assert [step for step, _ in log["loss/training"]] == [1, 2, 3, 4, 5, 6]
    assert log["loss/training"][:5] == first["loss/training"]
    assert [step for step, _ in log["loss/held-out"]] == [2, 4, 6]
    rates = [rate for _, rate in log["rate"]]
    assert rates == pytest.approx([0.01 * warm_cosine(step, 6) for step in range(6)])


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    log = EventAccumulator(str(folder)).Reload()
    return {tag: [(e.step, e.value) for e in log.Scalars(tag)] for tag in log.Tags()["scalars"]}


@pytest.mark.long
def test_the_number_of_workers_does_not_matter(tmp_path, of_sets):
    config = replace(of_sets, features="columns")  # which takes no time to prepare
    one = run(config, tmp_path / "1")
    with Processes(2) as pool:
        two = run(config, tmp_path / "2", executor=pool)
    assert one[0] == two[0]
    assert one[1].figures == two[1].figures


@pytest.mark.usefixtures("few_trees")
def test_training_stops_early_with_the_best_parameters(tmp_path, of_sets, kept):
    wild = TrainingConfig(steps=40, batch=4, every=1, patience=3, rate=100.0, clip=0)
    config = replace(of_sets, training=replace(wild, log=tmp_path / "log"))
    short, _, told = run(config, tmp_path, folder=kept)
    losses = [loss for _, loss in scalars(tmp_path / "log")["loss/held-out"]]
    assert len(losses) == told.of("training")[-1] < 40
    assert min(losses) == losses[-4] < min(losses[-3:])
    best = replace(of_sets, training=replace(wild, patience=0))
    endless, _, told = run(best, tmp_path / "endless", folder=kept)
    assert told.of("training")[-1] == 40
    assert endless != short


@pytest.mark.usefixtures("few_trees")
def test_real_and_synthetic_tasks_are_learnt_from_and_reported(tmp_path, of_sets):
    tasks = replace(of_sets.tasks, synthetic=12, held_out=0.3)
    config = replace(of_sets, learner="anil", tasks=tasks, options={"steps": 2})
    _, outcome, _ = run(config, tmp_path)
    _, header = read_checkpoint(tmp_path / "w.safetensors", TABLE_ARCHITECTURE)
    card = (tmp_path / "w.md").read_text()
    families = {
        side: {name for name in ("wine", "iris", "cancer") if name in text}
        for side, text in (("train", header.corpus), ("out", card.split("Held out")[1].split("\n")[0]))
    }
    assert len(families["train"]) == 2 and len(families["out"]) == 1
    assert families["train"].isdisjoint(families["out"])
    licences = {"wine": "CC-BY-4.0", "iris": "licence not stated", "cancer": "BSD-3-Clause"}
    assert all(f"{f}0 ({licences[f]})" in header.corpus for f in families["train"])
    assert all(f"* {licences[f]}: {f}0, {f}1" in card for f in families["train"])
    assert header.command == "outlearn metatrain --config settings.toml --out w.safetensors"
    assert header.notes["settings"] == config.settled().to_toml()
    assert header.notes["episodes"] == 12 + 6 * 4
    assert "9 synthetic tasks, generated" in card
    states = [f"{when} training{how}" for when in ("before", "after") for how in ("", ", unadapted")]
    assert list(outcome.figures) == states
    groups = outcome.figures["after training"]
    assert [f.group for f in groups if f.group.startswith(("all", "corpus"))] == GROUPS
    assert groups[0].tasks == 3 + 8 == sum(f.tasks for f in groups[1:])
    assert f"{groups[0].auroc:.3f} / {groups[0].average_precision:.3f}" in card
    curve = card.split("How it went")[1].split("How good")[0]
    steps, losses = (line.strip(" |").split(" | ")[1:] for line in curve.splitlines() if " | " in line)
    assert int(steps[-1]) == config.settled().training.steps
    assert len(losses) == len(steps) and all(float(loss) > 0 for loss in losses)


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("learner", [name for name in CATALOGUE if name != "profiles"])
def test_a_detector_takes_the_result_of_each_learner(tmp_path, of_sets, kept, learner):
    if learner == "incontext":
        training = TrainingConfig(epochs=1, patience=2, every=1)
        config = MetatrainConfig(tasks=of_sets.tasks, training=training, options={"width": 8, "latents": 2})
    else:
        config = replace(of_sets, learner=learner, training=replace(SHORT, steps=2))
    out = run(config, tmp_path, folder=kept)[1].checkpoint
    X = np.vstack([np.random.default_rng(0).normal(size=(60, 3)), np.full((1, 3), 9.0)])
    scores = Detector(learner, weights=out, random_state=0).fit(X).anomaly_score(X)
    assert scores.shape == (61,)
    assert np.isfinite(scores).all()


@pytest.mark.usefixtures("few_trees")
def test_columns_that_sets_share_can_be_learnt_from(tmp_path, of_sets):
    config = replace(of_sets, features="columns", learner="maml", tasks=replace(of_sets.tasks, synthetic=8))
    out = run(config, tmp_path)[1].checkpoint
    _, header = read_checkpoint(out, TABLE_ARCHITECTURE)
    assert header.features == ("x0", "x1", "x2", "x3")
    X = np.random.default_rng(0).normal(size=(40, 4))
    assert Detector("maml", weights=out, random_state=0).fit(X).anomaly_score(X).shape == (40,)
    with pytest.raises(InputError, match="the table has 3 columns"):
        Detector("maml", weights=out, random_state=0).fit(X[:, :3])


def test_a_task_is_seen_with_other_rows_each_time_as_the_step_says(bank):
    config = replace(PLAIN, training=TrainingConfig(batch=12), tasks=TaskConfig(support=4, query=4))
    source = task_source(bank, config)
    rows = [source(step).support_x for step in (0, 1, 0)]
    assert rows[0].equal(rows[2])
    assert not rows[0].sort(0).values.equal(rows[1].sort(0).values)
    other = task_source(bank, replace(config, seed=4))(0).support_x
    assert rows[0].shape != other.shape or not rows[0].equal(other)


@pytest.mark.usefixtures("few_trees")
def test_tasks_made_otherwise_are_not_mixed_in(tmp_path, of_sets, monkeypatch):
    run(of_sets, tmp_path)
    with pytest.raises(
        InputError, match="sets-0 holds tasks made with other per_set; new ones are not mixed"
    ):
        run(replace(of_sets, tasks=replace(of_sets.tasks, per_set=5)), tmp_path)
    monkeypatch.setattr(supply, "__version__", "0.0.9")
    with pytest.raises(InputError, match="made with other version of outlearn;"):
        run(of_sets, tmp_path)
    monkeypatch.setattr(supply, "__version__", "0.1.0")
    monkeypatch.setattr(supply, "BASIC_FEATURES", ("d1",))
    with pytest.raises(InputError, match="made with other features"):
        run(of_sets, tmp_path)
    about = tmp_path / "w.work" / "sets-0" / "about.json"
    about.write_text("{")
    with pytest.raises(InputError, match=r"nobody knows how \(about.json is damaged\)"):
        run(of_sets, tmp_path)
    about.unlink()
    with pytest.raises(InputError, match=r"nobody knows how \(about.json is not there\)"):
        run(of_sets, tmp_path)


@pytest.mark.usefixtures("few_trees")
def test_a_damaged_file_of_profiles_is_named(tmp_path, of_sets):
    run(of_sets, tmp_path)
    shard = next((tmp_path / "w.work" / "sets-0").glob("*.npz"))
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(InputError, match=rf"{shard.name} is damaged .*remove it"):
        run(of_sets, tmp_path)


def test_too_few_tasks_are_refused(tmp_path, of_sets):
    with pytest.raises(ParameterError, match="8 episodes are too few"):
        run(replace(PLAIN, tasks=TaskConfig(synthetic=8)), tmp_path)
    with pytest.raises(ParameterError, match="0 episodes and 4 of sets are too few"):
        run(replace(of_sets, tasks=replace(of_sets.tasks, per_set=1)), tmp_path)


def test_options_that_a_learner_does_not_take_are_found_out_before_profiling(tmp_path, of_sets):
    told = Told()
    for options, message in (({"stride": 3}, "stride"), ({"ways": 1.5, "module": 2}, "module")):
        with pytest.raises(ParameterError, match=message):
            metatrain(replace(of_sets, options=options), tmp_path / "w.safetensors", progress=told)
    assert {stage for stage, _, _ in told.stages} == {"reading sets"}


def test_places_that_cannot_be_written_are_found_out_first(tmp_path, of_sets):
    (tmp_path / "file").write_text("")
    (tmp_path / "w.safetensors").mkdir()
    (tmp_path / "x.md").mkdir()
    for out, message in (
        ("file/w.safetensors", "cannot write to .*file/w.safetensors: "),
        ("w.safetensors", "it is a folder"),
        ("x.safetensors", "x.md: it is a folder"),
        ("card.md", "is for the model card"),
    ):
        with pytest.raises(OutputError, match=message):
            metatrain(of_sets, tmp_path / out)
    with pytest.raises(OutputError, match="cannot keep the training state in"):
        metatrain(of_sets, tmp_path / "a.safetensors", folder=tmp_path / "file" / "state")
    logged = replace(of_sets, training=replace(SHORT, log=tmp_path / "file" / "log"))
    with pytest.raises(OutputError, match=r"cannot write to .*log"):
        metatrain(logged, tmp_path / "a.safetensors")
    assert work_folder(tmp_path / "a.safetensors") == tmp_path / "a.work"


def test_a_log_without_tensorboard_is_refused_before_training(tmp_path, of_sets, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    logged = replace(of_sets, training=replace(SHORT, log=tmp_path / "log"))
    told = Told()
    with pytest.raises(MissingExtraError, match=r"pip install 'outlearn\[tensorboard\]'"):
        metatrain(logged, tmp_path / "w.safetensors", progress=told)
    assert told.stages == []
