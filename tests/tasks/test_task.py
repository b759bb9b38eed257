"""Tasks hold arrays that fit together, of any shape."""

import numpy as np
import pytest

from outlearn.errors import InputError
from outlearn.tasks.task import Task

X, Y = np.ones((4, 2), dtype=np.float32), np.arange(4)


def test_rows_and_targets_of_any_shape_are_kept_as_they_came():
    images = np.zeros((2, 1, 8, 8), dtype=np.float32)
    task = Task(images, np.array([0, 1]), images[:1], np.array([1]))
    assert task.support_x is images
    assert task.support_weight is None
    Task(X, np.ones((4, 3)), X[:2], np.ones((2, 3)))
    Task(X, Y.astype(bool), X, Y, np.array([0, 1, 0.5, 2], dtype=np.float32), np.ones(4))


@pytest.mark.parametrize("side", ["support", "query"])
@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X[:0], Y[:0], "no {side} rows"),
        (X, Y[:3], "4 {side} rows with 3 targets"),
        (
            np.where(np.arange(8).reshape(4, 2) == 5, np.nan, 1.0),
            Y,
            "{side} of a task holds values that are not",
        ),
        (X, np.array([0, 1, np.inf, 0]), "{side} of a task holds values that are not finite"),
        (X.tolist(), Y, "{side} of a task holds a list; wanted arrays of numbers"),
        (X, np.array(list("abcd")), r"{side} of a task holds an array of shape \(4,\) and type <U1"),
        (np.array([[1], [1, 2], [3], [4]], dtype=object), Y, "type object"),
        (np.float64(3.0), Y, "float64; wanted arrays"),
    ],
)
def test_what_does_not_fit_is_told(side, x, y, message):
    sides = {"support": (X, Y), "query": (X, Y)} | {side: (x, y)}
    with pytest.raises(InputError, match=message.format(side=side)):
        Task(*sides["support"], *sides["query"])


def test_support_and_query_have_rows_of_one_shape():
    with pytest.raises(InputError, match=r"support rows of shape \(2,\) and query rows of shape \(3,\)"):
        Task(X, Y, np.ones((4, 3)), Y)


@pytest.mark.parametrize("weight", [np.ones(3), -np.ones(4), np.full(4, np.nan), np.full(4, np.inf)])
@pytest.mark.parametrize("side", ["support", "query"])
def test_weights_are_finite_and_one_a_row(side, weight):
    with pytest.raises(InputError, match=rf"{side}_weight has shape .* wanted \(4,\)"):
        Task(X, Y, X, Y, **{f"{side}_weight": weight})
