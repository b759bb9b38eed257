"""Characters from a local folder in the layout of Omniglot (Lake et al., 2015): a folder a class."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from outlearn.errors import ParameterError, ReadError
from outlearn.extras import require
from outlearn.tasks.images import ImageClasses

__all__ = ["omniglot_folder"]

_HALVES = ("images_background", "images_evaluation")
_MOST_PIXELS = 4096
"""Pixels a side; Omniglot has 105. A small file can claim any number, and fill the memory with it."""


def omniglot_folder(path: str | Path, size: int = 28) -> ImageClasses:
    """Read ``<path>/<alphabet>/<character>/<image>.png``, each image brought to `size` × `size`.

    `path` may also hold ``images_background``, ``images_evaluation`` or both; then all their characters are
    read. A class is a character, called by its folder below `path`; folders without an image, hidden files
    and other kinds of file are passed over. Ink is 1: where the mean of all images is light, as in Omniglot,
    all are inverted. Transparent paper counts as white; an image that is not square is stretched.

    Needs Pillow: ``pip install 'outlearn[images]'``.

    Raises
    ------
    ParameterError
        When `size` is below 1.
    ReadError
        When the folder is absent or holds no image in this layout, a class has one image only, or an image
        is damaged or above 4,096 pixels a side. The message names the file or the class.
    MissingExtraError
        When Pillow is not installed.
    """
    path = Path(path)
    if size < 1:
        raise ParameterError(f"size={size}; give 1 or more pixels")
    classes = _files(path)
    pillow = require("PIL.Image", extra="images")
    images = np.stack([_grey(pillow, file, size) for files in classes.values() for file in files])
    if images.mean() > 127.5:
        images = 255 - images
    ink = images.astype(np.float32) / np.float32(255)
    counts = [len(files) for files in classes.values()]
    return ImageClasses(ink[:, None], np.arange(len(counts)).repeat(counts), tuple(classes))


def _files(path: Path) -> dict[str, list[Path]]:
    """Return the images of each class by its name, in alphabetical order."""
    try:
        folders = [path / half for half in _HALVES if (path / half).is_dir()] or [path]
        images = sorted(file for folder in folders for file in folder.glob("*/*/*") if _is_image(file))
    except OSError as error:
        raise ReadError(f"{path} cannot be read ({error}); give a folder that you may read") from error
    classes: dict[str, list[Path]] = {}
    for file in images:
        classes.setdefault(file.parent.relative_to(path).as_posix(), []).append(file)
    if not classes:
        what = "holds no image" if path.is_dir() else "is not a folder"
        raise ReadError(f"{path} {what}; wanted a folder with <alphabet>/<character>/<image>.png")
    for name, files in classes.items():
        if len(files) == 1:
            raise ReadError(
                f"class {name!r} of {path} has 1 image; give 2 or more, so that one can be learnt from and "
                "another be asked about, or take the class away"
            )
    return classes


def _is_image(file: Path) -> bool:
    return file.suffix.lower() == ".png" and not file.name.startswith(".") and file.is_file()


def _grey(pillow: Any, file: Path, size: int) -> NDArray[np.uint8]:
    """Return one image (size, size) in shades from 0, black, to 255, white."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            # Only the PNG decoder is let near the file, and pixels are decoded after the size is known.
            with pillow.open(file, formats=("PNG",)) as image:
                if max(image.size) > _MOST_PIXELS:
                    raise pillow.DecompressionBombError(f"it claims {image.width} × {image.height} pixels")
                return np.asarray(_on_white(pillow, image).resize((size, size), pillow.Resampling.BILINEAR))
    except (pillow.DecompressionBombWarning, pillow.DecompressionBombError) as error:
        raise ReadError(
            f"{file} is too large ({error}); scale it down to {_MOST_PIXELS} pixels a side or take it away"
        ) from error
    except (OSError, SyntaxError, ValueError, struct.error, zlib.error) as error:
        raise ReadError(f"{file} cannot be read as a PNG image ({error}); mend it or take it away") from error


def _on_white(pillow: Any, image: Any) -> Any:
    """Return the image in shades of grey, on white paper where it is transparent."""
    if image.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255 rather than scale
        return pillow.fromarray((np.asarray(image) // 257).astype(np.uint8))
    if image.has_transparency_data:
        paper = pillow.new("RGBA", image.size, "white")
        image = pillow.alpha_composite(paper, image.convert("RGBA"))
    return image.convert("L")
