"""The training loop on a network and on two numbers: resuming, stopping early, and how it refuses."""

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from outlearn.errors import OutputError, WeightsError
from outlearn.learners.incontext.learner import InContext
from outlearn.learners.incontext.loss import episode_loss
from outlearn.learners.training.loop import Training, train, warm_cosine

LEARNER = InContext(seed=0, epochs=1, batch=4, width=16, latents=4, blocks=1)
STEPS = 9
QUICK = Training(steps=STEPS, rate=1e-2, every=2)


def network(seed: int = 0, width: int = 16):
    return InContext(seed=seed, width=width, latents=4, blocks=1).network()


def fit(net, bank, **options):
    def objective(step: int) -> float:
        loss = episode_loss(net, LEARNER.batch_at(bank, step))
        net.zero_grad()
        loss.backward()
        return loss.item()

    train(dict(net.named_parameters()), objective, Training(**(vars_of(QUICK) | options)))
    return net


def vars_of(how: Training) -> dict:
    return {name: getattr(how, name) for name in how.__dataclass_fields__}


def weights(net) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in net.state_dict().items()}


def stop_at(step: int):
    def progress(done: int, total: int, loss: float) -> None:
        assert math.isfinite(loss)
        if done == step:
            raise KeyboardInterrupt

    return progress


def saved_step(path: Path) -> int:
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["training"])["step"]


class Valley:
    """½(x-3)² and ½y² from (0, 2), beside a record of the rates and steps that were asked for."""

    def __init__(self, start: float = 0.0) -> None:
        self.parameters = {"x": torch.tensor([start]), "y": torch.tensor([2.0])}
        self.steps: list[int] = []

    def objective(self, step: int) -> float:
        self.steps.append(step)
        x, y = self.parameters.values()
        x.grad, y.grad = x - 3, y.clone()
        return 0.5 * float((x - 3) ** 2 + y**2)

    def train(self, **options) -> list[float]:
        plain = lambda leaves, rate: torch.optim.SGD(leaves, lr=rate)  # noqa: E731
        train(self.parameters, self.objective, Training(**({"optimiser": plain} | options)))
        return self.values()

    def values(self) -> list[float]:
        return [value.item() for value in self.parameters.values()]


def test_training_lowers_the_loss(bank):
    net = network()
    with torch.inference_mode():
        before = episode_loss(net, bank).item()
    fit(net, bank, steps=60)
    with torch.inference_mode():
        assert episode_loss(net, bank).item() < 0.8 * before


def test_progress_tells_every_step(bank):
    told = []
    fit(network(), bank, progress=lambda done, total, loss: told.append((done, total)))
    assert told == [(step + 1, STEPS) for step in range(STEPS)]


@pytest.mark.parametrize("step", [None, 3, 5, 9])
def test_the_curve_is_of_mean_losses_between_checkpoints_interrupted_or_not(bank, tmp_path, step):
    losses, told, path = [], [], tmp_path / "training.safetensors"
    fit(network(), bank, progress=lambda done, total, loss: losses.append(loss))
    if step is not None:
        with pytest.raises(KeyboardInterrupt):
            fit(network(), bank, checkpoint=path, progress=stop_at(step))
    fit(network(), bank, checkpoint=path, passed=lambda step, loss: told.append((step, loss)))
    ends = [2, 4, 6, 8, 9]
    means = [sum(losses[a:b]) / (b - a) for a, b in zip([0, *ends], ends, strict=False)]
    assert [step for step, _ in told] == ends
    assert [loss for _, loss in told] == pytest.approx(means, rel=1e-6)


@pytest.mark.parametrize("step", [3, 5, 9])
def test_an_interrupted_run_ends_with_the_weights_of_one_that_was_not(bank, tmp_path, step):
    whole = weights(fit(network(), bank))
    path = tmp_path / "state" / "training.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fit(network(), bank, checkpoint=path, progress=stop_at(step))
    assert saved_step(path) == step - 1
    resumed = fit(network(seed=1), bank, checkpoint=path)  # another start: all must come from the file
    assert weights(resumed) == whole
    assert saved_step(path) == STEPS
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_any_optimiser_resumes(tmp_path, momentum):
    heavy = lambda leaves, rate: torch.optim.SGD(leaves, lr=rate, momentum=momentum)  # noqa: E731
    how = {"steps": 8, "rate": 0.1, "every": 3, "optimiser": heavy, "schedule": lambda s, n: 1 - s / n}
    whole = Valley().train(**how)
    path = tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        Valley().train(**how, checkpoint=path, progress=stop_at(5))
    assert Valley(start=9.0).train(**how, checkpoint=path) == whole


def test_a_finished_run_is_not_trained_further(tmp_path):
    path = tmp_path / "training.safetensors"
    whole = Valley().train(steps=4, rate=0.1, checkpoint=path)
    again = Valley(start=9.0)
    assert again.train(steps=4, rate=0.1, checkpoint=path) == whole
    assert again.steps == []


