import pytest

from outlearn.serving.accounts import Accounts, passwords


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch):
    """Make a hash take a millisecond; what it is made with is not tested but in one test."""
    monkeypatch.setattr(passwords, "ROUNDS", 1)
    monkeypatch.setattr(passwords, "MEMORY", 64)


class Clock:
    """Moves the time of a store on."""

    def __init__(self):
        self.shift = 0.0

    def sleep(self, seconds):
        self.shift += seconds


@pytest.fixture
def clock(monkeypatch):
    from outlearn.serving.store.database import Database

    moved, now = Clock(), Database.now
    monkeypatch.setattr(Database, "now", lambda self, connection: now(self, connection) + moved.shift)
    return moved


@pytest.fixture
def accounts(database):
    return Accounts(database)
