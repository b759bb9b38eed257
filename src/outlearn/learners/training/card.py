"""The model card of a checkpoint: what it is, what it learnt from, how, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outlearn.learners.catalogue import CATALOGUE
from outlearn.learners.training.judge import Figure
from outlearn.learners.training.sets import Sets, counted, missed
from outlearn.learners.training.supply import Supply

__all__ = ["Curve", "Figures", "Said", "figures_of", "model_card", "provenance"]

Figures = Mapping[str, tuple[Figure, ...]]  # state of the learner → figures
Curve = Sequence[tuple[int, float]]  # step → mean training loss up to it, from the last one on
POINTS = 12  # of a curve that the card shows
MOST_NAMED = 60  # sets that are named one by one
SYNTHETIC = "synthetic episodes of outlearn.tasks.sampler.SyntheticSampler (generated, no licence needed)"


@dataclass(frozen=True, slots=True)
class Said:
    """How the card describes what the checkpoint is for, and the command it was made by."""

    use: str
    command: str


def provenance(supply: Supply) -> str:
    """Return what a run learnt from, with the licence of each set."""
    if supply.sets is None:
        return f"{SYNTHETIC}; no real data"
    parts = [SYNTHETIC] if supply.config.tasks.synthetic else []
    if len(supply.sets.train) > MOST_NAMED:
        return "; ".join([*parts, counted(supply.sets.train)])
    named = [f"{entry.name} ({entry.licence or 'licence not stated'})" for entry in supply.sets.train]
    return "; ".join([*parts, f"{len(named)} labelled sets: {', '.join(named)}"])


def model_card(name: str, supply: Supply, said: Said, figures: Figures, curve: Curve) -> str:
    """Return the card of the checkpoint `name`, in Markdown."""
    config, kind = supply.config, CATALOGUE[supply.config.learner]
    reads = "profiles of rows" if supply.width is None else f"the columns of tables that have {supply.width}"
    besides = "" if supply.sets is None else ", and the folder of the sets as `tasks.corpus`"
    limits = [
        "Its scores are a ranking on tables unlike those it learnt from, however high the figures above.",
        "The figures are means over tasks: single tables lie far from them.",
    ]
    if config.training.patience:
        limits.append("Training was stopped by held-out tasks, so figures on those are a little too good.")
    if supply.width is not None:
        limits.append(f"It takes tables of {supply.width} columns that mean what those of its sets meant.")
    parts = [
        f"# Model card: `{name}`",
        f"**What it is.** The learner `{config.learner}` ({kind.family}): {kind.idea}. It reads {reads}. "
        f"For {said.use}.",
        f"**What it learnt from.** {_learnt_from(supply)}",
        f"**How.** `{said.command}`, with these settings{besides}:",
        f"```toml\n{config.to_toml()}```",
        "**How it went.** Mean training loss of the steps up to each:",
        _curve(curve),
        "**How good.** Mean AUROC / average precision on held-out tasks:",
        figures_of(figures),
        "**Limits.**",
        "\n".join(f"* {limit}" for limit in limits),
    ]
    return "\n\n".join(parts) + "\n"


def _learnt_from(supply: Supply) -> str:
    tasks = supply.config.tasks
    sentences = []
    if tasks.synthetic:
        held = supply.synthetic_held_out
        sentences.append(
            f"{tasks.synthetic - held:,} synthetic tasks, generated, so that no licence is needed; {held:,} "
            "more were held out."
        )
    if supply.sets is None:
        sentences.append("No real table took part.")
    else:
        sentences.append(_of_sets(supply.sets, tasks.per_set))
    return " ".join(sentences)


def _of_sets(sets: Sets, per_set: int) -> str:
    held_out = ", ".join(entry.name for entry in sets.held_out)
    apart = f"Held out, with all sets of their families: {held_out}.{missed(sets.left_out)}"
    if len(sets.train) > MOST_NAMED:
        return f"{per_set} tasks from each of {counted(sets.train)}. {apart}"
    lines = [f"{per_set} tasks from each of {len(sets.train)} labelled sets:", ""]
    for licence in sorted({entry.licence for entry in sets.train}):
        names = ", ".join(entry.name for entry in sets.train if entry.licence == licence)
        lines.append(f"* {licence or 'licence not stated'}: {names}")
    return "\n".join([*lines, "", apart])


def _curve(curve: Curve) -> str:
    every = -(-len(curve) // POINTS)
    kept = curve[::-1][::every][::-1]  # the last is kept in any case
    rows = [[f"{step:,}" for step, _ in kept], [f"{loss:.3f}" for _, loss in kept]]
    lines = [f"| {name} | {' | '.join(cells)} |" for name, cells in zip(("step", "loss"), rows, strict=True)]
    return "\n".join([lines[0], "|---" * (len(kept) + 1) + "|", lines[1]])


def figures_of(figures: Figures) -> str:
    """Return figures as a table in Markdown, a line a group of tasks and a column a state of the learner."""
    groups = [(figure.group, figure.tasks) for figure in next(iter(figures.values()))]
    lines = [f"| tasks | number | {' | '.join(figures)} |", f"|---|---|{'---|' * len(figures)}"]
    for place, (group, tasks) in enumerate(groups):
        row = [column[place] for column in figures.values()]
        cells = " | ".join(f"{figure.auroc:.3f} / {figure.average_precision:.3f}" for figure in row)
        lines.append(f"| {group} | {tasks:,} | {cells} |")
    return "\n".join(lines)
