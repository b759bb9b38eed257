"""Point by point as the causal scores of a batch, in bounded memory."""

import numpy as np
import polars as pl
import pytest
import torch

from outlearn import SeriesDetector
from outlearn.errors import InputError, ParameterError
from outlearn.learners.series.transformer import new_network, save_sequence
from outlearn.series.latest import ROOM
from outlearn.series.mixture import LEADING


def wave(n, channels=1, seed=0):
    rng = np.random.default_rng(seed)
    return np.sin(np.arange(n)[:, None] / 7 + np.arange(channels)) + 0.05 * rng.normal(size=(n, channels))


def streamed(detector, values):
    stream = detector.stream()
    return [stream.score_next(point) for point in values]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A small network whose values are no longer those of a start."""
    net, draw = new_network(0, width=32, blocks=1), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in net.head.parameters():
            value.add_(0.05 * torch.randn(value.shape, generator=draw))
    path = tmp_path_factory.mktemp("net") / "net.safetensors"
    save_sequence(path, net, corpus="none", seed=0, command="none")
    return path


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("known", ["nothing", "normal", "a range"])
def test_the_network_scores_each_point_as_it_does_causally_in_a_batch(weights, channels, known):
    past = wave(900, channels)
    past[700:750] = 0.0
    y = {"nothing": None, "normal": np.zeros(900), "a range": np.full(900, -1)}[known]
    if known == "a range":
        y[700:750] = 1
    detector = SeriesDetector("sequence", weights=weights, random_state=0).fit(past, y)
    plain = SeriesDetector(random_state=0).fit(past, y)
    new = wave(400, channels, seed=1)
    new[200:240, 0] = 0.0
    wanted = detector.anomaly_score(new, causal=True)
    assert streamed(detector, new) == pytest.approx(wanted.tolist(), abs=1e-5)
    assert detector.anomaly_score(new[:331], causal=True) == pytest.approx(wanted[:331], abs=1e-6)
    assert np.abs(wanted - plain.anomaly_score(new, causal=True)).max() > 1e-3


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("known", ["nothing", "normal", "a range"])
def test_each_point_scores_as_it_does_causally_in_a_batch(channels, known):
    past = wave(1200, channels)
    past[700:750] = 0.0
    y = {"nothing": None, "normal": np.zeros(1200), "a range": np.full(1200, -1)}[known]
    if known == "a range":
        y[700:750] = 1
    detector = SeriesDetector(random_state=0).fit(past, y)
    new = wave(700, channels, seed=1)
    new[400:440, 0] = 0.0
    wanted = detector.anomaly_score(new, causal=True)
    assert streamed(detector, new) == pytest.approx(wanted.tolist(), abs=1e-6)
    assert 400 <= int(np.argmax(wanted)) <= 600


def test_what_follows_changes_no_causal_score():
    detector = SeriesDetector(random_state=0).fit(wave(1000))
    new = wave(600, seed=2)
    early = detector.anomaly_score(new[:331], causal=True)
    assert detector.anomaly_score(new, causal=True)[:331].tolist() == pytest.approx(early.tolist(), abs=1e-12)


def test_the_buffer_is_moved_up_and_never_grows():
    detector = SeriesDetector(random_state=0).fit(wave(600))
    stream = detector.stream()
    size = stream.nbytes
    new = wave(ROOM * max(LEADING) + 300, seed=3)
    scores = [stream.score_next(float(point[0])) for point in new]
    assert stream.nbytes == size
    assert scores == pytest.approx(detector.anomaly_score(new, causal=True).tolist(), abs=1e-6)


def test_a_missing_value_is_as_the_last_and_a_counter_is_what_it_rose_by():
    rises = np.random.default_rng(0).integers(1, 9, size=900).astype(float)
    frame = pl.DataFrame({"bytes": np.cumsum(rises), "heat": wave(900)[:, 0]})
    detector = SeriesDetector(random_state=0).fit(frame)
    assert detector.reader_.counters == ("bytes",)
    new = frame[:300]
    scores = streamed(detector, new.to_numpy())
    wanted = detector.anomaly_score(new, causal=True)
    # The first increment is not known: a batch takes the next, a stream none.
    assert scores[192:] == pytest.approx(wanted[192:].tolist(), abs=1e-6)
    assert max(scores) <= max(wanted) + 0.05  # and it is no step
    stream = detector.stream()
    assert np.isfinite([stream.score_next([np.nan, np.nan]), stream.score_next([5.0, np.nan])]).all()


def test_after_a_reset_the_next_point_is_the_first():
    detector = SeriesDetector(random_state=0).fit(wave(800))
    stream, new = detector.stream(), wave(300, seed=4)
    for point in new[:77]:
        stream.score_next(point)
    stream.reset()
    assert [stream.score_next(point) for point in new] == streamed(detector, new)


def test_what_cannot_be_streamed_is_refused():
    detector = SeriesDetector().fit(wave(300, 2))
    with pytest.raises(InputError, match="wanted 2 numbers: x0, x1"):
        detector.stream().score_next(1.0)
    with pytest.raises(ParameterError, match="judges whole series"):
        SeriesDetector("subpca").fit(wave(300)).stream()


def test_a_reference_without_wide_windows_is_streamed_by_narrow_ones():
    detector = SeriesDetector(random_state=0).fit(wave(60), np.zeros(60))
    new = wave(400, seed=5)
    new[300:320] = 3.0
    wanted = detector.anomaly_score(new, causal=True)
    assert streamed(detector, new) == pytest.approx(wanted.tolist(), abs=1e-6)
    assert len(set(np.round(wanted[200:], 6))) > 10


def test_values_that_are_missing_from_the_first_are_as_usual():
    past = wave(900) + 1000
    detector = SeriesDetector(random_state=0).fit(past, np.zeros(900))
    stream = detector.stream()
    new = [[np.nan]] * 3 + (wave(300, seed=6) + 1000).tolist()
    assert max(stream.score_next(point) for point in new) < detector.threshold_


def test_nothing_is_carried_across_a_gap():
    times = np.datetime64("2026-01-01", "us") + np.arange(900) * np.timedelta64(60, "s")
    past = pl.DataFrame({"t": times, "x": wave(900)[:, 0]})
    detector = SeriesDetector(time_column="t", random_state=0).fit(past, np.zeros(900))
    values = wave(500, seed=7)[:, 0]
    values[200:250] = 5.0
    late = times[:500] + np.where(np.arange(500) < 250, 0, 86_400).astype("timedelta64[s]")
    scores = detector.anomaly_score(pl.DataFrame({"t": late, "x": values}), causal=True)
    assert scores[240:250].max() > 0.5
    assert scores[250:].max() < 0.5
    stream = detector.stream()
    assert [stream.score_next(x) for x in values[250:]] == pytest.approx(scores[250:].tolist(), abs=1e-6)


def test_what_is_no_number_is_refused():
    with pytest.raises(InputError, match="wanted a number"):
        SeriesDetector().fit(wave(300)).stream().score_next(["a"])