def test_a_loss_that_is_not_finite_stops_at_its_step_and_keeps_the_last_state(bank, tmp_path):
    path, net = tmp_path / "training.safetensors", network()

    def objective(step: int) -> float:
        loss = episode_loss(net, LEARNER.batch_at(bank, step)) * (math.nan if step == 5 else 1.0)
        net.zero_grad()
        loss.backward()
        return loss.item()

    how = Training(steps=STEPS, rate=1e-2, every=2, checkpoint=path)
    with pytest.raises(
        WeightsError, match=r"nan.* at step 5: lower .* ask step 5; the last checkpoint is kept"
    ):
        train(dict(net.named_parameters()), objective, how, blame=lambda step: f"ask step {step}")
    assert saved_step(path) == 4


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_changes_no_parameter(value):
    valley = Valley()

    def objective(step: int) -> float:
        loss = valley.objective(step)
        if step == 2:
            valley.parameters["y"].grad = torch.tensor([value])
        return loss

    with pytest.raises(WeightsError, match=r"gradient is not finite at step 2.*look at its tasks$"):
        train(valley.parameters, objective, Training(steps=5, rate=0.1))
    assert all(math.isfinite(value) for value in valley.values())


def test_a_state_of_another_architecture_is_refused(bank, tmp_path):
    path = tmp_path / "training.safetensors"
    fit(network(), bank, steps=2, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(WeightsError, match="another architecture"):
        fit(network(width=32), bank, checkpoint=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: b"no tensors", lambda data: b""])
def test_a_damaged_state_is_refused(bank, tmp_path, spoil):
    path = tmp_path / "training.safetensors"
    fit(network(), bank, steps=2, checkpoint=path)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(WeightsError, match=r"training\.safetensors is no training state"):
        fit(network(), bank, checkpoint=path)


def test_a_state_of_another_optimiser_is_refused(tmp_path):
    path = tmp_path / "state"
    Valley().train(
        steps=2, rate=0.1, checkpoint=path, optimiser=lambda v, r: torch.optim.SGD(v, r, momentum=0.9)
    )
    with pytest.raises(WeightsError, match="another optimiser"):
        Valley().train(steps=4, rate=0.1, checkpoint=path, optimiser=None)


def test_a_checkpoint_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        Valley().train(steps=2, rate=0.1, checkpoint=tmp_path / "file" / "state")


def test_the_schedule_scales_the_rate():
    # x moves by rate · share · (3 - x)
    x = 0.0
    for share in (1.0, 0.5, 0.25):
        x += 0.1 * share * (3 - x)
    assert Valley().train(steps=3, rate=0.1, schedule=lambda step, steps: 0.5**step)[0] == pytest.approx(x)


def test_the_warm_cosine_rises_and_falls():
    assert warm_cosine(0, 1000) == pytest.approx(1 / 50)
    assert warm_cosine(50, 1000) == pytest.approx(0.02 + 0.49 * (1 + math.cos(math.pi * 0.05)))
    assert warm_cosine(1000, 1000) == pytest.approx(0.02)


def test_the_gradient_is_clipped_to_its_norm():
    x, y = Valley().train(steps=1, rate=1.0, clip=0.5)
    assert (x, 2 - y) == (pytest.approx(0.5 * 3 / 13**0.5), pytest.approx(0.5 * 2 / 13**0.5))
    assert Valley().train(steps=1, rate=0.1, clip=100.0) == Valley().train(steps=1, rate=0.1)


class Watch:
    """Held-out losses that fall to step 6 and rise from there, as a function of x alone."""

    def __init__(self, valley: Valley) -> None:
        self.valley, self.seen = valley, []

    def loss(self) -> float:
        return abs(self.valley.parameters["x"].item() - 3 * (1 - 0.9**6))

    def validated(self, step: int, value: float) -> None:
        self.seen.append(step)


def watched(valley: Valley, **options) -> tuple[list[float], list[int]]:
    watch = Watch(valley)
    how = {"steps": 100, "rate": 0.1, "every": 1, "patience": 4, "validate": watch.loss}
    return valley.train(**(how | {"validated": watch.validated} | options)), watch.seen


def test_training_stops_when_held_out_tasks_get_no_better_and_returns_the_best():
    (x, y), seen = watched(Valley())
    assert (x, y) == (pytest.approx(3 * (1 - 0.9**6)), pytest.approx(2 * 0.9**6))
    assert seen == list(range(1, 11))  # step 6 was best; 4 answers after it were no better


def test_the_best_parameters_are_the_result_without_stopping_too():
    (x, _), seen = watched(Valley(), steps=9, every=2, patience=10)
    assert x == pytest.approx(3 * (1 - 0.9**6))
    assert seen == [2, 4, 6, 8, 9]


@pytest.mark.parametrize("step", [3, 6, 8, 10])
def test_a_run_resumed_amid_its_patience_stops_at_the_same_step(tmp_path, step):
    whole, _ = watched(Valley())
    path = tmp_path / "state"
    with pytest.raises(KeyboardInterrupt):
        watched(Valley(), checkpoint=path, progress=stop_at(step))
    valley = Valley(start=9.0)
    resumed, _ = watched(valley, checkpoint=path)
    assert resumed == whole
    assert valley.steps == list(range(step - 1, 10))
    again = Valley(start=9.0)
    assert watched(again, checkpoint=path) == (whole, [])
    assert again.steps == []


def test_an_answer_that_is_no_number_is_no_better():
    valley = Valley()
    values, _ = watched(valley, validate=lambda: math.nan, patience=3)
    assert len(valley.steps) == 3
    assert all(math.isfinite(value) for value in values)
