"""Images and arrays beside rows: what a network says of each, and what cannot be read."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app
from outlearn.data.embed import Images, with_array, with_images
from outlearn.data.readers import open_source
from outlearn.errors import InputError, ReadError, SchemaError

onnx = pytest.importorskip("onnx")
image_file = pytest.importorskip("PIL.Image")
pytest.importorskip("onnxruntime")

WEIGHTS = np.random.default_rng(0).normal(size=(5, 3, 4, 4)).astype(np.float32)


def network(path, *, batch="b", last=False, form="maps"):
    """A convolution over images of 16 by 16; `form` of what comes out: maps or vectors."""
    helper, tensor = onnx.helper, onnx.TensorProto
    shape = [batch, 16, 16, 3] if last else [batch, 3, 16, 16]
    nodes = [helper.make_node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2])] if last else []
    nodes.append(helper.make_node("Conv", ["t" if last else "x", "w"], ["y"], strides=[4, 4]))
    if form == "vectors":
        nodes += [
            helper.make_node("GlobalAveragePool", ["y"], ["p"]),
            helper.make_node("Flatten", ["p"], ["z"]),
        ]
    out = helper.make_tensor_value_info("z" if form == "vectors" else "y", tensor.FLOAT, None)
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", tensor.FLOAT, shape)],
        [out],
        [helper.make_tensor("w", tensor.FLOAT, WEIGHTS.shape, WEIGHTS.ravel())],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 255, size=(7, 16, 16, 3)).astype(np.uint8)
    for place, each in enumerate(pixels):
        image_file.fromarray(each).save(tmp_path / f"{place}.png")
    (tmp_path / "broken.png").write_bytes(b"no image")
    names = [f"{place}.png" for place in range(7)] + ["broken.png", "absent.png", None]
    pl.DataFrame({"photo": names, "weight": range(10)}).write_csv(tmp_path / "t.csv")
    return tmp_path, pixels


def plain(pixels):
    """The mean of the convolution, by hand."""
    scaled = (pixels / 255 - np.array((0.485, 0.456, 0.406))) / np.array((0.229, 0.224, 0.225))
    blocks = scaled.reshape(len(pixels), 4, 4, 4, 4, 3)  # (n, i, h, j, w, c)
    return np.einsum("nihjwc,kchw->nk", blocks, WEIGHTS) / 16


@pytest.mark.parametrize("how", [{}, {"batch": 3}, {"last": True}, {"form": "vectors"}])
def test_vectors_are_what_the_network_says(photos, tmp_path, how):
    folder, pixels = photos
    path = network(tmp_path / "m.onnx", **how)
    source, unread = with_images(open_source(folder / "t.csv"), "photo", Images(path), folder)
    rows = source.read()
    np.testing.assert_allclose(np.array(rows["photo"][:7].to_list()), plain(pixels), atol=1e-3)
    assert rows["photo"][7:].null_count() == 3 and unread == [2]
    assert rows["weight"].to_list() == list(range(10))


def test_a_column_that_names_no_image_is_refused(photos, tmp_path):
    folder, _ = photos
    images = Images(network(tmp_path / "m.onnx"))
    source, _ = with_images(open_source(folder / "t.csv"), "weight", images, folder)
    with pytest.raises(InputError, match="none of 10 images that column 'weight' names"):
        source.read()


def test_what_is_no_network_of_images_is_refused(photos, tmp_path):
    folder, _ = photos
    source = open_source(folder / "t.csv")
    (tmp_path / "no.onnx").write_bytes(b"what")
    with pytest.raises(ReadError, match="no network that can be run"):
        with_images(source, "photo", Images(tmp_path / "no.onnx"), folder)
    with pytest.raises(ReadError, match="no such file"):
        with_images(source, "photo", Images(tmp_path / "none.onnx"), folder)
    with pytest.raises(SchemaError, match="did you mean photo"):
        with_images(source, "foto", Images(network(tmp_path / "m.onnx")), folder)


def test_an_array_stands_beside_its_rows(tmp_path):
    frame = pl.DataFrame({"a": [1.5, 2.5, 3.0]})
    np.save(tmp_path / "v.npy", np.arange(6.0).reshape(3, 2))
    rows = with_array(open_source(frame), "v", tmp_path / "v.npy").read()
    assert rows["v"].to_list() == [[0, 1], [2, 3], [4, 5]]
    for bad in (np.zeros((2, 2)), np.zeros((4, 2))):
        np.save(tmp_path / "bad.npy", bad)
        with pytest.raises(InputError, match="wanted one vector a row"):
            with_array(open_source(frame), "v", tmp_path / "bad.npy").read()
    np.save(tmp_path / "flat.npy", np.zeros(3))
    with pytest.raises(ReadError, match="a vector a row"):
        with_array(open_source(frame), "v", tmp_path / "flat.npy")
    np.savez(tmp_path / "v.npz", a=np.zeros((3, 2)))
    with pytest.raises(ReadError, match="holds several arrays"):
        with_array(open_source(frame), "v", tmp_path / "v.npz")
    (tmp_path / "x.npy").write_bytes(b"what")
    with pytest.raises(ReadError, match=r"wanted \.npy"):
        with_array(open_source(frame), "v", tmp_path / "x.npy")
    with pytest.raises(InputError, match="another name"):
        with_array(open_source(frame), "a", tmp_path / "v.npy")


def test_from_the_command_line(photos, tmp_path):
    folder, _ = photos
    network(tmp_path / "m.onnx")
    out = tmp_path / "records.parquet"
    options = ["--column", "photo", "--model", str(tmp_path / "m.onnx"), "--out", str(out)]
    done = CliRunner().invoke(app, ["embed", str(folder / "t.csv"), *options])
    assert done.exit_code == 0 and "2 images could not be read" in done.output
    assert pl.read_parquet(out)["photo"].list.len().drop_nulls().unique().to_list() == [5]
    both = CliRunner().invoke(app, ["embed", str(folder / "t.csv"), "--column", "photo", "--out", str(out)])
    assert both.exit_code == 2 and "--model" in both.output
