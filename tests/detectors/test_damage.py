"""Model files that are damaged or made up: each is refused with a `ModelError`, or judges as it says.

Bits turn in files as they lie on a disk; what is made up has a digest that fits.
"""

import copy
import json
import math
import random
import resource
import threading
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from outlearn import ClassicalDetector, SeriesDetector
from outlearn.detectors.base import _as_bytes, _from_bytes
from outlearn.detectors.provenance import Provenance
from outlearn.detectors.registry import load
from outlearn.errors import InputError, ModelError, OutlearnError, WeightsError
from outlearn.sealed import read_sealed, write_sealed
from outlearn.weights import Header, read_checkpoint, shipped, write_checkpoint

ROWS = 40
BEGUN = datetime(2026, 1, 1)
WIDE = pl.DataFrame(
    {
        "amount": [float(i % 11) for i in range(ROWS)],
        "gaps": [None if i % 9 == 0 else i / 3 for i in range(ROWS)],
        "shop": [("A", "B", None)[i % 3] for i in range(ROWS)],
        "open": [i % 2 == 0 for i in range(ROWS)],
        "when": [BEGUN + timedelta(minutes=7 * i) for i in range(ROWS)],
        "words": [f"the quick {i} brown {'fox' * (i % 4)} jumps over number {i * 7}" for i in range(ROWS)],
        "one": ["x"] * ROWS,
        "vector": [[float(i), 1.0] for i in range(ROWS)],
        "mass": [f"{i}.5 kg" for i in range(ROWS)],
        "calls": [
            " ".join(("open", "read", "write")[j % 3] for j in range(3 + 7 * i % 23)) for i in range(ROWS)
        ],
    }
)
TABLE = WIDE.select("gaps", "shop", "open", "mass")
COURSE = pl.DataFrame(
    {
        "time": [BEGUN + timedelta(minutes=i) for i in range(200)],
        "x": np.sin(np.arange(200) / 5),
        "y": [f"{i % 7} kg" for i in range(200)],
    }
)
MEMORY = 8 << 30  # bytes of address space above which a file takes too much
CLOCK = 20  # seconds that one file may take
ENTRIES = {"rows": "outlearn", "wide": "outlearn", "series": "outlearn-series"}
DATA = {"rows": TABLE, "wide": WIDE, "series": COURSE}
KINDS = ("rows", "series")
ODD = (
    None, True, -1, 0, 10**6, 10**18, 10**400, 1.5, math.nan, math.inf, -1e308, "", "x", "\0", "A" * 500,
    [], {}, [[]], ["a"], {"a": 1}, [1] * 500,
)  # fmt: skip


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The bytes of a model file of each kind, which is fitted once."""
    folder = tmp_path_factory.mktemp("saved")
    y = np.where(np.arange(ROWS) < 3, 1, -1)
    known = Provenance("table.csv", ROWS, ("a note",), np.arange(ROWS))
    for kind in ("rows", "wide"):
        ClassicalDetector("knn", random_state=0).fit(DATA[kind], y).save(folder / kind, known)
    SeriesDetector(time_column="time", random_state=0).fit(COURSE).save(folder / "series")
    return {kind: (folder / kind).read_bytes() for kind in DATA}


@contextmanager
def bounds():
    """Bound the memory that this process may take beside what it has; more than that raises within."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    statm = Path(
        "/proc/self/statm"
    )  # pages: what the tests before this one mapped may be more than the bound
    had = int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0
    resource.setrlimit(resource.RLIMIT_AS, (had + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def in_time(work):
    """Return what `work` returns or the error that it raises; none may take longer than `CLOCK`."""
    ended = []

    def run():
        try:
            ended.append(work())
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(CLOCK)
    assert ended, f"no answer within {CLOCK} seconds"
    return ended[0]


def turned(content, rng):
    """Return the content with one bit turned, in the header as often as behind it."""
    start = 8 + int.from_bytes(content[:8], "little")
    place = rng.randrange(start) if rng.random() < 0.5 else rng.randrange(start, len(content))
    other = bytearray(content)
    other[place] ^= 1 << rng.randrange(8)
    return bytes(other)


CASES = [50, pytest.param(1000, marks=pytest.mark.long)]


@pytest.mark.parametrize("cases", CASES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_with_a_bit_turned_is_refused(kind, cases, saved, tmp_path):
    rng, path = random.Random(cases), tmp_path / "model"
    for _ in range(cases):
        path.write_bytes(turned(saved[kind], rng))
        with pytest.raises(ModelError, match=str(path)):
            load(path)


@pytest.mark.parametrize("cases", CASES)
@pytest.mark.parametrize("name", ["fusion", "analyst", "protonet"])
def test_shipped_weights_with_a_bit_turned_are_refused(name, cases, tmp_path):
    content, rng, path = shipped(name).read_bytes(), random.Random(cases), tmp_path / "weights"
    entries = read_sealed(shipped(name), ("outlearn",)).entries
    read = partial(read_checkpoint, path, json.loads(entries["outlearn"])["architecture"])
    for _ in range(cases):
        path.write_bytes(turned(content, rng))
        with pytest.raises(WeightsError, match=str(path)):
            read()


@pytest.mark.parametrize("path", sorted(shipped("any").parent.glob("*.safetensors")), ids=lambda p: p.stem)
def test_all_shipped_weights_carry_a_digest(path):
    assert read_sealed(path, ("outlearn",)).sealed


# ---- files that were made up, with a digest that fits


def paths_in(value, above=()):
    """Yield the way to each value within a state, to some items of long lists only."""
    if above:
        yield above
    if isinstance(value, dict):
        for key in value:
            yield from paths_in(value[key], (*above, key))
    elif isinstance(value, list):
        for place in range(len(value)) if len(value) < 8 else (0, len(value) - 1):
            yield from paths_in(value[place], (*above, place))


def other_state(state, rng, paths):
    """Return a state in which one value is gone, comes twice, is another or has one beside it."""
    state = copy.deepcopy(state)
    *way, last = rng.choice(paths)
    holder = state
    for key in way:
        holder = holder[key]
    how = rng.random()
    if how < 0.2:
        del holder[last]
    elif how < 0.3 and isinstance(holder, dict):
        holder["extra"] = rng.choice(ODD)
    elif how < 0.4 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[last]))
    else:
        holder[last] = rng.choice(ODD)
    return state


def other_arrays(arrays, rng):
    """Return arrays of which one is gone, of another shape or type, or holds other values."""
    arrays = {name: values.copy() for name, values in arrays.items()}
    name = rng.choice(list(arrays))
    values = arrays.pop(name)
    ways = (
        lambda: None,
        lambda: values[:-1],
        lambda: values[:0],
        lambda: values[None],
        lambda: values.astype(np.float16),
        lambda: np.zeros((2**23, 0), values.dtype),
        lambda: np.full_like(values, math.nan if values.dtype.kind == "f" else np.iinfo(values.dtype).max),
        lambda: np.frombuffer(rng.randbytes(values.nbytes), values.dtype).reshape(values.shape),
    )
    changed = rng.choice(ways)()
    return arrays if changed is None else {**arrays, name: changed}


@pytest.mark.filterwarnings("ignore")  # numbers that were made up may overflow
@pytest.mark.parametrize("cases", CASES)
@pytest.mark.parametrize("kind", [*KINDS, pytest.param("wide", marks=pytest.mark.long)])
def test_a_made_up_model_is_refused_or_judges(kind, cases, saved, tmp_path):
    (path := tmp_path / "model").write_bytes(saved[kind])
    contents = read_sealed(path, (ENTRIES[kind],))
    state, rng = json.loads(contents.entries[ENTRIES[kind]]), random.Random(cases)
    paths = list(paths_in(state))
    with bounds():
        for _ in range(cases):
            made_up, arrays = state, contents.arrays
            if rng.random() < 0.7:
                made_up = other_state(state, rng, paths)
            else:
                arrays = other_arrays(arrays, rng)
            write_sealed(path, arrays, {ENTRIES[kind]: json.dumps(made_up)})
            got = in_time(lambda: load(path)[0])
            if isinstance(got, BaseException):
                assert isinstance(got, ModelError), repr(got)
                assert str(path) in str(got)
                continue
            scores = in_time(partial(got.anomaly_score, DATA[kind]))
            # A column that was renamed in the file is one that the table lacks.
            if isinstance(scores, BaseException):
                assert isinstance(scores, InputError), repr(scores)
            else:
                assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"format": "1"}, "'format' is '1'; wanted a whole number"),
        ({"format": 0}, "'format' is 0; wanted a whole number from 1"),
        ({"class": "Path"}, "it holds a 'Path', which is no detector of rows"),
        ({"class": ["Detector"]}, "'class' is .*; wanted a text"),
        ({"params": None}, "'params' is None; wanted names with values"),
        ({"params": {"algorithm": "knn", "nope": 1}}, "unexpected keyword argument 'nope'"),
        ({"params": {"algorithm": "knn", "random_state": -1}}, "random_state is -1"),
        ({"params": {"algorithm": "iforest", "params": {"trees": 10**9}}}, "trees"),
        ({"seed": 10**30}, "'seed' is 1000.*; wanted a whole number"),
        ({"n_features": 3}, "names 4 features and counts 3"),
        ({"provenance": []}, "'provenance' is .*; wanted names with values"),
        ({"contamination": "much"}, "'contamination' is 'much'; wanted a finite number"),
        ({"encoder": {"schema": {"columns": []}, "encoders": []}}, "the saved encoder is damaged"),
        ({"calibrator": {"centre": 1e999, "scale": 1.0}}, "centre"),
    ],
)
def test_an_error_says_what_is_wrong(change, wrong, saved, tmp_path):
    (path := tmp_path / "model").write_bytes(saved["rows"])
    contents = read_sealed(path, ("outlearn",))
    state = {**json.loads(contents.entries["outlearn"]), **change}
    write_sealed(path, contents.arrays, {"outlearn": json.dumps(state)})
    with pytest.raises(ModelError, match=wrong):
        load(path)


