"""A store with a job, incidents and people, made once and copied for each test; visitors."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.accounts import Accounts
from outlearn.serving.service import Service
from outlearn.serving.settings import Settings
from outlearn.serving.store.database import Database
from tests.serving.page.app import app_of
from tests.serving.page.made import Made, payments
from tests.serving.page.visits import PASSWORD, Visit

PEOPLE = {"vic": "viewer", "ana": "analyst", "ben": "analyst", "olga": "operator", "ada": "admin"}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store to be copied: a job with two runs of payments, of which some are fraud and some refunds."""
    path = tmp_path_factory.mktemp("pages") / "store.db"
    database = Database.open(f"sqlite:///{path}")
    database.upgrade()
    accounts, admin = Accounts(database), Actor("root", UserRole.ADMIN, Via.CLI)
    for name, role in PEOPLE.items():
        accounts.add_user(admin, name, UserRole.parse(role), PASSWORD)
    made = Made(Service(database, Settings(store=f"sqlite:///{path}")))
    job = made.add_job(payments(300, 0))
    for seed in (1, 2):
        made.score(job, payments(200, seed, fraud=3, refunds=4))
    database.close()
    return path


@pytest.fixture
def made(template: Path, tmp_path: Path) -> Iterator[Made]:
    """A service on a store of its own."""
    path = tmp_path / "store.db"
    shutil.copyfile(template, path)
    database = Database.open(f"sqlite:///{path}")
    yield Made(Service(database, Settings(store=f"sqlite:///{path}")))
    database.close()


@pytest.fixture
def visit(made: Made) -> Iterator[Callable[[str], Visit]]:
    """Return a function that opens the pages as somebody, "" for nobody."""
    app, opened = app_of(made.service), []

    def open_as(name: str) -> Visit:
        client = TestClient(app, base_url="http://testserver", follow_redirects=False)
        opened.append(client)
        seen = Visit(client)
        if name:
            session = made.begin(name)
            client.cookies.set("outlearn_session", session.token)
        return seen

    yield open_as
    for client in opened:
        client.close()
