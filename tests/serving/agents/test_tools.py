"""Agents, by the client of the protocol's own SDK: what they may do, under whose role, and what they see."""

import json
from dataclasses import dataclass
from types import SimpleNamespace

import anyio
import pytest
from mcp.client import Client

from outlearn.errors import AccessError
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.accounts import Accounts
from outlearn.serving.agents import agent_server
from outlearn.serving.agents.tools import TOOLS
from outlearn.serving.jobs import Jobs
from outlearn.serving.settings import Settings
from outlearn.serving.store import audit
from tests.serving.watched import Watched, payments

ADMIN = Actor("ada", UserRole.ADMIN, Via.CLI)


@dataclass
class Agent:
    """Calls tools of a service with a key."""

    service: SimpleNamespace
    name: str = "ana"

    def call(self, tool, /, **arguments):
        """Return what a tool gives; what it refuses is raised as an AssertionError with the words."""

        async def ask():
            async with Client(agent_server(self.service, self.service.secrets[self.name])) as client:
                return await client.call_tool(tool, arguments)

        result = anyio.run(ask)
        text = "".join(block.text for block in result.content)
        assert not result.is_error, text
        return result.structured_content.get("result", result.structured_content)

    def refused(self, tool, /, **arguments):
        with pytest.raises(AssertionError) as error:
            self.call(tool, **arguments)
        return str(error.value)


@pytest.fixture
def service(database, tmp_path):
    landing, cases = tmp_path / "landing", tmp_path / "cases"
    for folder in (landing, cases):
        folder.mkdir()
    watched = Watched.of(database)
    with database.writing() as connection:
        document = json.dumps({"name": "payments", "source": {"push": True}})
        connection.exec_driver_sql(f"UPDATE jobs SET document = '{document}'")
    watched.score(payments(300, 1, odd=8))
    settings, accounts = Settings(roots={"landing": landing, "cases": cases}), Accounts(database)
    secrets = {}
    for name, role in (("ana", UserRole.ANALYST), ("vera", UserRole.VIEWER)):
        accounts.add_user(ADMIN, name, role)
        secrets[name] = accounts.new_key(ADMIN, name, "agent")
    return SimpleNamespace(
        database=database,
        settings=settings,
        accounts=accounts,
        secrets=secrets,
        jobs=Jobs(database, settings, watched.runs),
        models=watched.models,
        triage=watched.triage,
        watched=watched,
    )


def test_an_agent_lists_shows_decides_and_takes_back(service):
    agent = Agent(service)
    assert agent.call("list_jobs")[0]["name"] == "payments"
    listed = agent.call("list_incidents", job="payments", limit=3)
    assert listed["total"] == agent.call("list_jobs")[0]["open incidents"] >= 8
    first = listed["incidents"][0]
    shown = agent.call("show_incident", id=first["id"])
    assert shown["reasons"][0]["column"] == "amount"
    assert shown["rows"][0]["cells"]["amount"] > 100
    given = agent.call("give_verdict", incidents=[first["id"]], verdict="anomaly", note="stolen card")
    assert agent.call("show_incident", id=first["id"])["verdicts"] == {"ana": "anomaly"}
    assert agent.call("verdict_effect", run=given["runs"][0])["state"] == "queued"
    agent.call("undo_verdict", verdict=given["verdicts"][str(first["id"])])
    assert agent.call("show_incident", id=first["id"])["verdicts"] == {}
    with service.database.reading() as connection:
        assert {entry.via for entry in audit.entries(connection, limit=2)} == {"agent"}


def test_an_agent_hides_what_is_known_to_be_good(service):
    agent = Agent(service)
    seen = agent.call("preview_suppression", job="payments", conditions=["amount>=200"])
    pattern = agent.call("suppress", job="payments", conditions=["amount>=200"], why="rents", days=30)
    assert pattern["until"] > pattern["created"]
    hidden = agent.call("list_incidents", state="suppressed", limit=50)
    assert hidden["total"] == len(seen["incidents"])


def test_a_row_is_explained_by_the_live_model(service):
    agent = Agent(service)
    cells = {"amount": 3000.0, "items": 3, "country": "DE", "card": "c1"}
    odd, usual = (
        agent.call("explain_row", job="payments", cells={**cells, "amount": a}) for a in (3e3, 20.0)
    )
    assert odd["flagged"]
    assert "amount" in odd["why"]
    assert not usual["flagged"]


def test_files_are_looked_into_below_named_folders_alone(service, tmp_path):
    agent = Agent(service)
    payments(300, 4, odd=2).write_csv(tmp_path / "landing" / "today.csv")
    payments(2, 4, odd=2).write_csv(tmp_path / "cases" / "fraud.csv")
    found = agent.call("detect_in_file", root="landing", path="today.csv", top=3)
    assert {0, 1} <= {row["row"] for row in found["top"]}
    hunted = agent.call(
        "hunt_in_file", root="landing", path="today.csv", cases_root="cases", cases_path="fraud.csv", top=2
    )
    assert {row["row"] for row in hunted["top"]} == {0, 1}
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (tmp_path / "landing" / "link.csv").symlink_to(tmp_path / "secret.csv")
    assert "leads out of the root" in agent.refused("detect_in_file", root="landing", path="link.csv")
    assert "secret" not in agent.refused("detect_in_file", root="landing", path="../x.csv")
    assert "no root 'etc'" in agent.refused("detect_in_file", root="etc", path="passwd")
    assert "no file" in agent.refused("detect_in_file", root="landing", path="none.csv")


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("give_verdict", {"incidents": [1], "verdict": "normal"}),
        ("undo_verdict", {"verdict": "0" * 32}),
        ("suppress", {"job": "payments", "conditions": ["amount>=1"], "why": "x"}),
        ("detect_in_file", {"root": "landing", "path": "x.csv"}),
        ("hunt_in_file", {"root": "landing", "path": "x.csv", "cases_root": "cases", "cases_path": "y.csv"}),
        ("explain_row", {"job": "payments", "cells": {"amount": 1.0}}),
    ],
)
def test_a_viewer_may_only_look(service, tool, arguments):
    assert "vera is viewer and may not" in Agent(service, "vera").refused(tool, **arguments)
    assert Agent(service, "vera").call("list_incidents")["total"] > 0


def test_a_key_that_is_none_opens_nothing(service):
    with pytest.raises(AccessError, match="unknown, expired or revoked"):
        agent_server(service, "olk_other")


def test_tools_say_what_they_are_and_which_change_something(service):
    async def ask():
        async with Client(agent_server(service, service.secrets["vera"])) as client:
            return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in anyio.run(ask)}
    assert tools.keys() == TOOLS.keys()
    assert all(len(tool.description) > 30 for tool in tools.values())
    assert {name for name, tool in tools.items() if not tool.annotations.read_only_hint} == {
        "give_verdict",
        "undo_verdict",
        "suppress",
    }
