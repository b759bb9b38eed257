from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, insert, select, update

from outlearn.errors import StoreError
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.store.audit import entries, head, note, record, verify
from outlearn.serving.store.tables import audit, events

ANA = Actor("ana", UserRole.ANALYST, Via.PAGE, 1)


@pytest.fixture
def five(database):
    """A store with five entries."""
    for number in range(1, 6):
        with database.writing() as connection:
            record(
                database, connection, ANA, "job.change", f"job {number}", {"number": number, "é": [None, 0.1]}
            )
    return database


def check(database, **options):
    with database.reading() as connection:
        return verify(connection, **options)


def test_entries_say_who_did_what_and_are_read_latest_first(five):
    with five.reading() as connection:
        latest = entries(connection, limit=2)
        earlier = entries(connection, before=latest[-1].seq)
        assert head(connection) == (5, latest[0].digest)
    assert [entry.seq for entry in latest + earlier] == [5, 4, 3, 2, 1]
    first = earlier[-1]
    assert (first.who, first.via, first.action, first.object) == ("ana", "page", "job.change", "job 1")
    assert first.detail == {"number": 1, "é": [None, 0.1]}
    assert check(five) == 5


def test_an_empty_audit_is_whole(database):
    assert check(database) == 0
    with database.reading() as connection:
        assert head(connection) == (0, "0" * 64)


@pytest.mark.parametrize(
    "column", [column.name for column in audit.c if column.name not in ("seq", "when", "digest")]
)
def test_a_changed_entry_is_found(five, column):
    with five.writing() as connection:
        connection.execute(update(audit).where(audit.c.seq == 3).values({column: "other"}))
    with pytest.raises(StoreError, match="entry 3 of the audit was changed"):
        check(five)


def test_a_changed_moment_is_found_and_so_is_one_whose_digest_was_made_anew(five):
    with five.writing() as connection:
        connection.execute(update(audit).where(audit.c.seq == 2).values(when=audit.c.when + 1e-3))
    with pytest.raises(StoreError, match="entry 2 of the audit was changed"):
        check(five)
    with five.writing() as connection:
        connection.execute(update(audit).where(audit.c.seq == 2).values(digest="f" * 64))
        connection.execute(update(audit).where(audit.c.seq == 3).values(before="f" * 64))
    with pytest.raises(StoreError, match="entry 2 of the audit was changed"):
        check(five)


def test_entries_that_changed_places_are_found(five):
    with five.writing() as connection:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            connection.execute(update(audit).where(audit.c.seq == old).values(seq=new))
    with pytest.raises(StoreError, match="entry 2 of the audit was changed"):
        check(five)


def test_a_removed_entry_is_found_and_so_is_one_whose_number_was_closed_up(five):
    with five.writing() as connection:
        connection.execute(delete(audit).where(audit.c.seq == 2))
    with pytest.raises(StoreError, match="lacks entry 2: it goes on with 3"):
        check(five)
    with five.writing() as connection:
        for seq in (3, 4, 5):
            connection.execute(update(audit).where(audit.c.seq == seq).values(seq=seq - 1))
    with pytest.raises(StoreError, match="entry 2 of the audit was changed"):
        check(five)


def test_an_entry_that_was_put_in_is_found(five):
    with five.writing() as connection:
        last = connection.execute(select(audit).where(audit.c.seq == 5)).mappings().one()
        connection.execute(insert(audit).values({**last, "seq": 6, "digest": "e" * 64}))
    with pytest.raises(StoreError, match="entry 6"):
        check(five)


def test_entries_cut_off_the_end_are_found_by_what_was_written_down(five):
    with five.reading() as connection:
        known = head(connection)
    with five.writing() as connection:
        connection.execute(delete(audit).where(audit.c.seq > 3))
    assert check(five) == 3
    with pytest.raises(StoreError, match="ends with entry 3; entry 5 was written down: some are cut off"):
        check(five, known=known)
    for number in range(4):  # grown again by others
        with five.writing() as connection:
            record(five, connection, ANA, "job.change", f"job other {number}")
    with pytest.raises(StoreError, match="entry 5 of the audit is not the one that was written down"):
        check(five, known=known)


def test_many_writers_at_once_leave_one_chain_without_a_gap(database):
    def add(number):
        with database.writing() as connection:
            record(database, connection, ANA, "job.change", f"job {number}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(60)))
    assert check(database) == 60


def test_a_change_that_failed_has_no_entry(five):
    with pytest.raises(ZeroDivisionError), five.writing() as connection:
        record(five, connection, ANA, "job.change", "job 6")
        raise ZeroDivisionError
    assert check(five) == 5


@pytest.mark.parametrize("step", [1, 2, 5, 6])
def test_an_audit_of_many_steps_is_checked_to_its_end(five, monkeypatch, step):
    monkeypatch.setattr("outlearn.serving.store.audit.STEP", step)
    assert check(five) == 5
    with five.writing() as connection:
        connection.execute(update(audit).where(audit.c.seq == 5).values(who="ben"))
    with pytest.raises(StoreError, match="entry 5"):
        check(five)


def test_an_entry_before_the_first_is_found(five):
    with five.writing() as connection:
        first = connection.execute(select(audit).where(audit.c.seq == 1)).mappings().one()
        connection.execute(insert(audit).values({**first, "seq": -4, "digest": "e" * 64}))
    with pytest.raises(StoreError, match="lacks entry 1"):
        check(five)


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "x" * 1000, "a\n7 ben"])
def test_text_that_a_database_would_refuse_is_kept_in_a_form_that_it_takes(database, text):
    actor = Actor(text, UserRole.ADMIN, Via.CLI)
    with database.writing() as connection:
        record(database, connection, actor, "job.change", f"job {text}", {"text": text})
        note(database, connection, "job", text=text)
    assert check(database) == 1
    with database.reading() as connection:
        (entry,) = entries(connection)
        assert "\n" not in entry.who + entry.object
        assert connection.execute(select(events.c.kind)).scalar_one() == "job"
    assert entry.detail == {"text": text}
