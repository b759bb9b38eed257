"""outlearn user, key, audit and store: the accounts and the whole of a store, by whoever holds it."""

import json
import sqlite3

import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app
from outlearn.serving.access import UserRole
from outlearn.serving.accounts import Accounts, passwords
from outlearn.serving.store.database import Database


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUTLEARN_STORE", f"sqlite:///{tmp_path}/a.db")
    monkeypatch.setattr(passwords, "ROUNDS", 1)
    monkeypatch.setattr(passwords, "MEMORY", 64)


def run(*words, code=0):
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def accounts(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/a.db")
    yield Accounts(database)
    database.close()


def test_a_person_is_added_invited_changed_and_shut_out(accounts):
    assert "There are no users" in run("user", "list")
    added = run("user", "add", "Ana", "admin", "--hours", "2").splitlines()
    assert added[0] == "ana is added as admin."
    assert accounts.accept(added[2], "brown otter under a bridge").name == "ana"
    second = run("user", "add", "ben", "ANALYST").splitlines()[2]
    third = run("user", "invite", "ben").splitlines()[1]
    assert second != third
    run("user", "role", "ben", "viewer")
    run("user", "disable", "ben")
    assert run("user", "list").splitlines() == ["ana  admin", "ben  viewer    disabled"]
    run("user", "enable", "ben")
    (ana, ben) = json.loads(run("user", "list", "--json"))
    assert (ana["role"], ben["role"], ben["disabled"], ben["has_password"]) == (
        "admin",
        "viewer",
        False,
        False,
    )
    assert "ana is the last admin" in run("user", "disable", "ana", code=2)
    assert "wanted one of viewer" in run("user", "role", "ben", "king", code=2)
    assert "no user 'bob'" in run("user", "disable", "bob", code=2)


def test_a_key_is_printed_once_listed_and_revoked(accounts):
    run("user", "add", "ana", "operator")
    secret = run("key", "add", "ana", "nightly", "--role", "analyst", "--days", "7").strip()
    assert accounts.by_key(secret).role is UserRole.ANALYST
    listed = run("key", "list", "--user", "ana")
    assert listed.startswith("1  ana  analyst  nightly: last used ")
    assert secret not in listed + run("audit", "list", "--json") + run("key", "list", "--json")
    assert run("key", "revoke", "1") == "Key 1 is revoked.\n"
    assert accounts.by_key(secret) is None
    assert "nightly: revoked" in run("key", "list")
    assert "was revoked before" in run("key", "revoke", "1", code=2)


def test_the_audit_is_listed_and_verified_and_a_change_is_found(tmp_path):
    run("user", "add", "ana", "operator")
    run("user", "add", "ben", "viewer")
    lines = run("audit", "list", "--limit", "3").splitlines()
    assert [line.split("  ")[0] for line in lines] == ["4", "3", "2"]
    assert "(command line) (cli)  user.invite  user ben" in lines[0]
    head = run("audit", "verify").splitlines()
    assert head[0] == "The audit is whole: 4 entries. The last is"
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("DELETE FROM audit WHERE seq = 4")
    assert "3 entries" in run("audit", "verify")
    assert "some are cut off" in run("audit", "verify", "--known", head[1], code=1)
    assert "wanted NUMBER:DIGEST" in run("audit", "verify", "--known", "x", code=2)
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("UPDATE audit SET who = 'x' WHERE seq = 2")
    connection.close()
    assert "entry 2 of the audit was changed" in run("audit", "verify", code=1)


def test_a_store_is_backed_up_and_restored_elsewhere(tmp_path):
    assert "holds no store yet" in run("store", "backup", "a.zip", code=1)
    assert not (tmp_path / "a.zip").exists()
    assert run("store", "upgrade").endswith("has the tables of this version.\n")
    run("user", "add", "ana", "operator")
    assert "3 rows of sqlite:" in run("store", "backup", "a.zip")
    other = ["--store", f"sqlite:///{tmp_path}/b.db"]
    assert "3 rows of a.zip" in run("store", "restore", "a.zip", *other)
    assert run("user", "list", *other) == "ana  operator  no password yet\n"
    assert "is not empty" in run("store", "restore", "a.zip", *other, code=2)
    assert "store.restore" in run("audit", "list", *other)
    assert "is the store itself" in run("store", "backup", "a.db", code=2)
