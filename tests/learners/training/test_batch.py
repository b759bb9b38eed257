"""Stacked tasks: padding weighs nothing, and a task can be taken out again."""

import numpy as np
import pytest
import torch

from outlearn.errors import InputError
from outlearn.learners.training.batch import Batch, stack, tensor
from outlearn.tasks.task import Task


def task(support: int, query: int, columns: int = 2, *, floats: bool = False, weight=None) -> Task:
    rng = np.random.default_rng(support)
    y = np.arange(support + query)
    x = rng.normal(size=(support + query, columns))
    y = y.astype(np.float64) if floats else y
    return Task(x[:support], y[:support], x[support:], y[support:], weight)


def test_ragged_tasks_are_padded_with_rows_of_no_weight():
    tasks = [task(2, 3), task(4, 1, weight=np.array([1, 0, 2, 0.5], dtype=np.float32))]
    before = tasks[1].support_x.copy()
    batch = stack(tasks)
    assert len(batch) == 2
    assert batch.support_x.shape == (2, 4, 2)
    assert batch.query_x.shape == (2, 3, 2)
    assert batch.support_w.tolist() == [[1, 1, 0, 0], [1, 0, 2, 0.5]]
    assert batch.query_w.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert (batch.support_x[0, 2:] == 0).all()
    assert (batch.support_x[1, 1] == 0).all()  # of no weight either
    np.testing.assert_array_equal(tasks[1].support_x, before)
    tasks[1].support_x[1] = 0
    for t, one in enumerate(tasks):
        np.testing.assert_allclose(batch.support_x[t, : len(one.support_x)], one.support_x, rtol=1e-6)
        assert batch.query_y[t, : len(one.query_y)].tolist() == one.query_y.tolist()


def test_floats_take_the_type_asked_for_and_whole_numbers_stay_whole():
    assert stack([task(2, 1)]).support_x.dtype == torch.get_default_dtype()
    batch = stack([task(2, 1)], torch.float64)
    assert [getattr(batch, name).dtype for name in Batch.__slots__] == [
        torch.float64,
        torch.int64,
        torch.float64,
    ] * 2
    assert stack([task(2, 1, floats=True)], torch.float16).query_y.dtype == torch.float16
    assert tensor(np.array([True, False]), torch.float32).dtype == torch.int64


def test_arrays_are_copied_where_torch_cannot_view_them():
    x = np.arange(6, dtype=np.float32).reshape(3, 2)[::-1]
    assert tensor(x, torch.float32).tolist() == x.tolist()


def test_a_task_is_taken_out_as_a_batch_of_one():
    batch = stack([task(2, 3), task(4, 1)])
    one = batch.task(1)
    assert len(one) == 1
    assert torch.equal(one.support_x[0], batch.support_x[1])
    assert torch.equal(one.query_w[0], batch.query_w[1])


def test_no_tasks_are_refused():
    with pytest.raises(InputError, match="no tasks"):
        stack([])


def test_tasks_of_different_widths_are_refused():
    with pytest.raises(
        InputError, match=r"support_x of task 0 has rows of shape \(2,\), that of task 1 \(3,\)"
    ):
        stack([task(2, 1), task(2, 1, columns=3)])
    odd = Task(np.ones((2, 2)), np.ones((2, 1)), np.ones((1, 2)), np.ones((1, 1)))
    with pytest.raises(InputError, match="support_y of task 0"):
        stack([task(2, 1), odd])


def test_tasks_of_different_kinds_are_refused():
    with pytest.raises(InputError, match="support_y of task 0 holds int64, that of task 1 float64"):
        stack([task(2, 1), task(2, 1, floats=True)])


def test_weights_may_be_whole_numbers():
    assert stack([task(2, 1), task(3, 1, weight=np.array([2, 0, 1]))]).support_w.tolist() == [
        [1, 1, 0],
        [2, 0, 1],
    ]
