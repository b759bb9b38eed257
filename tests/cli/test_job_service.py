"""outlearn job and outlearn serve: jobs in a store, and the whole service as processes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from outlearn.cli.app import app
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.service import Service
from outlearn.serving.settings import Settings
from tests.serving.watched import payments

JOB = """
name = "payments"
[source]
files = "*.csv"
root = "landing"
[past]
reference = "good/*.csv"
root = "landing"
[table]
ignore = ["card"]
[detector]
name = "profiles"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / "good").mkdir(parents=True)
    (tmp_path / "outlearn.toml").write_text('[roots]\nlanding = "in"\n')
    (tmp_path / "job.toml").write_text(JOB)
    payments(300, 0).write_csv("in/good/old.csv")
    payments(100, 1, odd=2).write_csv("in/today.csv")
    monkeypatch.setenv("OUTLEARN_CONFIG", "outlearn.toml")
    return tmp_path


def run(*words, code=0):
    result = CliRunner().invoke(app, ["job", *words])
    assert result.exit_code == code, result.output
    return result.output


def test_a_job_is_added_worked_on_and_shown(folder):
    assert "There are no jobs" in run("list")
    assert "Job payments is added" in run("add", "job.toml")
    told = run("work", "payments")
    assert re.search(r"\(fit\) of .*: done", told)
    assert re.search(r"\(score\) of .*: done: 100 rows, \d+ flagged", told)
    assert run("work", "payments") == "There is nothing to do.\n"
    run("run", "payments")
    assert ": done: 0 rows, 0 flagged" in run("work", "payments")
    told = run("show", "payments")
    assert "is active (revision 1)" in told
    assert "Its model is version 1" in told
    shown = json.loads(run("show", "payments", "--json"))
    assert (shown["model"], len(shown["runs"]), shown["definition"]["name"]) == (1, 3, "payments")
    assert [job["name"] for job in json.loads(run("list", "--json"))] == ["payments"]


def test_a_job_is_paused_resumed_and_removed(folder):
    (folder / "job.json").write_text(json.dumps({"name": "flows", "source": {"push": True}}))
    run("add", "job.json")
    run("pause", "flows")
    assert "flows  paused  push\n" in run("list")
    assert "is paused; resume it first" in run("run", "flows", code=2)
    run("resume", "flows")
    assert "next look" in run("list")
    run("remove", "flows")
    assert "there is no job 'flows'" in run("show", "flows", code=2)


def test_what_went_wrong_is_told_with_its_exit_code(folder):
    (folder / "job.toml").write_text(JOB.replace("good/*.csv", "none/*.csv"))
    run("add", "job.toml")
    told = run("work", "payments", code=2)
    assert re.search(r"\(fit\) of .*: failed \(", told)
    assert "error: 1 of 2 runs failed" in told
    assert "there is a job payments already" in run("add", "job.toml", code=2)
    assert "--from is 'soon'; wanted a time such as" in run("backfill", "payments", "--from", "soon", code=2)
    assert "is not a JSON file" in run("add", str((folder / "a.json").write_text("{") and "a.json"), code=2)


@contextmanager
def _serving(folder, *words):
    """Run the server, and give it with its address and its first lines."""
    command = [sys.executable, "-m", "outlearn", "serve", "--port", "0", *words]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=log) as process,
    ):
        try:
            lines = [process.stdout.readline() for _ in range(3)]
            yield process, re.search(r"http://\S+:\d+", lines[0])[0], lines
        finally:
            if process.poll() is None:
                process.kill()


def _get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.status, answer.read()


def test_the_service_serves_works_and_ends_with_its_workers(folder):
    with _serving(folder, "--workers", "1") as (process, url, lines):
        token = lines[2].strip().partition("/welcome?token=")[2]
        assert len(token) >= 40
        end = time.monotonic() + 60
        while True:
            try:
                if _get(f"{url}/healthz")[0] == 200:
                    break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end, (folder / "log").read_text()
                time.sleep(0.05)
        (folder / "job.json").write_text(json.dumps({"name": "flows", "source": {"push": True}}))
        run("add", "job.json")
        store = Service.open(Settings(store=f"sqlite:///{folder}/outlearn.db"))
        while not [one for one in store.runs.list("flows") if one.state == "done"]:
            assert time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.1)
        assert store.accounts.accept(token, "correct horse battery staple").role is UserRole.ADMIN
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stdout.read() == "The service has ended.\n"
        store.close()
    log = (folder / "log").read_text()
    assert token not in log
    assert "Traceback" not in log
    assert _workers_of(process.pid) == []


def _workers_of(pid):
    """Return processes whose parent is, or was, the server."""
    told = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in told.splitlines() if line.split()[1] == str(pid)]


def test_an_address_that_is_taken_and_one_that_is_open_are_told_of(folder, monkeypatch):
    import socket

    from outlearn.cli import serve

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(app, ["serve", "--port", port])
    assert result.exit_code == 2
    assert f"cannot listen at 127.0.0.1, port {port}: Address already in use" in result.output
    monkeypatch.setattr(serve, "_run", lambda *_: None)
    result = CliRunner().invoke(app, ["serve", "--port", "0", "--host", "0.0.0.0"])
    assert result.exit_code == 0
    assert "without TLS: passwords, keys and rows cross the network in clear" in result.output
    store = Service.open(Settings(store=f"sqlite:///{folder}/outlearn.db"))
    token = store.accounts.invite(Actor("root", UserRole.ADMIN, Via.CLI), "admin")
    store.accounts.accept(token, "correct horse battery staple")
    store.close()
    assert "welcome" not in CliRunner().invoke(app, ["serve", "--port", "0"]).output


def test_without_what_the_service_stands_on_it_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = CliRunner().invoke(app, ["serve"])
    assert result.exit_code == 2
    assert "uvicorn is not installed; it comes with: pip install 'outlearn[serve]'" in result.output
