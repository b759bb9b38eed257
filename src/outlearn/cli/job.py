"""outlearn job: jobs of the service, from the command line of whoever holds its store."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outlearn.cli import options as o
from outlearn.cli.guard import guarded
from outlearn.cli.say import complain, say, say_lines
from outlearn.cli.store import Config, Store, acting, opened
from outlearn.errors import ParameterError
from outlearn.paths import READ
from outlearn.shown import unbroken

if TYPE_CHECKING:
    from outlearn.serving.jobs import Job
    from outlearn.serving.runs import JobRun

__all__ = ["job"]

job = typer.Typer(no_args_is_help=True, help="Jobs of the service: what is watched, and its runs.")

Name = Annotated[str, typer.Argument(help="Name of the job.", metavar="NAME")]
LATEST = 10  # runs that are shown with a job


def add(
    file: Annotated[Path, typer.Argument(help="Definition of the job (TOML or JSON).", metavar="FILE"), READ],
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """Add a job by its definition; workers fit its model and judge its rows from then on."""
    document = _document(file)
    with opened(store, config) as service:
        added = service.jobs.add(acting(), document)
    say(f"Job {added.name} is added; `outlearn serve` works on it, or `outlearn job work {added.name}`.")


def list_jobs(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a list of objects, for other programs.")
    ] = False,
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """List the jobs: from where they read, their state, and when they are due."""
    with opened(store, config) as service:
        jobs = service.jobs.list()
    if as_json:
        return say_lines(json.dumps([_plain(job) for job in jobs], indent=2))
    if not jobs:
        return say("There are no jobs; `outlearn job add FILE` adds one.")
    width = max(len(job.name) for job in jobs)
    for job in jobs:
        due = _when(job.next_score) if job.state == "active" else ""
        next_look = due and f"next look {due}"
        say(f"{job.name:<{width}}  {job.state:<7} {job.spec.source.of:<6} {next_look}".rstrip())
    return None


def show(
    name: Name,
    as_json: Annotated[bool, typer.Option("--json", help="Print an object, for other programs.")] = False,
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """Show a job: its definition, its model, and its latest runs."""
    with opened(store, config) as service:
        job = service.jobs.get(name)
        live, runs = service.models.live(job.id), service.runs.list(name, limit=LATEST)
    if as_json:
        shown = {**_plain(job), "model": live and live.number, "runs": [_run(run) for run in runs]}
        return say_lines(json.dumps(shown, indent=2))
    say(f"Job {job.name} is {job.state} (revision {job.revision}).")
    say("It has no model yet." if live is None else f"Its model is {live.name}, of {_when(live.created)}.")
    say_lines(json.dumps(job.spec.to_document(), indent=2))
    for run in runs:
        say_lines(_line(run))
    return None


def run(
    name: Name,
    fit: Annotated[bool, typer.Option("--fit", help="Fit a model, in place of judging rows.")] = False,
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """Have a job judge what is new, now; a worker does it."""
    with opened(store, config) as service:
        id = service.jobs.run(acting(), name, "fit" if fit else "score")
    say(f"Run {id} is queued.")


def backfill(
    name: Name,
    start: Annotated[
        str,
        typer.Option("--from", help="From this moment on (ISO 8601, in UTC).", metavar="TIME"),
    ],
    end: Annotated[
        str | None, typer.Option("--to", help="Up to this moment, itself left out; else now.", metavar="TIME")
    ] = None,
    store: Store = None,
    config: Config = None,
    debug: o.Debug = False,
) -> None:
    """Have a job judge the rows of a time in the past, whether or not they were judged before."""
    until = None if end is None else _moment(end, "--to")
    with opened(store, config) as service:
        id = service.jobs.backfill(acting(), name, _moment(start, "--from"), until)
    say(f"Run {id} is queued.")


def pause(name: Name, store: Store = None, config: Config = None, debug: o.Debug = False) -> None:
    """Let a job rest: nothing is read or judged, and rows that are pushed wait."""
    with opened(store, config) as service:
        service.jobs.pause(acting(), name)
    say(f"Job {name} is paused.")


def resume(name: Name, store: Store = None, config: Config = None, debug: o.Debug = False) -> None:
    """Let a job go on that was paused."""
    with opened(store, config) as service:
        service.jobs.resume(acting(), name)
    say(f"Job {name} is active.")


def remove(name: Name, store: Store = None, config: Config = None, debug: o.Debug = False) -> None:
    """Remove a job; what it found, and what was said of it, stays."""
    with opened(store, config) as service:
        service.jobs.remove(acting(), name)
    say(f"Job {name} is removed.")


def work(name: Name, store: Store = None, config: Config = None, debug: o.Debug = False) -> None:
    """Do what is to do for a job in this process, and end: for cron, and to try a job without a server.

    Limits on memory and time are those of whoever starts it; those of the settings are for `outlearn serve`.
    """
    import secrets

    from outlearn.cli.serve import log_lines
    from outlearn.serving import work
    from outlearn.serving.worker import Worker

    with opened(store, config) as service:
        log_lines(service.settings)
        job = service.jobs.get(name)
        worker = Worker(service, f"job-{secrets.token_hex(5)}", work.perform)
        done = [service.runs.get(id) for id in iter(lambda: worker.once(job_id=job.id), None)]
    for run in done:
        say_lines(_line(run))
    if not done:
        say("There is nothing to do.")
    failed = sum(run.state == "failed" for run in done)
    if failed:
        complain(f"error: {failed} of {len(done)} runs failed")
        raise typer.Exit(2)


_COMMANDS: dict[str, Callable[..., None]] = {
    "add": add,
    "list": list_jobs,
    "show": show,
    "run": run,
    "backfill": backfill,
    "pause": pause,
    "resume": resume,
    "remove": remove,
    "work": work,
}
for title, command in _COMMANDS.items():
    job.command(title)(guarded(command))


def _document(file: Path) -> dict[str, Any]:
    """Return what a file of TOML, or of JSON by its suffix, holds."""
    from outlearn.small_files import read_json, read_toml

    read = read_json if file.suffix.lower() == ".json" else read_toml
    return read(file, "the job")


def _moment(text: str, option: str) -> float:
    """Return seconds since 1970.

    >>> _moment("2026-10-01", "--from"), _moment("2026-10-01T02:00+02:00", "--from")
    (1790812800.0, 1790812800.0)
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ParameterError(f"{option} is {text!r}; wanted a time such as 2026-10-01T14:30") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _when(seconds: float | None) -> str:
    if seconds is None:
        return "when asked for"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _line(run: JobRun) -> str:
    counts = f": {run.rows:,} rows, {run.flagged:,} flagged" if run.kind in ("score", "backfill") else ""
    why = f" ({unbroken(run.error)})" if run.error else ""
    notes = "".join(f"\n   - {unbroken(note)}" for note in (run.result or {}).get("notes", ()))
    return f" - run {run.id} ({run.kind}) of {_when(run.queued)}: {run.state}{counts}{why}{notes}"


def _plain(job: Job) -> dict[str, Any]:
    times = {name: getattr(job, name) for name in ("created", "changed", "next_score", "next_fit")}
    return {
        "name": job.name,
        "state": job.state,
        "revision": job.revision,
        **times,
        "definition": job.spec.to_document(),
    }


def _run(run: JobRun) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(run)
