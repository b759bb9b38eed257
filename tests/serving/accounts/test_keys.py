from hashlib import sha256

import pytest
from sqlalchemy import text

from outlearn.errors import AbsentError, AccessError, ConflictError, ParameterError
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.store.audit import entries


@pytest.fixture
def ana(accounts, admin):
    return accounts.add_user(admin, "ana", UserRole.ANALYST)


def test_a_key_is_known_again_and_only_its_digest_is_kept(accounts, database, admin, ana):
    secret = accounts.new_key(admin, "ana", "nightly", days=30)
    assert secret.startswith("olk_")
    assert len(secret) == 47
    assert accounts.by_key(secret) == Actor("ana", UserRole.ANALYST, Via.API, ana.id)
    assert accounts.by_key(secret, Via.AGENT).via is Via.AGENT
    with database.reading() as connection:
        kept = connection.execute(text("SELECT digest FROM keys")).scalar_one()
        told = repr([entries(connection), connection.execute(text("SELECT * FROM keys")).all()])
    assert kept == sha256(secret.encode()).hexdigest()
    assert secret not in told
    assert secret[4:] not in told
    (key,) = accounts.keys("ana")
    assert (key.user, key.label, key.role, key.revoked) == ("ana", "nightly", UserRole.ANALYST, None)
    assert key.expires - key.created == 30 * 86400


@pytest.mark.parametrize("end", ["revoke", "expire", "disable"])
def test_a_key_ends(accounts, admin, clock, ana, end):
    secret = accounts.new_key(admin, "ana", "nightly", days=1)
    assert accounts.by_key(secret) is not None
    if end == "revoke":
        accounts.revoke_key(admin, accounts.keys()[0].id)
    elif end == "disable":
        accounts.disable(admin, "ana")
    else:
        clock.sleep(86399)
        assert accounts.by_key(secret) is not None
        clock.sleep(2)
    assert accounts.by_key(secret) is None


def test_what_is_no_key_is_none(accounts, admin, ana):
    secret = accounts.new_key(admin, "ana", "nightly")
    assert accounts.by_key("olk_" + "A" * 43) is None
    for other in ("", "olk_", secret[:-1], secret + "a", secret + "\n", secret[4:], "é" * 47, "\ud800" * 47):
        assert accounts.by_key(other) is None


def test_the_role_of_a_key_is_never_above_that_of_its_user(accounts, admin, ana):
    with pytest.raises(ParameterError, match="ana is analyst, and a key of theirs cannot be operator"):
        accounts.new_key(admin, "ana", "x", UserRole.OPERATOR)
    secret = accounts.new_key(admin, "ana", "x", UserRole.ANALYST)
    low = accounts.new_key(admin, "ana", "y", UserRole.VIEWER)
    accounts.set_role(admin, "ana", UserRole.ADMIN)
    assert [accounts.by_key(key).role for key in (secret, low)] == [UserRole.ANALYST, UserRole.VIEWER]
    accounts.add_user(admin, "ben", UserRole.ADMIN)
    accounts.set_role(admin, "ana", UserRole.VIEWER)
    assert accounts.by_key(secret).role is UserRole.VIEWER


def test_people_make_and_revoke_keys_of_their_own_on_the_page_alone(accounts, admin, ana):
    ben = accounts.add_user(admin, "ben", UserRole.ANALYST)
    page = Actor("ana", UserRole.ANALYST, Via.PAGE, ana.id)
    accounts.new_key(page, "ana", "mine")
    (key,) = accounts.keys()
    with pytest.raises(AccessError, match="on the page"):
        accounts.new_key(Actor("ana", UserRole.ANALYST, Via.API, ana.id), "ana", "more")
    with pytest.raises(AccessError, match="all else takes admin"):
        accounts.new_key(page, "ben", "theirs")
    with pytest.raises(AbsentError, match="no key 1 of yours"):
        accounts.revoke_key(Actor("ben", UserRole.ANALYST, Via.PAGE, ben.id), key.id)
    accounts.revoke_key(page, key.id)
    with pytest.raises(ConflictError, match="was revoked before"):
        accounts.revoke_key(page, key.id)
    with pytest.raises(AbsentError):
        accounts.revoke_key(admin, 99)
    assert len(accounts.keys()) == 1


@pytest.mark.parametrize(
    ("label", "days", "wanted"),
    [
        ("", None, "the label"),
        ("a\x1b[2J", None, "the label"),
        ("x", 0, "for 0 days"),
        ("x", 1e9, "at most 3650"),
    ],
)
def test_labels_and_ages_are_checked(accounts, admin, ana, label, days, wanted):
    with pytest.raises(ParameterError, match=wanted):
        accounts.new_key(admin, "ana", label, days=days)
    assert accounts.keys() == []


def test_no_key_for_somebody_who_is_disabled(accounts, admin, ana):
    accounts.disable(admin, "ana")
    with pytest.raises(ConflictError, match="ana is disabled"):
        accounts.new_key(admin, "ana", "x")


def test_when_a_key_was_used_is_noted_once_a_minute(accounts, admin, clock, ana):
    secret = accounts.new_key(admin, "ana", "x")
    assert accounts.keys()[0].used is None
    accounts.by_key(secret)
    first = accounts.keys()[0].used
    accounts.by_key(secret)
    assert accounts.keys()[0].used == first
    clock.sleep(61)
    accounts.by_key(secret)
    assert accounts.keys()[0].used > first + 60
