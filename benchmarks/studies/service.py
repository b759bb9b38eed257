"""What the service adds: rows pushed a second beside the engine, the queue, verdicts of twenty analysts.

    python -m benchmarks run service --out service.json
    python -m benchmarks run service --store postgresql://… --incidents 100000 --out service.json

A server with one worker on a store of its own, loopback, and made-up payments of 8 columns; the detector is
the default, fitted to 5,000 rows. Rows are pushed in batches of 1, 100 and 10,000, and the clock stops when
all of them are judged and kept; beside it the engine judges the same rows in one process, in batches of the
same size, and keeps nothing. Then a queue of many incidents is read page by page, and twenty analysts give
verdicts at once, each on incidents of their own; a last verdict is timed to the moment when the model that
learnt from it judges.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import insert, select

from benchmarks.harness import rowfile
from benchmarks.harness.study import Call, Study
from outlearn.client import Client
from outlearn.data.readers import open_source
from outlearn.errors import StoreError
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.found import judge
from outlearn.serving.service import Service
from outlearn.serving.settings import Settings
from outlearn.serving.store.tables import incidents, kept

JOB = "payments"
REFERENCE = 5_000
BATCHES = {1: 50, 100: 20, 10_000: 4}  # rows a batch, and how many batches
ANALYSTS, EACH = 20, 5  # verdicts
PAGES = 60


def payments(rows: int, seed: int) -> pl.DataFrame:
    """Return made-up payments, two in a hundred of them ten times as large."""
    rng = np.random.default_rng(seed)
    amount = rng.lognormal(3, 0.6, rows)
    amount[rng.random(rows) < 0.02] *= 10
    return pl.DataFrame(
        {
            "amount": amount.round(2),
            "fee": (0.02 * amount + rng.exponential(0.1, rows)).round(2),
            "hour": rng.integers(0, 24, rows),
            "items": rng.integers(1, 9, rows),
            "distance": rng.gamma(2, 5, rows).round(1),
            "age": rng.integers(20, 3_000, rows),
            "trade": rng.choice(["grocery", "fuel", "travel", "books"], rows),
            "country": rng.choice(["DE", "FR", "IT", "AT"], rows),
        }
    )


@contextmanager
def served(store: str, port: int) -> Iterator[tuple[Service, Client]]:
    """Start a server with one worker; give its service and a client of an operator."""
    settings = Settings(store=store, port=port)
    service = Service.open(settings)
    admin = Actor("benchmark", UserRole.ADMIN, Via.CLI)
    service.accounts.add_user(admin, "otto", UserRole.OPERATOR)
    key = service.accounts.new_key(admin, "otto", "benchmark")
    command = [sys.executable, "-m", "outlearn", "serve", "--store", store, "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with Client(settings.url, key) as client:
            _until_ready(client, server)
            yield service, client
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        service.close()


def _until_ready(client: Client, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            client.me()
            return
        except StoreError:
            if server.poll() is not None:
                raise
            time.sleep(0.1)
    raise SystemExit("the service was not ready within a minute")


def throughput(service: Service, client: Client) -> list[rowfile.Row]:
    """Return rows a second pushed, and judged by the engine alone, by size of batch."""
    job = service.jobs.get(JOB)
    version = service.models.live(job.id)
    assert version is not None
    monitor = service.models.load(version)
    rows: list[rowfile.Row] = []
    for size, count in BATCHES.items():
        frames = [payments(size, 1_000 + number) for number in range(count)]
        start = time.perf_counter()
        for frame in frames:
            judge(monitor, open_source(frame))
        alone = size * count / (time.perf_counter() - start)
        start = time.perf_counter()
        pushed = [client.push(JOB, frame) for frame in frames]
        sent = time.perf_counter() - start
        for run in sorted({one.run_id for one in pushed if one.run_id is not None}):
            client.wait(run, seconds=600, every=0.05)
        kept_all = size * count / (time.perf_counter() - start)
        rows.append(
            {
                "what": "rows a second",
                "batch": size,
                "batches": count,
                "engine": round(alone),
                "service": round(kept_all),
                "ratio": round(kept_all / alone, 2),
                "answered a push after ms": round(1000 * sent / count, 1),
            }
        )
        print(rows[-1], flush=True)
    return rows


def fill(service: Service, total: int) -> None:
    """Copy an incident with its row until the queue has so many."""
    with service.database.reading() as connection:
        one = dict(connection.execute(select(incidents).limit(1)).mappings().one())
        row = dict(connection.execute(select(kept).where(kept.c.incident_id == one["id"])).mappings().first())
    rng = np.random.default_rng(0)
    for fields in (one, row):
        del fields["id"]
    for start in range(0, total, 5_000):
        count = min(5_000, total - start)
        with service.database.writing() as connection:
            values = [{**one, "state": "open", "score": float(score)} for score in rng.random(count)]
            query = insert(incidents).returning(incidents.c.id, sort_by_parameter_order=True)
            ids = connection.execute(query, values).scalars().all()
            copies = [{**row, "incident_id": id, "identity": f"{start + n:032x}"} for n, id in enumerate(ids)]
            connection.execute(insert(kept), copies)


def reading(client: Client) -> list[rowfile.Row]:
    """Return how long pages of the queue take, by order and by filter, in milliseconds."""
    rows: list[rowfile.Row] = []
    for name, which in (
        ("gravest", {"order": "gravest"}),
        ("newest", {"order": "newest"}),
        ("of one job", {"order": "gravest", "job": JOB}),
        ("with a word", {"order": "gravest", "text": "amount"}),
    ):
        took = []
        for _ in range(PAGES // 4):
            start = time.perf_counter()
            for _, _ in zip(range(50), client.incidents(**which), strict=False):
                pass
            took.append(1000 * (time.perf_counter() - start))
        middle, high = np.quantile(took, (0.5, 0.95))
        rows.append(
            {"what": "a page of the queue", "which": name, "ms": round(middle), "ms p95": round(high)}
        )
        print(rows[-1], flush=True)
    return rows


def deciding(client: Client) -> list[rowfile.Row]:
    """Return how long verdicts take that twenty analysts give at once, and until one is learnt from."""
    found = [one.id for _, one in zip(range(ANALYSTS * EACH + 1), client.incidents(), strict=False)]

    def analyst(number: int) -> list[float]:
        took = []
        for id in found[number * EACH : (number + 1) * EACH]:
            start = time.perf_counter()
            client.decide([id], "normal" if id % 2 else "anomaly")
            took.append(1000 * (time.perf_counter() - start))
        return took

    with ThreadPoolExecutor(ANALYSTS) as pool:
        took = [one for spent in pool.map(analyst, range(ANALYSTS)) for one in spent]
    for run in client.runs(JOB):
        if run.state in ("queued", "running"):
            client.wait(run.id, seconds=600)
    start = time.perf_counter()
    run = client.decide([found[-1]], "normal").run_ids[0]
    client.wait(run, seconds=600, every=0.05)
    middle, high = np.quantile(took, (0.5, 0.95))
    return [
        {"what": "a verdict, 20 at once", "ms": round(middle), "ms p95": round(high)},
        {"what": "until a verdict is learnt from", "s": round(time.perf_counter() - start, 2)},
    ]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", help="URL of an empty database; a SQLite file by default")
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--incidents", type=int, default=100_000)
    parser.add_argument("--out", type=Path, required=True)


def conduct(call: Call) -> None:
    options = call.options
    with tempfile.TemporaryDirectory() as folder:
        store = options.store or f"sqlite:///{folder}/store.db"
        with served(store, options.port) as (service, client):
            client.add_job({"name": JOB, "source": {"push": True}, "rule": {"false_alarm_rate": 0.01}})
            client.push(JOB, payments(REFERENCE, 0))
            client.wait(client.run_job(JOB, "fit"), seconds=600)
            rows = throughput(service, client)
            rows += deciding(client)
            fill(service, options.incidents)
            rows += reading(client)
    settings = {"store": store.partition(":")[0], "incidents": options.incidents}
    rowfile.write(options.out, settings, rows, command=call.command)
    print(report({"settings": settings, "rows": rows}))


def report(stored: dict[str, Any]) -> str:
    """Return the figures, a line each."""
    lines = [", ".join(f"{name} {value}" for name, value in row.items()) for row in stored["rows"]]
    return "\n".join([json.dumps(stored["settings"]), *lines])


STUDY = Study("service", __doc__, arguments, conduct, report=report)
