"""Versions: one is live at a time, and every change of that is on record."""

import pytest

from outlearn.errors import AbsentError, AccessError, ConflictError
from outlearn.serving.store import audit
from tests.serving.watched import ANA, OTTO, Watched, fitted


def added(watched, stage="live"):
    with watched.database.writing() as connection:
        return watched.models.add(connection, watched.job_id, fitted(), OTTO, stage=stage)


def stages(watched):
    return {version.number: version.stage for version in watched.models.list(watched.job_id)}


def test_a_new_version_takes_the_place_of_the_live_one(database):
    watched = Watched.of(database)
    second = added(watched)
    assert stages(watched) == {1: "retired", 2: "live"}
    assert second.parent_id == watched.models.get(watched.job_id, 1).id


def test_the_first_version_is_live_whatever_was_asked(database):
    watched = Watched.of(database)
    with database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM models")
        version = watched.models.add(connection, watched.job_id, fitted(), OTTO, stage="shadow")
    assert version.stage == "live"


def test_promote_shadow_and_roll_back(database):
    watched = Watched.of(database)
    added(watched, "shadow")
    added(watched, "shadow")
    assert stages(watched) == {1: "live", 2: "retired", 3: "shadow"}
    watched.models.promote(OTTO, watched.job_id, 3)
    assert stages(watched) == {1: "retired", 2: "retired", 3: "live"}
    assert watched.models.roll_back(OTTO, watched.job_id).number == 1
    with pytest.raises(ConflictError, match="before"):
        watched.models.roll_back(OTTO, watched.job_id)
    with pytest.raises(ConflictError, match="live"):
        watched.models.set_shadow(OTTO, watched.job_id, 1)
    watched.models.set_shadow(OTTO, watched.job_id, 2)
    watched.models.set_shadow(OTTO, watched.job_id, None)
    assert watched.models.shadow(watched.job_id) is None
    with database.reading() as connection:
        actions = [entry.action for entry in audit.entries(connection)][::-1]
        assert audit.verify(connection) == len(actions)
    assert actions[3:] == ["model.promote", "model.roll", "model.set", "model.unshadow"]


def test_changes_take_an_operator_and_a_version_that_is_there(database):
    watched = Watched.of(database)
    with pytest.raises(AccessError, match="ana is analyst and may not promote a model"):
        watched.models.promote(ANA, watched.job_id, 1)
    with pytest.raises(AbsentError, match="version 9"):
        watched.models.promote(OTTO, watched.job_id, 9)
    assert stages(watched) == {1: "live"}
