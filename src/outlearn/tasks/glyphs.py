"""Generated characters: as many classes of line drawings as one asks for, each with varied examples.

A class is a few smooth strokes. An example is the same strokes written by an unsteady hand: control points
move a little, strokes shift, the whole is turned, sheared, scaled and moved, and the pen is thicker or
thinner. Coordinates are (x, y) in [-1, 1], y downwards.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import ParameterError
from outlearn.rng import derive
from outlearn.tasks.images import ImageClasses

__all__ = ["glyphs"]

Points = NDArray[np.float64]

_STROKES = (0.15, 0.40, 0.30, 0.15)
"""Probability of one, two, three or four strokes."""
_FILLS = 0.68
"""Half the larger side of a character before it is varied."""
_NARROWEST = 0.6
"""A character narrower than this share of its height, or the other way, is not widened to the full."""
_STEPS = 20
"""Points drawn between two control points: nearer to each other than the radius of the pen."""
_LEAST = 8


def glyphs(count: int, per_class: int, seed: int, size: int = 28) -> ImageClasses:
    """Generate `count` classes of `per_class` images of `size` × `size` pixels.

    Class c and its first images depend on `seed` and c alone: a larger call begins with the classes, and
    each class with the images, of a smaller one.

    Raises
    ------
    ParameterError
        When `count` or `per_class` is below 1, `size` below 8 or `seed` negative.

    >>> glyphs(3, 2, seed=0).images.shape
    (6, 1, 28, 28)
    """
    if count < 1 or per_class < 1 or size < _LEAST or seed < 0:
        raise ParameterError(
            f"count={count}, per_class={per_class}, size={size}, seed={seed}; give 1 or more classes and "
            f"images, a size of {_LEAST} or more and a seed of 0 or more"
        )
    images = np.empty((count, per_class, size, size), dtype=np.float32)
    for number in range(count):
        rng = derive(seed, number)
        strokes = _character(rng)
        for example in range(per_class):
            images[number, example] = _draw(*_written(strokes, rng), size)
    return ImageClasses(
        images.reshape(-1, 1, size, size),
        np.arange(count).repeat(per_class),
        tuple(f"glyph-{number}" for number in range(count)),
    )


def _character(rng: np.random.Generator) -> list[Points]:
    """Draw the control points of each stroke (k, 2), centred and of the common size."""
    strokes: list[Points] = []
    count = int(rng.choice(len(_STROKES), p=_STROKES)) + 1
    for _ in range(count):
        # A lone line or arc would be the same character again and again.
        stroke = _arc(rng) if count > 1 and rng.random() < 0.35 else _walk(rng, 1 if count > 1 else 3)
        # Pens like to start on what is already there.
        if strokes and rng.random() < 0.65:
            touched = _curve(strokes[int(rng.integers(len(strokes)))])
            stroke = stroke + touched[int(rng.integers(len(touched)))] - stroke[0]
        strokes.append(stroke)
    everything = np.concatenate(strokes)
    low, high = everything.min(axis=0), everything.max(axis=0)
    span = high - low
    scale = 2 * _FILLS / np.maximum(span, _NARROWEST * span.max())
    return [(stroke - (low + high) / 2) * scale for stroke in strokes]


def _walk(rng: np.random.Generator, least: int) -> Points:
    """Draw `least` to four steps, each roughly ahead of the last: a line, a hook or a wave."""
    steps = int(rng.integers(least, 5))
    # One step is a straight line; it is longer, so that strokes are of like length.
    length = rng.uniform(0.45, 0.9, size=steps) * (1.6 if steps == 1 else 1.0)
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 1.0, size=steps))
    moves = length[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    start = rng.uniform(-0.6, 0.6, size=2)
    return np.vstack([start, start + np.cumsum(moves, axis=0)])


def _arc(rng: np.random.Generator) -> Points:
    """Draw points on an arc of 120° to 360° of an ellipse."""
    sweep = rng.uniform(2 / 3, 2) * np.pi * rng.choice([-1, 1])
    angle = rng.uniform(0, 2 * np.pi) + np.linspace(0, sweep, 3 + int(abs(sweep) / 0.8))
    radii = rng.uniform(0.25, 0.6, size=2)
    circle: Points = np.column_stack([np.cos(angle), np.sin(angle)])
    return rng.uniform(-0.4, 0.4, size=2) + radii * circle


def _curve(control: Points) -> Points:
    """Return points (p, 2) along the Catmull-Rom spline through the control points (k, 2)."""
    # The ends are reflected, so that the curve reaches the first and last point.
    k = np.vstack([2 * control[0] - control[1], control, 2 * control[-1] - control[-2]])
    a, b, c, d = k[:-3, None], k[1:-2, None], k[2:-1, None], k[3:, None]  # (k - 1, 1, 2)
    t = np.arange(_STEPS)[:, None] / _STEPS  # (s, 1)
    points = b + t * (c - a) / 2 + t**2 * (a - 2.5 * b + 2 * c - d / 2) + t**3 * (1.5 * (b - c) + (d - a) / 2)
    return np.vstack([points.reshape(-1, 2), control[-1:]])


def _written(strokes: list[Points], rng: np.random.Generator) -> tuple[Points, float]:
    """Vary the strokes as a hand does; return points along all of them and the radius of the pen."""
    shaken = [
        _curve(stroke + rng.normal(0, 0.05, size=stroke.shape) + rng.normal(0, 0.05, size=2))
        for stroke in strokes
    ]
    turn, shear = rng.normal(0, 0.16, size=2)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    stretch = np.array([[1, 0], [shear, 1]]) * rng.uniform(0.75, 1.1, size=2)
    points = np.concatenate(shaken) @ stretch @ rotation + rng.uniform(-0.15, 0.15, size=2)
    return points, float(rng.uniform(0.055, 0.085))


def _draw(points: Points, radius: float, size: int) -> NDArray[np.float32]:
    """Return the ink of a round pen along points: coverage falls from 1 to 0 over the width of a pixel."""
    pixel = 2 / size
    centres = ((np.arange(size) + 0.5) * pixel - 1).astype(np.float32)
    across, down = ((centres[:, None] - points[:, axis].astype(np.float32)) ** 2 for axis in (0, 1))
    distance = np.sqrt((down[:, None] + across).min(axis=2))  # (size, size)
    ink: NDArray[np.float32] = np.clip((radius - distance) / pixel + 0.5, 0, 1)
    return ink
