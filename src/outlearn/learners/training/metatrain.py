"""Meta-training of any learner, end to end: resumable at every stage, same settings same result."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from outlearn.errors import OutputError
from outlearn.execute import Executor, Serial
from outlearn.files import together, whole, writing
from outlearn.learners.catalogue import CATALOGUE
from outlearn.learners.training.card import Curve, Figures, Said, model_card, provenance
from outlearn.learners.training.config import MetatrainConfig, TaskConfig, TrainingConfig
from outlearn.learners.training.families import rules_of
from outlearn.learners.training.judge import judge
from outlearn.learners.training.log import TrainingLog
from outlearn.learners.training.profiles import train_profiles
from outlearn.learners.training.runs import TrainingRun, run_of, training_of
from outlearn.learners.training.supply import Supply, plan
from outlearn.paths import CHECKPOINT, WRITTEN_FOLDER, Named, check_apart, named_paths
from outlearn.progress import Progress, silent

__all__ = ["Outcome", "metatrain", "work_folder"]

CARD = ".md"
_OWN_TRAINING = {"profile": train_profiles}  # family → its training, where it shares no stage with others


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run.

    figures : means on held-out tasks by the state of the learner: ``before training``, ``after training``,
        and for learners that take gradient steps the same with ``, unadapted``: without taking them.
    held_out : names of the sets that took no part in training.
    """

    checkpoint: Path
    card: Path
    figures: Figures
    held_out: tuple[str, ...] = ()


def metatrain(
    config: MetatrainConfig,
    out: Path,
    *,
    executor: Executor | None = None,
    folder: Path | None = None,
    use: str | None = None,
    command: str | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Meta-train a learner; write its checkpoint to `out` and a model card beside it.

    Parameters
    ----------
    executor : where tasks are profiled, in this process by default; the result does not depend on it.
    folder : where profiles and the training state are kept, so that an interrupted run goes on; see
        `work_folder`.
    use, command : what the card says that the checkpoint is for, and what it was made by, where that is
        neither `Detector` nor `outlearn metatrain`.

    Raises
    ------
    ParameterError
        When there are too few tasks to train on and hold some out, or the learner does not take its options.
    ReadError, InputError
        When sets of the corpus cannot be used, or the folder holds tasks that were made otherwise.
    OutputError
        When `out`, the folder or the log cannot be written; found out first.
    MissingExtraError
        When a log is asked for and TensorBoard is not installed.
    WeightsError
        When a loss or gradient is not finite; the last state is kept.
    """
    config = config.settled()
    _check_out(out)
    folder = work_folder(out) if folder is None else folder
    outputs = (Named("out", out, CHECKPOINT), Named("folder", folder, WRITTEN_FOLDER))
    check_apart([*named_paths(config), *outputs])
    with writing(folder, refusal="cannot keep the training state in"):
        folder.mkdir(parents=True, exist_ok=True)
    executor, tell = executor or Serial(), progress or silent
    command = command or _command(config, out)
    own = _OWN_TRAINING.get(CATALOGUE[config.learner].family)
    if own is not None:
        figures, apart = own(config, out, executor=executor, folder=folder, command=command, tell=tell)
        return Outcome(out, out.with_suffix(CARD), figures, apart)
    with TrainingLog(config.training.log, config.training.rate) as log:
        supply = plan(config, tell)
        run = run_of(supply)
        train, held_out = supply.profiles(folder, executor, tell)
        before = {name: judge(score, held_out) for name, score in run.scores().items()}
        state = folder / f"training-{config.learner}-{supply.digest}.safetensors"
        # The user's own sets are what matters; without any, synthetic tasks decide when to stop.
        watched = held_out.get("corpus") or held_out["synthetic"]
        curve: list[tuple[int, float]] = []
        how = training_of(supply, state, log, partial(tell, "training"), lambda *point: curve.append(point))
        run.train(train, watched, how)
    after = {name: judge(score, held_out) for name, score in run.scores().items()}
    figures = {
        when + (f", {how}" if how else ""): figure
        for when, states in (("before training", before), ("after training", after))
        for how, figure in states.items()
    }
    said = Said(
        use or f'`outlearn.Detector("{config.learner}", weights="{out.name}")`',
        command,
    )
    return _write(out, supply, run, figures, curve, len(train) + sum(map(len, held_out.values())), said)


def work_folder(out: Path) -> Path:
    """Return where a run keeps what it goes on from when nothing else is said: beside its output."""
    return out.with_suffix(".work")


def _check_out(out: Path) -> None:
    """Refuse a checkpoint or card that could not be written, before hours of work."""
    if out.suffix == CARD:
        raise OutputError(f"cannot write to {out}: {CARD} is for the model card; name a .safetensors file")
    for path in (out, out.with_suffix(CARD)):
        with writing(path, errors=(OSError, ValueError)):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(21, "it is a folder")
            if not os.access(path.parent, os.W_OK | os.X_OK):
                raise PermissionError(13, "no permission to write there")


def _write(
    out: Path, supply: Supply, run: TrainingRun, figures: Figures, curve: Curve, tasks: int, said: Said
) -> Outcome:
    config = supply.config
    notes: dict[str, object] = {
        "held-out AUROC before": figures["before training"][0].auroc,
        "held-out AUROC": figures["after training"][0].auroc,
        "episodes": tasks,
    }
    # Its command says all of a recipe of the learner's own on synthetic tasks.
    by_command = rules_of(config.learner).name and config.tasks.corpus is None and config == _plain(config)
    if not by_command:
        notes["held-out average precision"] = figures["after training"][0].average_precision
        if "after training, unadapted" in figures:
            notes["held-out AUROC unadapted"] = figures["after training, unadapted"][0].auroc
        notes["settings"] = config.to_toml()
    with together():
        run.save(out, corpus=provenance(supply), command=said.command, notes=notes)
        card = out.with_suffix(CARD)
        with whole(card) as draft:
            draft.write_text(model_card(out.name, supply, said, figures, curve), encoding="utf-8")
    apart = () if supply.sets is None else tuple(entry.name for entry in supply.sets.held_out)
    return Outcome(out, card, figures, apart)


def _plain(config: MetatrainConfig) -> MetatrainConfig:
    """Return what the options of the command alone can say of a configuration."""
    training = config.training
    return replace(
        MetatrainConfig(learner=config.learner, seed=config.seed),
        tasks=TaskConfig(synthetic=config.tasks.synthetic, corpus=config.tasks.corpus),
        training=TrainingConfig(steps=training.steps, epochs=training.epochs, log=training.log),
    ).settled()


def _command(config: MetatrainConfig, out: Path) -> str:
    if config != _plain(config):
        return f"outlearn metatrain --config settings.toml --out {out.name}"
    training, corpus = config.training, config.tasks.corpus
    words = ["outlearn metatrain"]
    words += [] if config.learner == MetatrainConfig.learner else [f"--learner {config.learner}"]
    words += [] if corpus is None else [f"--corpus {corpus.name}"]
    words += [f"--episodes {config.tasks.synthetic}"] if rules_of(config.learner).synthetic else []
    words.append(f"--epochs {training.epochs}" if training.epochs else f"--steps {training.steps}")
    return " ".join([*words, f"--seed {config.seed} --out {out.name}"])