@pytest.mark.parametrize(
    ("name", "values", "wrong"),
    [
        ("support", None, "the array 'support' is missing"),
        ("support", np.ones((ROWS, 2), np.float32), "'support' has the shape"),
        ("support_y", np.full(ROWS, 5, np.int8), "labels of its rows"),
        ("support_y", np.zeros(ROWS, np.int64), "'support_y' holds int64; wanted int8"),
        ("support_rows", np.full(ROWS, -9), "the number -9"),
        ("cells", np.zeros(80, np.uint8), "the cells of its rows are damaged"),
    ],
)
def test_an_array_that_does_not_fit_is_named(name, values, wrong, saved, tmp_path):
    (path := tmp_path / "model").write_bytes(saved["rows"])
    contents = read_sealed(path, ("outlearn",))
    arrays = {**contents.arrays, name: values}
    kept = {key: array for key, array in arrays.items() if array is not None}
    write_sealed(path, kept, {"outlearn": contents.entries["outlearn"]})
    with pytest.raises(ModelError, match=wrong):
        load(path)


@pytest.mark.parametrize("cases", CASES)
def test_cells_that_are_made_up_end_no_process(cases):
    rng, content = random.Random(cases), _as_bytes(TABLE)
    with bounds():
        for _ in range(cases):
            other = content.copy()
            for _ in range(rng.choice((1, 1, 2, 8))):
                other[rng.randrange(len(other))] = rng.choice((0, 1, 127, 128, 255))
            with suppress(ValueError):
                assert isinstance(_from_bytes(other), pl.DataFrame)


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    path = tmp_path / "weights"
    write_checkpoint(path, {"w": torch.tensor([1.0, math.nan])}, Header("toy", {}, "", 0, ""))
    with pytest.raises(WeightsError, match="not finite numbers, in 'w'"):
        read_checkpoint(path, "toy")


