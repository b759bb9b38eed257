"""A search in words."""

from __future__ import annotations

import numpy as np

from outlearn.tuning.space import named
from outlearn.tuning.tuner import Tuned

__all__ = ["told"]

SHOWN = 5


def told(tuned: Tuned) -> str:
    """Return what was chosen, why, what the default would have given, and how the search went.

    Gains are in average precision, over the mean of all configurations.
    """
    names = named(tuned.configs)
    members = tuned.choice.members
    many = f"{len(members)} configurations, ranks averaged" if len(members) > 1 else "one configuration"
    lines = [f"{tuned.strategy}: {many}, in {tuned.seconds:.1f} s; {tuned.choice.why}"]
    lines += [f"   {names[i]}{_expected(tuned, i)}" for i in members[:SHOWN]]
    if len(members) > SHOWN:
        lines.append(f"   and {len(members) - SHOWN} more")
    if tuned.default not in members:
        lines.append(f"the default: {names[tuned.default]}{_expected(tuned, tuned.default)}")
    if tuned.trials:
        seen = [trial for trial in tuned.trials if trial.seen is not None]
        seconds = sum(trial.seconds for trial in tuned.trials)
        lines.append(f"tried {len(tuned.trials)}, of which {len(seen)} worked, in {seconds:.1f} s")
        marked = [
            (t.seen.precision, t.index) for t in seen if t.seen is not None and t.seen.precision is not None
        ]
        if marked:
            best, place = max(marked)
            lines.append(f"best on the labelled rows: {names[place]} (average precision {best:.2f})")
        lines += [f"   failed: {names[t.index]}: {t.fault}" for t in tuned.trials if t.seen is None][:SHOWN]
    return "\n".join(lines)


def _expected(tuned: Tuned, index: int) -> str:
    value = tuned.choice.expected[index]
    return "" if np.isnan(value) else f" (expected gain {value:+.3f})"
