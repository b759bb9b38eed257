"""A folder in the layout of Omniglot: what is read, and what is refused by name."""

import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from outlearn.errors import MissingExtraError, ParameterError, ReadError
from outlearn.tasks.images import way_shot_task
from outlearn.tasks.omniglot import omniglot_folder

SIDE = 105
CLASSES = ("Greek/character01", "Greek/character02", "Latin/character01")


def page(number, example):
    """A black bar on white, as in Omniglot; its column tells the class, its top the example."""
    pixels = np.full((SIDE, SIDE), 255, dtype=np.uint8)
    pixels[10 + 3 * example : 90, 15 + 25 * number : 23 + 25 * number] = 0
    return pixels


@pytest.fixture
def folder(tmp_path):
    for number, name in enumerate(CLASSES):
        (tmp_path / name).mkdir(parents=True)
        for example in range(4):
            image = Image.fromarray(page(number, example)).convert("1")
            image.save(tmp_path / name / f"{number:04d}_{example:02d}.png")
    return tmp_path


def test_a_folder_becomes_classes(folder):
    classes = omniglot_folder(folder)
    assert classes.names == CLASSES
    assert classes.images.shape == (12, 1, 28, 28) and classes.labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    for position, image in enumerate(classes.images[:, 0]):
        bar = (19 + 25 * (position // 4)) * 28 // SIDE
        assert image[14, bar] > 0.8 and image[14, bar - 4] == 0 and image[0].max() == 0  # ink is 1
    whole = 1 - page(0, 0) / 255
    assert classes.images[0].mean() == pytest.approx(whole.mean(), rel=0.03)  # scaled down by area
    task = way_shot_task(classes, np.random.default_rng(0), ways=3, turns=True)
    assert task.support_x.shape == (3, 1, 28, 28)


def test_the_two_parts_of_omniglot_are_read_as_one(folder):
    (folder / "images_background").mkdir()
    (folder / "Greek").rename(folder / "images_background" / "Greek")
    background = ("images_background/Greek/character01", "images_background/Greek/character02")
    assert omniglot_folder(folder).names == background
    (folder / "images_evaluation").mkdir()
    (folder / "Latin").rename(folder / "images_evaluation" / "Latin")
    assert omniglot_folder(str(folder)).names == (*background, "images_evaluation/Latin/character01")
    assert omniglot_folder(folder / "images_evaluation").names == ("Latin/character01",)


def test_what_is_no_image_is_passed_over(folder):
    (folder / "Greek" / "empty").mkdir()
    (folder / "Greek" / "character01" / "strokes.txt").write_text("0,0")
    (folder / "Greek" / "character01" / "._0000_00.png").write_bytes(b"not an image")
    (folder / "Greek" / "character01" / "folder.png").mkdir()
    assert len(omniglot_folder(folder).images) == 12


def _clear(pixels):
    return Image.fromarray(np.dstack([np.zeros((SIDE, SIDE, 3), dtype=np.uint8), 255 - pixels]))


@pytest.mark.parametrize(
    "made",
    [
        lambda pixels: Image.fromarray(255 - pixels),
        lambda pixels: Image.fromarray(pixels).convert("RGB"),
        lambda pixels: Image.fromarray(pixels).convert("P"),
        lambda pixels: Image.fromarray(pixels.astype(np.uint16) * 257),
        _clear,
    ],
    ids=["white on black", "colours", "palette", "16 bits", "on nothing"],
)
def test_other_ways_to_store_the_same_characters(folder, made):
    wanted = omniglot_folder(folder)
    for number, name in enumerate(CLASSES):
        for example in range(4):
            made(page(number, example)).save(folder / name / f"{number:04d}_{example:02d}.png")
    np.testing.assert_allclose(omniglot_folder(folder).images, wanted.images, atol=1e-6)


def test_sixteen_bits_are_scaled_and_not_cut_off(folder):
    target = folder / CLASSES[0] / "0000_00.png"
    Image.fromarray(np.full((SIDE, SIDE), 32768, dtype=np.uint16)).save(target)
    assert omniglot_folder(folder).images[0].mean() == pytest.approx(0.5, abs=0.01)


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ReadError, match=r"nowhere is not a folder; wanted .*<character>"):
        omniglot_folder(tmp_path / "nowhere")
    with pytest.raises(ReadError, match="holds no image"):
        omniglot_folder(tmp_path)
    (tmp_path / "flat.png").write_bytes(b"")
    with pytest.raises(ReadError, match="is not a folder"):
        omniglot_folder(tmp_path / "flat.png")


def test_a_class_with_one_image_is_named(folder):
    for file in sorted((folder / CLASSES[1]).iterdir())[1:]:
        file.unlink()
    with pytest.raises(ReadError, match=r"class 'Greek/character02' .* has 1 image"):
        omniglot_folder(folder)


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side):
    """A few bytes that claim to be `side` × `side` pixels."""
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pixels = _chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + pixels + _chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [4_097, 10_000, 60_000])  # our limit, Pillow's warning, Pillow's error
def test_a_file_that_claims_a_huge_image_is_refused_before_it_is_decoded(folder, side):
    (folder / CLASSES[2] / "0002_01.png").write_bytes(bomb(side))
    with pytest.raises(ReadError, match=r"0002_01\.png is too large .*4096 pixels a side"):
        omniglot_folder(folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"GIF89a" + data,
        lambda data: data[: len(data) // 2],
        lambda data: data[:20],
        lambda data: bomb(50),
        lambda data: data.replace(b"IDAT", b"JDAT"),
        lambda data: bomb(0),
    ],
    ids=["empty", "another kind", "half", "header", "too few pixels", "no pixels", "no size"],
)
def test_a_damaged_image_is_named(folder, damage):
    file = folder / CLASSES[2] / "0002_01.png"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ReadError, match=r"0002_01\.png cannot be read as a PNG image .*take it away"):
        omniglot_folder(folder)


def test_a_size_of_nothing_is_refused(folder):
    with pytest.raises(ParameterError, match="size=0"):
        omniglot_folder(folder, size=0)


def test_without_pillow_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "PIL.Image")
    with pytest.raises(MissingExtraError, match=r"outlearn\[images\]"):
        omniglot_folder(folder)
