"""Images of many classes, and the few-way, few-shot tasks drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import InputError, ParameterError
from outlearn.tasks.task import Task

__all__ = ["ImageClasses", "split_classes", "way_shot_task"]

_TURNS = 4
"""Turns by 0°, 90°, 180° and 270°."""


@dataclass(frozen=True, eq=False)
class ImageClasses:
    """Single-channel images, each of one class.

    images : (n, 1, h, w) float32 in [0, 1]; 1 is ink.
    labels : (n,) int64, the class of each image as a position in `names`.
    names : the name of each class.

    Raises
    ------
    InputError
        When shapes or types disagree, a value is outside [0, 1] or a label has no name.

    >>> ImageClasses(np.zeros((2, 1, 8, 8), dtype=np.float32), np.array([0, 1]), ("a",))
    Traceback (most recent call last):
        ...
    outlearn.errors.InputError: labels run from 0 to 1 with 1 class names; wanted positions in names
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.ndim != 4 or images.shape[1] != 1 or images.dtype != np.float32 or images.size == 0:
            raise InputError(
                f"images have shape {images.shape} and type {images.dtype}; "
                "wanted (n, 1, h, w) float32 with n > 0"
            )
        if labels.shape != images.shape[:1] or labels.dtype != np.int64:
            raise InputError(
                f"{len(images)} images have labels of shape {labels.shape} and type {labels.dtype}; "
                "wanted one int64 an image"
            )
        # A comparison with NaN is false, so this refuses NaN too.
        if not (images.min() >= 0 and images.max() <= 1):
            raise InputError("images hold values that are not in [0, 1]; divide by the largest possible one")
        if labels.min() < 0 or labels.max() >= len(self.names):
            raise InputError(
                f"labels run from {labels.min()} to {labels.max()} with {len(self.names)} class names; "
                "wanted positions in names"
            )

    @cached_property
    def members(self) -> tuple[NDArray[np.int64], ...]:
        """Positions of the images of each class, in order."""
        ends = np.cumsum(np.bincount(self.labels, minlength=len(self.names)))
        return tuple(np.split(np.argsort(self.labels, kind="stable"), ends[:-1]))

    @cached_property
    def smallest(self) -> int:
        """The class with the fewest images."""
        return min(range(len(self.names)), key=lambda number: len(self.members[number]))


def way_shot_task(
    classes: ImageClasses,
    rng: np.random.Generator,
    *,
    ways: int = 5,
    shots: int = 1,
    queries: int = 15,
    turns: bool = False,
) -> Task:
    """Draw a task of `ways` classes, with labels 0 … ways - 1 given to them at random.

    Images come class by class, in the order of their labels. No image is in both support and query.

    Parameters
    ----------
    ways : how many classes; 2 or more.
    shots : support images a class.
    queries : query images a class; fewer where a class has no more.
    turns : turn all images of a drawn class by one multiple of 90°. A class and its turned version count as
        different classes, so there are four times as many to draw from, and two may meet in one task: the
        protocol of Omniglot (Santoro et al., 2016; Vinyals et al., 2016).

    Raises
    ------
    ParameterError
        When an argument is too small, or `turns` is asked for images that are not square.
    InputError
        When there are fewer than `ways` classes, or any class has fewer than `shots` + 1 images.

    >>> images = np.linspace(0, 1, 12, dtype=np.float32).reshape(12, 1, 1, 1)
    >>> classes = ImageClasses(images, np.arange(12) % 4, ("a", "b", "c", "d"))
    >>> task = way_shot_task(classes, np.random.default_rng(0), ways=3, queries=2)
    >>> task.support_y.tolist(), task.query_y.tolist()
    ([0, 1, 2], [0, 0, 1, 1, 2, 2])
    """
    _check(classes, ways, shots, queries, turns)
    count = len(classes.names)
    # The draw is shuffled, which is what gives the labels at random.
    drawn = rng.choice(_TURNS * count if turns else count, size=ways, replace=False)
    blocks = []
    for number in drawn:
        turn, label = divmod(int(number), count)
        rows = classes.members[label]
        chosen = rng.choice(rows, size=min(shots + queries, len(rows)), replace=False)
        blocks.append(np.rot90(classes.images[chosen], turn, axes=(2, 3)))
    labels = np.arange(ways)
    return Task(
        np.concatenate([block[:shots] for block in blocks]),
        labels.repeat(shots),
        np.concatenate([block[shots:] for block in blocks]),
        labels.repeat([len(block) - shots for block in blocks]),
    )


def _check(classes: ImageClasses, ways: int, shots: int, queries: int, turns: bool) -> None:
    if ways < 2 or shots < 1 or queries < 1:
        raise ParameterError(
            f"ways={ways}, shots={shots}, queries={queries}; give 2 or more ways, 1 or more of the others"
        )
    height, width = classes.images.shape[2:]
    if turns and height != width:
        raise ParameterError(
            f"turns=True with images of {height} × {width}; give square images or turns=False"
        )
    count = len(classes.names) * (_TURNS if turns else 1)
    if count < ways:
        raise InputError(f"there are {count} classes for ways={ways}; give more classes or fewer ways")
    rows = len(classes.members[classes.smallest])
    if rows <= shots:
        raise InputError(
            f"class {classes.names[classes.smallest]!r} has {rows} images, and shots={shots} with at least "
            f"one query need {shots + 1}; give fewer shots or leave the class out"
        )


def split_classes(
    classes: ImageClasses, share: float, rng: np.random.Generator
) -> tuple[ImageClasses, ImageClasses]:
    """Split the classes at random into about `share` of them and the rest, for meta-training and testing.

    Every side has at least one class; classes and images keep their order, labels are numbered anew.

    Raises
    ------
    ParameterError
        When `share` is not between 0 and 1.
    InputError
        When there is one class only.

    >>> images = np.zeros((12, 1, 2, 2), dtype=np.float32)
    >>> classes = ImageClasses(images, np.arange(12) % 4, ("a", "b", "c", "d"))
    >>> [len(side.names) for side in split_classes(classes, 0.75, np.random.default_rng(0))]
    [3, 1]
    """
    count = len(classes.names)
    if not 0 < share < 1:
        raise ParameterError(f"share={share}; give 0 < share < 1")
    if count < 2:
        raise InputError("there is 1 class, which cannot be split; give 2 or more")
    size = min(max(round(share * count), 1), count - 1)
    order = rng.permutation(count)
    return _only(classes, np.sort(order[:size])), _only(classes, np.sort(order[size:]))


def _only(classes: ImageClasses, kept: NDArray[np.int64]) -> ImageClasses:
    """Keep the classes `kept`, which is sorted."""
    rows = np.flatnonzero(np.isin(classes.labels, kept))
    return ImageClasses(
        classes.images[rows],
        np.searchsorted(kept, classes.labels[rows]),
        tuple(classes.names[number] for number in kept),
    )
