"""Generated characters: alike within a class, different between classes, the same for a seed."""

import numpy as np
import pytest

from outlearn.errors import ParameterError
from outlearn.tasks.glyphs import glyphs
from outlearn.tasks.images import way_shot_task


@pytest.fixture(scope="module")
def some():
    return glyphs(60, 10, seed=0)


def test_shapes_and_names(some):
    assert some.images.shape == (600, 1, 28, 28) and some.images.dtype == np.float32
    assert np.bincount(some.labels).tolist() == [10] * 60
    assert some.names[0] == "glyph-0" and len(set(some.names)) == 60


def test_lines_are_drawn_and_smoothed(some):
    ink = some.images.reshape(600, -1)
    share = ink.mean(axis=1)
    assert share.min() > 0.02 and share.max() < 0.4  # lines, neither dots nor blots
    assert (ink.max(axis=1) > 0.9).all() and (ink.min(axis=1) == 0).all()
    grey = ((ink > 0) & (ink < 1)).sum(axis=1)
    assert (grey > 10).all()  # edges are shaded


def test_no_two_images_are_equal(some):
    assert len(np.unique(some.images.reshape(600, -1), axis=0)) == 600


def test_classes_can_be_told_apart_but_not_by_pixels_alone(some):
    """The nearest image in pixels is right far above chance (.2) and far from always."""
    rng, right = np.random.default_rng(0), []
    for _ in range(150):
        task = way_shot_task(some, rng, queries=5)
        distance = ((task.query_x[:, None] - task.support_x) ** 2).sum(axis=(2, 3, 4))
        right.append((task.support_y[distance.argmin(axis=1)] == task.query_y).mean())
    assert 0.5 < np.mean(right) < 0.75


def test_a_larger_call_begins_with_a_smaller_one(some):
    few = glyphs(3, 4, seed=0)
    whole = some.images.reshape(60, 10, 28, 28)
    assert (few.images.reshape(3, 4, 28, 28) == whole[:3, :4]).all()
    assert not (glyphs(3, 4, seed=1).images == few.images).all()


def test_another_size_shows_the_same_characters():
    small, large = glyphs(5, 4, seed=3), glyphs(5, 4, seed=3, size=56)
    halved = large.images.reshape(20, 1, 28, 2, 28, 2).mean(axis=(3, 5))
    assert abs(halved - small.images).mean() < 0.01


@pytest.mark.parametrize(
    "arguments",
    [
        {"count": 0, "per_class": 1, "seed": 0},
        {"count": 1, "per_class": 0, "seed": 0},
        {"count": 1, "per_class": 1, "seed": -1},
        {"count": 1, "per_class": 1, "seed": 0, "size": 7},
    ],
)
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(ParameterError, match="give 1 or more classes"):
        glyphs(**arguments)
