"""A made-up performance table."""

from functools import cache

import numpy as np
import pytest

from outlearn.tuning.metafeatures import META_FEATURES
from outlearn.tuning.space import configurations
from outlearn.tuning.strategies.catalogue import STRATEGIES
from outlearn.tuning.table import PerformanceTable
from outlearn.tuning.trials.observe import MEASURES

TASKS, CONFIGS = 30, [*configurations("lof", 6), *configurations("kmeans", 6)]
C = len(CONFIGS)
LOOK = MEASURES.index("agree.incontext")


def _made_up(seed: int = 0) -> PerformanceTable:
    """A table in which configuration 3 is best where the first meta-features are high, 8 where they are low,
    and a measure tells the truth."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(TASKS, len(META_FEATURES)))
    features[:, :10] += 2 * rng.choice([-1, 1], size=(TASKS, 1))
    precision = 0.3 + 0.02 * rng.normal(size=(TASKS, C))
    high = features[:, :10].mean(axis=1) > 0
    precision[high, 3] += 0.4
    precision[~high, 8] += 0.4
    measures = rng.normal(size=(TASKS, C, len(MEASURES))) * 0.1
    measures[:, :, LOOK] = precision
    truths = [(np.arange(40) < 12).astype(np.int8) for _ in range(TASKS)]
    ranks = [
        np.stack([rng.random(40) + 3 * p * truth for p in line])
        for line, truth in zip(precision, truths, strict=True)
    ]
    nothing = np.zeros((TASKS, C))
    return PerformanceTable(
        configs=CONFIGS,
        tasks=[f"task{t}" for t in range(TASKS)],
        families=[f"family{t // 2}" for t in range(TASKS)],
        prints=[rng.normal(size=(5, 3)) for _ in range(TASKS)],
        features=features,
        auroc=precision,
        precision=precision,
        seconds=nothing,
        failed=nothing > 0,
        measures=measures,
        seen=np.full((TASKS, C), np.nan),
        ranks=ranks,
        truths=truths,
    )


@pytest.fixture(scope="session")
def made_up():
    """Makes such a table from a seed."""
    return _made_up


@pytest.fixture(scope="session")
def table():
    return _made_up()


@pytest.fixture(scope="session")
def teach(make_quick):
    """Has the strategy of a name learn from a table, made small."""

    def learn(name, lesson):
        with pytest.MonkeyPatch.context() as patch:
            make_quick(patch)
            return STRATEGIES[name].learn(lesson, 0)

    return learn


@pytest.fixture(scope="session")
def taught(table, teach):
    """Returns the strategy of a name that learnt from the made-up table; each learns once."""
    return cache(lambda name: teach(name, table))
