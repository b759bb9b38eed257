"""Tasks side by side as tensors; ragged ones are padded, and padding weighs nothing."""

from __future__ import annotations

from collections.abc import Sequence
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
    for name in ("support_x", "support_y", "query_y"):
        shapes = [getattr(task, name).shape[1:] for task in tasks]
        other = next((t for t, shape in enumerate(shapes) if shape != shapes[0]), None)
        if other is not None:
            raise InputError(
                f"tasks differ in width: {name} of task 0 has rows of shape {shapes[0]}, that of task "
                f"{other} {shapes[other]}; bring rows to one width first, such as the row profiles that "
                "Detector uses"
            )
    for name in ("support_x", "support_y", "query_y"):
        types = [getattr(task, name).dtype for task in tasks]
        other = next(
            (t for t, kind in enumerate(types) if (kind.kind == "f") != (types[0].kind == "f")), None
        )
        if other is not None:
            raise InputError(
                f"tasks differ in kind: {name} of task 0 holds {types[0]}, that of task {other} "
                f"{types[other]}; make all floats, or all whole numbers"
            )
    dtype = dtype or torch.get_default_dtype()

    def side(name: str) -> Tensor:
        rows = [tensor(getattr(task, name), dtype) for task in tasks]
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)

    def weights(name: str) -> Tensor:
        given = [getattr(task, f"{name}_weight") for task in tasks]
        sizes = [len(getattr(task, f"{name}_x")) for task in tasks]
        rows = [
            torch.ones(n, dtype=dtype) if w is None else tensor(w, dtype)
            for w, n in zip(given, sizes, strict=True)
        ]
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)

    return Batch(
        side("support_x"),
        side("support_y"),
        weights("support"),
        side("query_x"),
        side("query_y"),
        weights("query"),
    )
