"""Images as vectors: a network that the user gives (ONNX) looks at each, or the vectors come as an array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outlearn.data.arrays import ArrayFile
from outlearn.data.named import literal
from outlearn.data.readers.source import Source, one_line
from outlearn.data.schema import unknown_column
from outlearn.errors import InputError, ReadError
from outlearn.extras import require

__all__ = ["Images", "with_array", "with_images"]

BATCH = 32  # images that the network sees at once, where it takes any number
SIDE = 224  # pixels, where the network takes any size
LARGEST = 50_000_000  # pixels of an image that is opened
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as most networks want
ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Images:
    """A network that turns images into vectors.

    Parameters
    ----------
    path : of an ONNX file with one input of images, (b, 3, h, w) or (b, h, w, 3), float32. Its first output
        is taken: vectors as they are, tokens (b, t, k) by their mean, maps (b, k, h, w) by their mean.
    mean, spread : of the three channels in [0, 1], taken off and divided by; those of ImageNet by default.

    Raises
    ------
    ReadError
        When the file is no such network.
    MissingExtraError
        Without onnxruntime and Pillow, which the extra ``embeddings`` brings.
    """

    path: Path
    mean: tuple[float, float, float] = MEAN
    spread: tuple[float, float, float] = SPREAD

    def open(self) -> _Network:
        """Load the network."""
        runtime = require("onnxruntime", extra="embeddings")
        require("PIL", extra="embeddings")
        if not self.path.is_file():
            raise ReadError(f"{self.path}: no such file; wanted a network as .onnx")
        settings = runtime.SessionOptions()
        settings.log_severity_level = 4  # what goes wrong is raised here
        try:
            session = runtime.InferenceSession(str(self.path), settings, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has an error of its own for each cause
            raise ReadError(f"{self.path} is no network that can be run: {one_line(error)}") from error
        inputs = session.get_inputs()
        shape = inputs[0].shape if inputs else []
        if len(inputs) != 1 or len(shape) != 4 or inputs[0].type != "tensor(float)":
            signatures = ", ".join(f"{entry.name} {entry.type} {entry.shape}" for entry in inputs) or "none"
            raise ReadError(
                f"{self.path} has the inputs {signatures}; wanted one of images: float, (b, 3, h, w) or "
                "(b, h, w, 3)"
            )
        last = shape[3] == 3 and shape[1] != 3
        sides = shape[1:3] if last else shape[2:4]
        height, width = (side if isinstance(side, int) else SIDE for side in sides)
        batch = shape[0] if isinstance(shape[0], int) else BATCH
        return _Network(self, session, inputs[0].name, (height, width), last, batch)


@dataclass(frozen=True, slots=True)
class _Network:
    """An open network: its input's name and size, whether channels come last, and images it takes at once."""

    settings: Images
    session: Any
    name: str
    size: tuple[int, int]
    last: bool
    batch: int

    def vectors(self, paths: Sequence[Path | None]) -> list[list[float] | None]:
        """Return the vector of each image; None where it cannot be read."""
        vectors: list[list[float] | None] = [None] * len(paths)
        seen = [(place, self._pixels(path)) for place, path in enumerate(paths)]
        read = [(place, pixels) for place, pixels in seen if pixels is not None]
        for start in range(0, len(read), self.batch):
            some = read[start : start + self.batch]
            stack = np.stack([pixels for _, pixels in some])
            # A network of a fixed batch wants as many; the last image stands in for those that are not there.
            whole = np.concatenate([stack, np.repeat(stack[-1:], self.batch - len(stack), axis=0)])
            for (place, _), vector in zip(some, self._run(whole), strict=False):
                vectors[place] = vector.tolist()
        return vectors

    def _run(self, stack: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return (b, k) of images (b, h, w, 3)."""
        images = stack if self.last else np.ascontiguousarray(stack.transpose(0, 3, 1, 2))
        try:
            out = np.asarray(self.session.run(None, {self.name: images})[0], dtype=np.float64)
        except Exception as error:
            raise ReadError(f"{self.settings.path} cannot be run: {one_line(error)}") from error
        if out.ndim == 3:
            out = out.mean(axis=1)
        elif out.ndim > 3:
            out = out.mean(axis=tuple(range(2, out.ndim)))
        return out.reshape(len(stack), -1)

    def _pixels(self, path: Path | None) -> NDArray[np.float32] | None:
        """Return (h, w, 3); None where there is no image that can be read."""
        if path is None:
            return None
        from PIL import Image

        try:
            with Image.open(path) as image:
                if image.width * image.height > LARGEST:
                    return None
                height, width = self.size
                pixels = np.asarray(image.convert("RGB").resize((width, height)), dtype=np.float32) / 255
        except Exception:  # a hostile image may raise anything; it is counted as one that cannot be read
            return None
        mean, spread = (
            np.array(statistic, dtype=np.float32) for statistic in (self.settings.mean, self.settings.spread)
        )
        standardised: NDArray[np.float32] = ((pixels - mean) / spread).astype(np.float32)
        return standardised


def with_images(source: Source, column: str, images: Images, folder: Path) -> tuple[Source, list[int]]:
    """Return the rows with vectors in place of the paths of images in a column, and a count that fills.

    Paths are taken from `folder` on. An image that cannot be read is a missing vector; the list holds, when
    the rows have been walked, how many there were.

    Raises
    ------
    SchemaError
        When there is no such column.
    InputError
        When no image at all can be read.
    """
    column = literal(column)
    if column not in source.columns:
        raise unknown_column(column, source.columns, what="the paths of images", where=source.name)
    network, unread = images.open(), [0]

    def batches(_: int) -> Iterator[pl.DataFrame]:
        unread[0] = seen = 0
        for chunk in source.chunks(ROWS):
            cells = chunk[column].cast(pl.String).to_list()
            paths = [folder / cell if cell else None for cell in cells]
            vectors = network.vectors(paths)
            unread[0] += sum(v is None and p is not None for v, p in zip(vectors, paths, strict=True))
            seen += sum(v is not None for v in vectors)
            yield chunk.with_columns(pl.Series(column, vectors, dtype=pl.List(pl.Float64)))
        if unread[0] and not seen:
            raise InputError(
                f"none of {unread[0]:,} images that column {column!r} names could be read; wanted their "
                f"paths, whole or from {folder} on"
            )

    return replace(source, batches=batches), unread


def with_array(source: Source, column: str, path: Path) -> Source:
    """Return the rows with the rows of an array (.npy, n × k) as vectors beside them.

    Raises
    ------
    ReadError
        When the file holds no array of numbers.
    InputError
        When it has another number of rows, or the column is there already.
    """
    values = ArrayFile.of(path)
    column = literal(column)
    if column in source.columns:
        raise InputError(f"there is a column {column!r} already; give the vectors another name")

    def batches(_: int) -> Iterator[pl.DataFrame]:
        done = 0
        for chunk in source.chunks(ROWS):
            block = values.read(done, chunk.height)
            done += chunk.height
            if len(block) < chunk.height:
                break
            yield chunk.with_columns(pl.Series(column, block.tolist(), dtype=pl.List(pl.Float64)))
        if done != values.rows:
            count = f"more than {values.rows:,}" if done > values.rows else f"{done:,}"
            raise InputError(f"{path} has {values.rows:,} rows, the table {count}; wanted one vector a row")

    return replace(source, columns=(*source.columns, column), batches=batches)
