"""Tasks side by side as tensors; ragged ones are padded, and padding weighs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from outlearn.errors import InputError
from outlearn.tasks.task import Array, Task

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["Batch", "stack", "tensor"]


@dataclass(frozen=True, slots=True)
class Batch:
    """T tasks. Support: x (T, N, …), y (T, N, …), w (T, N); query the same with M rows. A weight of 0 marks
    padding."""

    support_x: Tensor
    support_y: Tensor
    support_w: Tensor
    query_x: Tensor
    query_y: Tensor
    query_w: Tensor

    def __len__(self) -> int:
        return len(self.support_x)

    def task(self, t: int) -> Batch:
        """Return task number `t` as a batch of one."""
        return Batch(*(getattr(self, field.name)[t : t + 1] for field in fields(self)))


def tensor(values: Array, dtype: torch.dtype) -> Tensor:
    """Return floats as `dtype` and whole numbers as int64."""
    import torch

    wanted = dtype if values.dtype.kind == "f" else torch.int64
    return torch.from_numpy(np.ascontiguousarray(values)).to(wanted)


def stack(tasks: Sequence[Task], dtype: torch.dtype | None = None) -> Batch:
    """Stack tasks of one row shape and any number of rows.

    Raises
    ------
    InputError
        When there is no task, or rows or targets differ in shape or kind.
    """
    import torch

    if not tasks:
        raise InputError("a batch of no tasks came; give at least one")
    _alike(tasks)
    dtype = dtype or torch.get_default_dtype()
    return Batch(*_side(tasks, "support", dtype), *_side(tasks, "query", dtype))


def _alike(tasks: Sequence[Task]) -> None:
    for name in ("support_x", "support_y", "query_y"):
        first: Array = getattr(tasks[0], name)
        for t, task in enumerate(tasks):
            other: Array = getattr(task, name)
            if other.shape[1:] != first.shape[1:]:
                raise InputError(
                    f"tasks differ in width: {name} of task 0 has rows of shape {first.shape[1:]}, that of "
                    f"task {t} {other.shape[1:]}; bring rows to one width first, such as the row profiles "
                    "that Detector uses"
                )
            if (other.dtype.kind == "f") != (first.dtype.kind == "f"):
                raise InputError(
                    f"tasks differ in kind: {name} of task 0 holds {first.dtype}, that of task {t} "
                    f"{other.dtype}; make all floats, or all whole numbers"
                )


def _side(tasks: Sequence[Task], side: str, dtype: torch.dtype) -> Iterator[Tensor]:
    """Yield padded x, y and w."""
    import torch

    x, y = ([tensor(getattr(task, f"{side}_{name}"), dtype) for task in tasks] for name in "xy")
    w = [torch.ones(len(rows), dtype=dtype) for rows in x]
    for t, task in enumerate(tasks):
        given: Array | None = getattr(task, f"{side}_weight")
        if given is not None:
            w[t] = torch.from_numpy(given).to(dtype)
            # Nothing times the loss of a wild row may be no number: a row without weight is as padding.
            x[t] = x[t].index_fill(0, (w[t] == 0).nonzero()[:, 0], 0)
    for rows in (x, y, w):
        yield torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
