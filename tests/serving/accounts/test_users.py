import pytest

from outlearn.errors import AbsentError, AccessError, ConflictError, ParameterError
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.store.audit import entries, verify

GOOD, OTHER = "brown otter under a bridge", "seven lamps near the harbour"


def actions(database):
    with database.reading() as connection:
        verify(connection)
        return [(entry.action, entry.object, entry.who) for entry in reversed(entries(connection))]


def test_people_are_added_listed_and_changed_by_an_admin_and_the_audit_says_so(accounts, database, admin):
    accounts.add_user(admin, "Zoe", UserRole.VIEWER)
    ana = accounts.add_user(admin, "ana@example.org", UserRole.ANALYST, GOOD)
    assert (ana.name, ana.role, ana.disabled, ana.has_password) == (
        "ana@example.org",
        UserRole.ANALYST,
        False,
        True,
    )
    accounts.set_role(admin, "zoe", UserRole.OPERATOR)
    accounts.disable(admin, "zoe")
    assert [(user.name, user.role, user.disabled) for user in accounts.users()] == [
        ("ana@example.org", UserRole.ANALYST, False),
        ("zoe", UserRole.OPERATOR, True),
    ]
    accounts.enable(admin, "zoe")
    assert not accounts.users()[1].disabled
    assert actions(database) == [
        (action, f"user {name}", admin.name)
        for action, name in (
            ("user.add", "zoe"),
            ("user.add", "ana@example.org"),
            ("user.role", "zoe"),
            ("user.disable", "zoe"),
            ("user.enable", "zoe"),
        )
    ]


def test_what_takes_an_admin_is_refused_to_others_and_changes_nothing(accounts, database, admin):
    accounts.add_user(admin, "ana", UserRole.ANALYST)
    before = accounts.users(), actions(database)
    operator = Actor("op", UserRole.OPERATOR, Via.API, 7)
    for change in (
        lambda: accounts.add_user(operator, "new", UserRole.VIEWER),
        lambda: accounts.set_role(operator, "ana", UserRole.ADMIN),
        lambda: accounts.disable(operator, "ana"),
        lambda: accounts.enable(operator, "ana"),
        lambda: accounts.invite(operator, "ana"),
        lambda: accounts.first_invitation(operator),
        lambda: accounts.set_password(operator, "ana", GOOD),
        lambda: accounts.new_key(operator, "ana", "mine"),
    ):
        with pytest.raises(AccessError, match=r"op is operator and may .*takes admin"):
            change()
    assert (accounts.users(), actions(database)) == before


@pytest.mark.parametrize("name", ["", "a b", "аna", "root (command line)", "a\nb", "-a", "x" * 101, "a\x00"])
def test_names_that_could_be_taken_for_others_are_refused(accounts, admin, name):
    with pytest.raises(ParameterError, match="wanted 1 to 100 of a-z"):
        accounts.add_user(admin, name, UserRole.VIEWER)
    assert accounts.users() == []


def test_a_name_is_taken_once_whatever_its_capitals_and_one_that_is_absent_is_told_with_close_ones(
    accounts, admin
):
    accounts.add_user(admin, "marta", UserRole.VIEWER)
    with pytest.raises(ConflictError, match="there is a user marta already"):
        accounts.add_user(admin, " MARTA", UserRole.VIEWER)
    with pytest.raises(AbsentError, match=r"no user 'mart'; did you mean marta\?"):
        accounts.disable(admin, "mart")


@pytest.mark.parametrize("change", ["disable", "set_role"])
def test_the_last_admin_stays(accounts, admin, change):
    def lower(name):
        return (
            accounts.disable(admin, name)
            if change == "disable"
            else accounts.set_role(admin, name, UserRole(1))
        )

    for name in ("ana", "ben"):
        accounts.add_user(admin, name, UserRole.ADMIN)
    lower("ben")
    with pytest.raises(ConflictError, match="ana is the last admin"):
        lower("ana")


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * 200,
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "123456789012",
        "Password12345!",
        "qwertyuiop123",
        "ana.smith2026",
        "Passwort-Admin-1",
    ],
)
def test_passwords_that_are_guessed_soon_are_refused_without_repeating_them(accounts, admin, password):
    with pytest.raises(ParameterError, match="the password") as caught:
        accounts.add_user(admin, "ana.smith", UserRole.VIEWER, password)
    assert password not in str(caught.value)


def test_an_invitation_sets_a_password_once(accounts, database, admin):
    accounts.add_user(admin, "ana", UserRole.ANALYST)
    token = accounts.invite(admin, "ana")
    with pytest.raises(ParameterError, match="characters"):
        accounts.accept(token, "short")
    actor = accounts.accept(token, GOOD)
    assert (actor.name, actor.role, actor.via) == ("ana", UserRole.ANALYST, Via.PAGE)
    assert accounts.log_in("ana", GOOD).actor == actor
    with pytest.raises(AccessError, match="was used, is too old or was never made"):
        accounts.accept(token, OTHER)
    assert ("user.accept", "user ana", "ana") in actions(database)


def test_an_invitation_ends_by_age_by_a_later_one_and_when_its_user_is_disabled(accounts, admin, clock):
    accounts.add_user(admin, "ana", UserRole.ANALYST)
    tokens = [accounts.invite(admin, "ana", hours=1)]
    clock.sleep(3601)
    tokens += [accounts.invite(admin, "ana"), accounts.invite(admin, "ana")]
    accounts.disable(admin, "ana")
    with pytest.raises(ConflictError, match="ana is disabled"):
        accounts.invite(admin, "ana")
    accounts.enable(admin, "ana")
    for token in tokens:
        with pytest.raises(AccessError):
            accounts.accept(token, GOOD)
    with pytest.raises(ParameterError, match="721 hours; wanted"):
        accounts.invite(admin, "ana", hours=721)


def test_the_first_start_invites_an_admin_until_one_has_a_password(accounts, admin):
    accounts.add_user(admin, "admin", UserRole.VIEWER)
    name, first = accounts.first_invitation(admin)
    again, second = accounts.first_invitation(admin)
    assert name == again == "admin-2"
    assert [user.role for user in accounts.users()] == [UserRole.VIEWER, UserRole.ADMIN]
    with pytest.raises(AccessError):
        accounts.accept(first, GOOD)
    accounts.accept(second, GOOD)
    assert accounts.first_invitation(admin) is None


def test_a_new_password_ends_the_sessions_from_before_but_the_one_that_goes_on(accounts, admin):
    accounts.add_user(admin, "ana", UserRole.ANALYST, GOOD)
    here, there = accounts.log_in("ana", GOOD), accounts.log_in("ana", GOOD)
    with pytest.raises(AccessError, match="is wrong"):
        accounts.set_password(here.actor, "ana", OTHER)
    accounts.set_password(here.actor, "ana", OTHER, current=GOOD, keep=here.token)
    assert accounts.by_session(here.token) is not None
    assert accounts.by_session(there.token) is None
    with pytest.raises(AccessError):
        accounts.log_in("ana", GOOD)
    accounts.set_password(admin, "ana", GOOD)
    assert accounts.by_session(here.token) is None
    assert accounts.log_in("ana", GOOD).actor.name == "ana"


def test_an_admin_gives_the_password_from_before_for_their_own_too(accounts, admin):
    accounts.add_user(admin, "ana", UserRole.ADMIN, GOOD)
    actor = accounts.log_in("ana", GOOD).actor
    with pytest.raises(AccessError, match="is wrong"):
        accounts.set_password(actor, "ana", OTHER)
