"""A TensorBoard log of a training run."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from outlearn.extras import require
from outlearn.files import writing
from outlearn.learners.training.loop import warm_cosine

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["TrainingLog"]


class TrainingLog(AbstractContextManager["TrainingLog"]):
    """Writes losses and rate to a folder; a run that goes on after an interruption repeats no step.

    folder : None for no log. rate : of the optimiser, at the top of its schedule.

    Raises
    ------
    MissingExtraError
        When there is a folder, and TensorBoard is not installed.
    OutputError
        When the folder cannot be made.
    """

    def __init__(self, folder: Path | None, rate: float) -> None:
        self.folder, self._rate = folder, rate
        self._writer: SummaryWriter | None = None
        if folder is not None:
            require("tensorboard", extra="tensorboard")
            with writing(folder):
                folder.mkdir(parents=True, exist_ok=True)

    def step(self, step: int, total: int, loss: float) -> None:
        """Note the training loss of step 1, 2, …"""
        if self.folder is None:
            return
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            # What an interrupted run wrote from here on is not shown: these steps come again.
            self._writer = SummaryWriter(str(self.folder), purge_step=step)
        self._writer.add_scalar("loss/training", loss, step)
        rate = self._rate * warm_cosine(step - 1, total)
        self._writer.add_scalar("rate", rate, step)

    def held_out(self, step: int, loss: float) -> None:
        """Note the held-out loss after a step."""
        if self._writer is not None:
            self._writer.add_scalar("loss/held-out", loss, step)

    def __exit__(self, *error: object) -> None:
        if self._writer is not None:
            self._writer.close()
