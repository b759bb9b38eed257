"""Sets of a corpus as tasks: which are held out, which are refused, and what their episodes are like."""

import csv
import pickle
from pathlib import Path

import numpy as np
import pytest

from outlearn.errors import InputError, ParameterError
from outlearn.learners.training.config import TaskConfig
from outlearn.learners.training.sets import SetEpisodes, read_sets

RNG = np.random.default_rng(0)


def table(rows: int = 80, columns: int = 4, odd: int = 8) -> tuple[np.ndarray, np.ndarray]:
    y = (np.arange(rows) < odd).astype(np.int8)
    return RNG.normal(size=(rows, columns)) + 3 * y[:, None], y


def corpus(folder: Path, **sets: tuple[np.ndarray, np.ndarray]) -> Path:
    for name, (X, y) in sets.items():
        np.savez(folder / f"{name}.npz", X=X, y=y)
    with (folder / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [("file", "licence", "family"), *((f"{name}.npz", "BSD", name[0]) for name in sets)]
        )
    return folder


def config(folder: Path, **changes) -> TaskConfig:
    return TaskConfig(synthetic=0, corpus=folder, **changes)


@pytest.mark.parametrize("held_out", [0.01, 0.3, 0.5])
@pytest.mark.parametrize("seed", range(4))
def test_no_family_is_on_both_sides_whatever_it_is_called(tmp_path, held_out, seed):
    X, y = table()
    corpus(
        tmp_path, a1=table(), a2=table(), b=table(), c=(X, y), d=(X[::-1], y[::-1]), e1=table(), e2=table()
    )
    sets = read_sets(config(tmp_path, held_out=held_out), seed, one_width=True)
    train, out = ({entry.name[0] for entry in side} for side in (sets.train, sets.held_out))
    assert train | out == set("abcde")
    assert train.isdisjoint(out)
    assert ("c" in train) == ("d" in train)  # the same rows by another name
    assert sets.width == 4
    assert set(sets.digests) == {"a1", "a2", "b", "c", "d", "e1", "e2"}


def test_sets_that_make_no_task_are_named(tmp_path):
    corpus(
        tmp_path,
        none=table(odd=0),
        few=table(rows=10, odd=3),
        copies=(np.zeros((50, 2)), table(50)[1]),
    )
    with pytest.raises(
        InputError, match=r"none of 3 sets makes a task.*none \(80 normal rows, 0 ano.*few \(7 n.*copies \("
    ):
        read_sets(config(tmp_path), 0, one_width=False)
    corpus(tmp_path, good=table(), none=table(odd=0), better=table(odd=30))
    sets = read_sets(config(tmp_path), 0, one_width=False)
    assert sets.left_out == ("none",)
    assert {entry.name for entry in (*sets.train, *sets.held_out)} == {"good", "better"}


def test_sets_that_differ_in_width_are_named_where_that_matters(tmp_path):
    corpus(tmp_path, a=table(), b=table(columns=4), c=table(columns=6))
    assert read_sets(config(tmp_path), 0, one_width=False).width is None
    with pytest.raises(InputError, match="sets differ in width: a has 4 columns, c 6"):
        read_sets(config(tmp_path), 0, one_width=True)


def test_a_corpus_must_have_sets_and_families_enough(tmp_path):
    corpus(tmp_path, a1=table(), a2=table())
    with pytest.raises(ParameterError, match=r"no set of .* matches tasks.pattern='z\*'"):
        read_sets(config(tmp_path, pattern="z*"), 0, one_width=False)
    with pytest.raises(ParameterError, match="2 sets of 1 families, 5% to be held out"):
        read_sets(config(tmp_path), 0, one_width=False)


def test_episodes_are_a_pure_function_of_their_number_in_any_process(tmp_path):
    corpus(tmp_path, a=table(odd=50), b=table())
    paths = (tmp_path / "a.npz", tmp_path / "b.npz")
    episodes = SetEpisodes(paths, 1, config(tmp_path, per_set=4), 3, columns=False)
    assert len(episodes) == 8
    there = pickle.loads(pickle.dumps(episodes))
    for index in (5, 0, 7):
        one, other = episodes(index), there(index)
        assert np.array_equal(one.support_x, other.support_x)
        assert np.array_equal(one.query_y, other.query_y)
    made = [episodes(index) for index in range(8)]
    assert [e.origin["situation"] for e in made] == 2 * ["normal", "contaminated", "clean", "labelled"]
    assert all(e.support_truth.mean() <= 0.31 for e in made)
    assert all(0 < e.query_y.mean() < 1 for e in made)
    assert (made[3].support_y == 1).any()


def test_only_training_sets_are_augmented_and_never_in_width_where_columns_are_read(tmp_path):
    X, y = table(rows=200, columns=8)
    corpus(tmp_path, a=(X, y))
    path = tmp_path / "a.npz"
    rows = {row.tobytes() for row in X.astype(np.float32)}

    def made(trained: int, *, columns: bool = False, augment: bool = True):
        tasks = config(tmp_path, per_set=12, augment=augment)
        return [SetEpisodes((path,), trained, tasks, 0, columns)(index) for index in range(12)]

    def as_they_were(episode) -> bool:
        return {row.tobytes() for row in episode.support_x} <= rows

    assert all(as_they_were(e) for e in made(0) + made(1, augment=False))
    changed = made(1)
    assert sum(as_they_were(e) for e in changed) < 6
    assert len({e.support_x.shape[1] for e in changed}) > 2
    noisy = made(1, columns=True)
    assert {e.support_x.shape[1] for e in noisy} == {8}
    assert not all(as_they_were(e) for e in noisy)
