"""What tests of several folders share: training and forests small enough for a test."""

import gc
import os
from collections.abc import Callable, Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from outlearn.learners.profiles import isolation, trees
from tests import postgres

# Compiling the matrix profile takes a minute, and its threads then slow down what comes after it; on the few
# points of a test plain Python is done in a second.
os.environ.setdefault("NUMBA_DISABLE_JIT", "1")

# A busy machine is slow now and then, which says nothing of what is tested.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the garbage collector pass over what all tests share, a million objects of modules and items.

    Searching them again and again took a quarter of the time of the tests, and two fifths of that of their
    collection. What a test makes itself is collected as ever.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


FORESTS = ((isolation, "TREES"), (trees, "FIRST"), (trees, "TREES"))
SHIPPED = tuple(getattr(module, name) for module, name in FORESTS)


@pytest.fixture(autouse=True, scope="module")
def _small_forests() -> Iterator[None]:
    """Make the forests in profiles of rows a tenth as large: most of the time of a fit goes into them.

    For the tests of a module, fixtures that they share included; examples in docstrings see what ships.
    """
    with pytest.MonkeyPatch.context() as patch:
        for (module, name), trees_shipped in zip(FORESTS, SHIPPED, strict=True):
            patch.setattr(module, name, trees_shipped // 10)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Postgres]:
    """A server that all tests of a process share, each with a database of its own."""
    if reason := postgres.missing():
        pytest.skip(reason)
    with postgres.running() as server:
        yield server


@pytest.fixture
def shipped_forests(monkeypatch) -> None:
    """Leave the forests as they ship, for what rests on them or runs in other processes too."""
    for (module, name), trees_shipped in zip(FORESTS, SHIPPED, strict=True):
        monkeypatch.setattr(module, name, trees_shipped)


@pytest.fixture(scope="session")
def make_quick() -> Callable[[pytest.MonkeyPatch], None]:
    """Make what strategies of tuning learn small, by a patch of any scope."""

    def make(patch: pytest.MonkeyPatch) -> None:
        from outlearn.tuning.strategies import adversary
        from outlearn.tuning.strategies.policy import SearchPolicy
        from outlearn.tuning.strategies.surrogate import Surrogate

        surrogate, policy = Surrogate.learn, SearchPolicy.learn
        patch.setattr(adversary, "STEPS", 40)
        patch.setattr(Surrogate, "learn", lambda t, s=0: surrogate(t, s, steps=20, width=16))
        patch.setattr(SearchPolicy, "learn", lambda t, s=0: policy(t, s, rounds=2))

    return make


@pytest.fixture
def quick(monkeypatch, make_quick) -> None:
    """Make what strategies of tuning learn small."""
    make_quick(monkeypatch)


@pytest.fixture
def few_trees(monkeypatch):
    """Make the forests small, which most of the time of a small profile goes into."""
    monkeypatch.setattr(isolation, "TREES", 5)
    monkeypatch.setattr(trees, "FIRST", 4)
    monkeypatch.setattr(trees, "TREES", 6)
