"""Training the sequence network from one command: a checkpoint, a card, a detector that uses it."""

import numpy as np
import pytest
from typer.testing import CliRunner

from outlearn import SeriesDetector
from outlearn.cli.app import app
from outlearn.learners.training.sequence import train_series


@pytest.mark.long
def test_a_trained_network_serves_the_detector_and_has_a_card(tmp_path):
    out = tmp_path / "net.safetensors"
    stages = []
    train_series(
        out, tasks=4, steps=2, held_out=2, width=16, blocks=1,
        progress=lambda *step: stages.append(step),
    )  # fmt: skip
    assert ("series", 6, 6) in stages
    last, loss = stages[-1][:3], stages[-1][3]
    assert last == ("training", 2, 2) and np.isfinite(loss)
    card = out.with_suffix(".md").read_text()
    assert "plain distances" in card and "4 synthetic series" in card
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.md", "net.safetensors"]
    values = np.sin(np.arange(900) / 7)
    values[500:540] = 0.0
    scores = SeriesDetector("sequence", weights=out).fit(values).anomaly_score(values)
    assert 440 <= scores.argmax() <= 600


def test_the_command_refuses_a_name_that_is_no_checkpoint(tmp_path):
    result = CliRunner().invoke(app, ["learn-series", "--out", str(tmp_path / "net.txt")])
    assert result.exit_code == 2
    assert ".safetensors" in result.output