def test_a_network_of_a_made_up_size_is_refused_before_it_takes_memory(tmp_path):
    from outlearn.learners.incontext.fusion import load_fusion

    path = tmp_path / "weights"
    tensors, header = read_checkpoint(shipped("fusion"), "fusion-1")
    config = {name: 10**9 if isinstance(value, int) else value for name, value in header.config.items()}
    write_checkpoint(path, tensors, Header("fusion-1", config, "", 0, "", header.features))
    with bounds(), pytest.raises(WeightsError, match="do not fit the network of its header"):
        load_fusion(path)


def test_a_file_of_an_earlier_version_judges_alike_and_says_that_it_has_no_checksum(saved, tmp_path):
    from safetensors.numpy import save_file

    from outlearn.pipeline import Monitor
    from outlearn.pipeline.series_monitor import SeriesMonitor

    for kind, base in (("rows", Monitor), ("series", SeriesMonitor)):
        (path := tmp_path / "model").write_bytes(saved[kind])
        contents = read_sealed(path, (ENTRIES[kind],))
        known = base.load(path)
        save_file(dict(contents.arrays), path, metadata={ENTRIES[kind]: contents.entries[ENTRIES[kind]]})
        old = base.load(path)
        said = [note for note in old.detect(DATA[kind], top=0).notes if "carries no checksum" in note]
        assert len(said) == 1 and str(path) in said[0]
        scores = (one.detector.anomaly_score(DATA[kind]).tobytes() for one in (old, known))
        assert len(set(scores)) == 1
        old.save(path)  # which has one then
        assert old.file_notes and not known.file_notes and not base.load(path).file_notes


def test_weights_that_a_made_up_model_names_are_no_damaged_package(saved, tmp_path):
    path = tmp_path / "model"
    path.write_bytes(saved["rows"])
    contents = read_sealed(path, ("outlearn",))
    state = json.loads(contents.entries["outlearn"])
    params = {"learner": "protonet", "weights": str(path)}
    state |= {"class": "Detector", "params": params}
    write_sealed(path, contents.arrays, {"outlearn": json.dumps(state)})
    with pytest.raises(ModelError, match="the weights that it names cannot be used") as caught:
        load(path)
    assert isinstance(caught.value, OutlearnError)
