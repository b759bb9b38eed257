from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import argon2
import pytest
from sqlalchemy import func, select, text, update

from outlearn.errors import AccessError, RateError, StoreError
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.accounts import attempts, passwords
from outlearn.serving.store.audit import entries
from outlearn.serving.store.tables import attempts as tried
from outlearn.serving.store.tables import users

GOOD, WRONG = "brown otter under a bridge", "green otter under a bridge"


@pytest.fixture
def ana(accounts, admin):
    return accounts.add_user(admin, "ana", UserRole.ANALYST, GOOD)


def test_a_session_is_known_until_it_is_ended_and_only_its_digest_is_kept(accounts, database, ana):
    session = accounts.log_in("Ana", GOOD, address="192.0.2.7")
    assert accounts.by_session(session.token) == (
        Actor("ana", UserRole.ANALYST, Via.PAGE, ana.id),
        session.csrf,
    )
    assert len({session.token, session.csrf, accounts.log_in("ana", GOOD).token}) == 3
    assert session.token not in repr(session)
    with database.reading() as connection:
        kept = connection.execute(text("SELECT digest FROM sessions")).scalars().all()
        assert [entry.action for entry in entries(connection, limit=2)] == ["session.begin"] * 2
    assert sha256(session.token.encode()).hexdigest() in kept
    accounts.log_out(session.token)
    accounts.log_out(session.token)
    assert accounts.by_session(session.token) is None
    with database.reading() as connection:
        assert [entry.action for entry in entries(connection, limit=2)] == ["session.end", "session.begin"]


def test_a_session_ends_by_age_and_when_nothing_is_asked_for(accounts, clock, ana):
    session, idle = accounts.log_in("ana", GOOD), accounts.log_in("ana", GOOD)
    for _ in range(24):
        clock.sleep(29 * 60)
        assert accounts.by_session(session.token) is not None
    assert accounts.by_session(idle.token) is None
    clock.sleep(25 * 60)  # 12 hours and a minute after it began
    assert accounts.by_session(session.token) is None


def test_a_disabled_user_is_out_at_once_and_a_changed_role_holds_at_once(accounts, admin, ana):
    session = accounts.log_in("ana", GOOD)
    accounts.set_role(admin, "ana", UserRole.VIEWER)
    assert accounts.by_session(session.token)[0].role is UserRole.VIEWER
    accounts.disable(admin, "ana")
    assert accounts.by_session(session.token) is None
    with pytest.raises(AccessError):
        accounts.log_in("ana", GOOD)
    accounts.enable(admin, "ana")
    assert accounts.by_session(session.token) is None


def test_all_refusals_say_the_same_and_take_one_hash_of_the_same_settings(accounts, admin, ana, monkeypatch):
    accounts.add_user(admin, "keyed", UserRole.ANALYST)
    accounts.add_user(admin, "gone", UserRole.ANALYST, GOOD)
    accounts.disable(admin, "gone")
    verify, seen = argon2.PasswordHasher.verify, []

    def counted(self, known, password):
        seen.append(argon2.extract_parameters(known))
        return verify(self, known, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    for name, password in (
        ("ana", WRONG),
        ("nobody-there", GOOD),
        ("keyed", GOOD),
        ("keyed", ""),
        ("gone", GOOD),
        ("ana", "x" * 10_000_000),
        ("", ""),
        ("\ud800\x00", "\ud800\x00"),
    ):
        before = len(seen)
        with pytest.raises(AccessError, match=r"^the name or the password is wrong$"):
            accounts.log_in(name, password)
        assert len(seen) == before + 1
    assert len({str(found) for found in seen}) == 1


def test_a_refusal_is_in_the_audit_without_what_was_typed_for_a_name(accounts, database, ana):
    for name in ("ana", "hunter2-typed-in-the-wrong-field"):
        with pytest.raises(AccessError):
            accounts.log_in(name, WRONG, address="192.0.2.7")
    with database.reading() as connection:
        found = entries(connection, limit=2)
        told = repr([found, connection.execute(text("SELECT * FROM attempts")).all()])
    assert [(entry.action, entry.object) for entry in found] == [
        ("session.refuse", "an unknown name"),
        ("session.refuse", "user ana"),
    ]
    assert "hunter2" not in told
    assert WRONG not in told


@pytest.mark.parametrize("name", ["ana", "nobody-there"])
def test_attempts_under_a_name_are_limited_whether_or_not_it_is_one(accounts, clock, ana, name):
    for _ in range(attempts.PER_NAME):
        with pytest.raises(AccessError):
            accounts.log_in(name, WRONG)
    with pytest.raises(RateError, match="wait 15 minutes") as caught:
        accounts.log_in(name.upper(), GOOD)
    assert 890 < caught.value.seconds <= 900
    clock.sleep(attempts.WINDOW + 1)
    with pytest.raises(AccessError):
        accounts.log_in(name, WRONG)
    clock.sleep(-48 * 3600)  # a clock that is set right shuts nobody out for days
    with pytest.raises(AccessError):
        accounts.log_in(name, WRONG)


def test_attempts_from_an_address_are_limited_over_all_names(accounts, monkeypatch, ana):
    monkeypatch.setattr(attempts, "PER_ADDRESS", 3)
    for number in range(3):
        with pytest.raises(AccessError):
            accounts.log_in(f"name-{number}", WRONG, address="192.0.2.7")
    with pytest.raises(RateError):
        accounts.log_in("ana", GOOD, address="192.0.2.7")
    assert accounts.log_in("ana", GOOD, address="192.0.2.8").actor.name == "ana"


def test_log_ins_that_succeed_use_nothing_up(accounts, database, ana):
    for _ in range(attempts.PER_NAME + 2):
        accounts.log_in("ana", GOOD, address="192.0.2.7")
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(tried)).scalar_one() == 0


def test_many_attempts_at_once_are_no_way_around_the_limit(accounts, ana):
    def attempt(number):
        try:
            accounts.log_in("ana", f"{WRONG} {number}")
        except (AccessError, RateError) as error:
            return type(error)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(attempt, range(30)))
    assert found.count(AccessError) == attempts.PER_NAME
    assert found.count(RateError) == 30 - attempts.PER_NAME


def test_a_hash_of_older_settings_is_renewed_by_a_log_in(accounts, database, monkeypatch, ana):
    def kept():
        with database.reading() as connection:
            return connection.execute(select(users.c.password)).scalar_one()

    old = kept()
    monkeypatch.setattr(passwords, "ROUNDS", 2)
    accounts.log_in("ana", GOOD)
    assert argon2.extract_parameters(old).time_cost == 1
    assert argon2.extract_parameters(kept()).time_cost == 2
    accounts.log_in("ana", GOOD)


def test_a_damaged_hash_is_told(accounts, database, ana):
    with database.writing() as connection:
        connection.execute(update(users).values(password="$argon2id$broken"))
    with pytest.raises(StoreError, match="damaged"):
        accounts.log_in("ana", GOOD)


def test_a_password_is_the_same_in_each_form_of_unicode(accounts, admin):
    accounts.add_user(admin, "zoe", UserRole.VIEWER, "gr\u00fcne Br\u00fccke im Hafen")
    assert accounts.log_in("zoe", "gru\u0308ne Bru\u0308cke im Hafen").actor.name == "zoe"
