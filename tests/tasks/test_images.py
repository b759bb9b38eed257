"""Image tasks: what is drawn, what is kept apart, what is refused. And the digits of scikit-learn."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from outlearn.errors import InputError, ParameterError
from outlearn.tasks.digits import digits
from outlearn.tasks.images import ImageClasses, split_classes, way_shot_task

SIDE = 4


def classes_of(*counts, side=SIDE):
    """Classes of the given numbers of images, mixed; no two images, in any turn, are equal."""
    rng = np.random.default_rng(7)
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    images = rng.random((len(labels), 1, side, side), dtype=np.float32)
    return ImageClasses(images, labels, tuple("abcdefgh"[: len(counts)]))


def place(classes, image):
    """Return the (position, turn) of an image among the classes, found by its pixels."""
    for turn in range(4):
        equal = (np.rot90(classes.images, turn, axes=(2, 3)) == image).all(axis=(1, 2, 3))
        if equal.any():
            return int(np.flatnonzero(equal)[0]), turn
    raise AssertionError("the image is not from these classes")


def drawn(classes, task):
    """Return (position, class, turn, label, side) of each image of a task."""
    rows = []
    for side, x, y in (("s", task.support_x, task.support_y), ("q", task.query_x, task.query_y)):
        for image, label in zip(x, y, strict=True):
            position, turn = place(classes, image)
            rows.append((position, int(classes.labels[position]), turn, int(label), side))
    return rows


@pytest.mark.parametrize("turns", [False, True])
def test_a_task_has_the_asked_shape_and_no_image_twice(turns):
    classes = classes_of(9, 8, 12, 10, 9, 11)
    for seed in range(20):
        task = way_shot_task(classes, np.random.default_rng(seed), ways=4, shots=2, queries=6, turns=turns)
        assert task.support_x.shape == (8, 1, SIDE, SIDE) and task.query_x.shape == (24, 1, SIDE, SIDE)
        assert task.support_x.dtype == np.float32 and task.support_y.dtype == np.int64
        assert np.bincount(task.support_y).tolist() == [2] * 4
        assert np.bincount(task.query_y).tolist() == [6] * 4
        rows = drawn(classes, task)
        assert len({(position, turn) for position, _, turn, _, _ in rows}) == len(rows)
        # One label is one class in one turn, and the other way round.
        pairs = {(label, kind, turn) for _, kind, turn, label, _ in rows}
        assert len(pairs) == len({pair[0] for pair in pairs}) == len({pair[1:] for pair in pairs}) == 4
        assert turns or {turn for _, _, turn, _, _ in rows} == {0}


def test_a_class_and_its_turned_version_are_two_classes():
    classes = classes_of(5)
    task = way_shot_task(classes, np.random.default_rng(0), ways=4, shots=1, queries=2, turns=True)
    assert {turn for _, _, turn, _, _ in drawn(classes, task)} == {0, 1, 2, 3}


def test_each_class_gets_each_label_equally_often():
    classes, rng = classes_of(3, 3, 3), np.random.default_rng(0)
    counts = np.zeros((3, 3))
    for _ in range(600):
        for _, kind, _, label, _ in drawn(classes, way_shot_task(classes, rng, ways=3, queries=1))[:3]:
            counts[kind, label] += 1
    assert abs(counts - 200).max() < 60  # five standard deviations


def test_a_small_class_gives_fewer_queries():
    classes = classes_of(3, 20)
    task = way_shot_task(classes, np.random.default_rng(0), ways=2, shots=2, queries=5)
    assert sorted(np.bincount(task.query_y)) == [1, 5]


def test_the_same_generator_state_gives_the_same_task():
    classes = classes_of(9, 9, 9, 9)
    one, same, other = (
        way_shot_task(classes, np.random.default_rng(seed), ways=3, queries=2) for seed in (1, 1, 2)
    )
    assert (one.support_x == same.support_x).all() and (one.query_x == same.query_x).all()
    assert not (one.support_x == other.support_x).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"ways": 1}, ParameterError, "ways=1.*2 or more ways"),
        ({"shots": 0}, ParameterError, "shots=0"),
        ({"queries": 0}, ParameterError, "queries=0"),
        ({"ways": 4}, InputError, "3 classes for ways=4"),
        ({"ways": 13, "turns": True}, InputError, "12 classes for ways=13"),
        ({"ways": 2, "shots": 4}, InputError, r"class 'b' has 4 images.*need 5"),
    ],
)
def test_a_task_that_cannot_be_drawn_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        way_shot_task(classes_of(9, 4, 9), np.random.default_rng(0), **arguments)


def test_turns_need_square_images():
    images = np.zeros((6, 1, 2, 3), dtype=np.float32)
    classes = ImageClasses(images, np.arange(6) % 2, ("a", "b"))
    with pytest.raises(ParameterError, match=r"2 × 3; give square"):
        way_shot_task(classes, np.random.default_rng(0), ways=2, turns=True)


def test_a_split_shares_no_class_and_loses_no_image():
    classes = classes_of(3, 4, 5, 6, 7, 3, 2, 1)
    sides = split_classes(classes, 0.7, np.random.default_rng(0))
    assert [len(side.names) for side in sides] == [6, 2]
    assert sorted(sides[0].names + sides[1].names) == list("abcdefgh")
    for side in sides:
        for image, label in zip(side.images, side.labels, strict=True):
            position, _ = place(classes, image)
            assert classes.names[classes.labels[position]] == side.names[label]
    assert sum(len(side.images) for side in sides) == len(classes.images)
    again = split_classes(classes, 0.7, np.random.default_rng(0))
    assert again[0].names == sides[0].names
    assert len({split_classes(classes, 0.5, np.random.default_rng(s))[0].names for s in range(9)}) > 3


@pytest.mark.parametrize(("share", "sizes"), [(0.001, [1, 2]), (0.999, [2, 1])])
def test_both_sides_of_a_split_have_a_class(share, sizes):
    sides = split_classes(classes_of(2, 2, 2), share, np.random.default_rng(0))
    assert [len(side.names) for side in sides] == sizes


def test_a_split_that_cannot_be_is_refused():
    for share in (0, 1, 2.0, float("nan")):
        with pytest.raises(ParameterError, match="0 < share < 1"):
            split_classes(classes_of(2, 2), share, np.random.default_rng(0))
    with pytest.raises(InputError, match="1 class"):
        split_classes(classes_of(4), 0.5, np.random.default_rng(0))


ONES = np.ones((2, 1, 3, 3), dtype=np.float32)
LABELS = np.array([0, 1])


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (ONES[:, 0], LABELS, r"shape \(2, 3, 3\)"),
        (ONES.repeat(3, axis=1), LABELS, r"wanted \(n, 1, h, w\)"),
        (ONES.astype(np.float64), LABELS, "float64"),
        (ONES[:0], LABELS[:0], "with n > 0"),
        (ONES, LABELS[:1], "2 images have labels"),
        (ONES, LABELS.astype(np.int8), "int8"),
        (ONES * 255, LABELS, r"not in \[0, 1\]"),
        (-ONES, LABELS, r"not in \[0, 1\]"),
        (ONES * np.float32("nan"), LABELS, r"not in \[0, 1\]"),
        (ONES, LABELS - 1, "from -1 to 0"),
        (ONES, LABELS + 1, "from 1 to 2"),
    ],
)
def test_classes_that_are_not_what_they_say_are_refused(images, labels, message):
    with pytest.raises(InputError, match=message):
        ImageClasses(images, labels, ("a", "b"))


def test_digits_keep_their_own_pixels_and_are_scaled_up_in_place():
    plain, large = digits(8), digits()
    bunch = load_digits()
    np.testing.assert_allclose(plain.images[:, 0] * 16, bunch.images)
    assert (plain.labels == bunch.target).all() and plain.names == tuple("0123456789")
    assert large.images.shape == (1797, 1, 28, 28) and (large.labels == plain.labels).all()
    # Of the three pixels that one becomes, the middle one has its very centre.
    np.testing.assert_allclose(digits(24).images[:, :, 1::3, 1::3], plain.images, atol=1e-6)
    np.testing.assert_allclose(
        digits(24).images[:, :, 1::3, 2:-1:3] * 3,  # a third of the way to the next
        2 * plain.images[..., :-1] + plain.images[..., 1:],
        atol=1e-6,
    )
    with pytest.raises(ParameterError, match=r"size=7.*8 or more"):
        digits(7)
