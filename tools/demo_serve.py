"""Shows what ten verdicts are worth: a service that watches made-up payments with planted fraud.

It starts `outlearn serve` on a store of its own, pushes days of payments, and gives ten verdicts on the head
of the queue as an analyst who knows the truth would. It prints how many of the most abnormal payments are
fraud, before and after. Large rents are odd and harmless: without verdicts they stand beside the fraud.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
import webbrowser

import httpx
import numpy as np
import polars as pl

from outlearn.client import Client
from outlearn.serving.access import Actor, UserRole, Via
from outlearn.serving.service import Service
from outlearn.serving.settings import Settings

DAY = 4_000  # payments
FRAUDS, RENTS = 25, 25  # of a day
VERDICTS = 10
HEAD = 25  # of the queue, by which the gain is measured
NAME = "payments"
JOB = {
    "name": NAME,
    "source": {"push": True},
    "table": {"ignore": ["id"]},
    "rule": {"false_alarm_rate": 0.01},
}


def payments(day: int, *, fraud: int = FRAUDS, rents: int = RENTS) -> tuple[pl.DataFrame, set[str]]:
    """Return the payments of a day, and the ids of the fraudulent ones.

    Fraud is several payments at night within an hour; a rent is one large sum by day.
    """
    rng = np.random.default_rng(day)
    frame = {
        "id": np.array([f"d{day}-{number}" for number in range(DAY)]),
        "amount": rng.lognormal(3.2, 0.6, DAY).round(2),
        "hour": rng.normal(13, 3, DAY).clip(6, 22).round(),
        "trade": rng.choice(["grocery", "fuel", "travel", "clothes", "books"], DAY),
        "payments_in_hour": rng.poisson(1.2, DAY) + 1,
        "card_age_days": rng.integers(30, 2000, DAY),
    }
    odd = rng.choice(DAY, fraud + rents, replace=False)
    bad, rent = odd[:fraud], odd[fraud:]
    frame["amount"][rent] = rng.normal(900, 150, rents).round(2)
    frame["hour"][bad] = rng.integers(2, 5, fraud)
    frame["payments_in_hour"][bad] = rng.integers(5, 8, fraud)
    frame["amount"][bad] = rng.lognormal(3.8, 0.3, fraud).round(2)
    return pl.DataFrame(frame), set(frame["id"][bad].tolist())


def main() -> None:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--stay", action="store_true", help="leave the service running, and open its page")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(store=f"sqlite:///{folder}/demo.db", port=chosen.port)
        service = Service.open(settings)
        admin = Actor("demo", UserRole.ADMIN, Via.CLI)
        service.accounts.add_user(admin, "ana", UserRole.OPERATOR)
        key = service.accounts.new_key(admin, "ana", "demo")
        link = f"{settings.url}/welcome?token={service.accounts.invite(admin, 'ana')}"
        service.close()
        command = [sys.executable, "-m", "outlearn", "serve", "--store", settings.store]
        server = subprocess.Popen([*command, "--port", str(chosen.port)])
        try:
            _until_ready(settings.url, server)
            with Client(settings.url, key) as client:
                show(client)
            if chosen.stay:
                print(f"\nThe page, as ana: {link}\nCtrl-C ends the service.")
                webbrowser.open(link)
                server.wait()
        except KeyboardInterrupt:
            pass
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def show(client: Client) -> None:
    """Push days of payments, decide, and print the gain."""
    client.add_job(JOB)
    print("day 1: usual payments, from which the model learns")
    client.push(NAME, payments(1, fraud=0, rents=0)[0])
    client.wait(client.run_job(NAME, "fit"), seconds=120)
    frame, fraud = payments(2)
    print(f"day 2: {len(frame):,} payments, {FRAUDS} of them fraud, {RENTS} harmless rents")
    head = _gravest(client, frame)
    print(f"  among the {HEAD} gravest: {sum(id in fraud for id, _ in head)} fraud")
    answers = {"anomaly": [], "normal": []}
    for id, incident in head[:VERDICTS]:
        answers["anomaly" if id in fraud else "normal"].append(incident)
    start, runs = time.perf_counter(), []
    for answer, incidents in answers.items():
        if incidents:
            runs += client.decide(incidents, answer).run_ids
    for run in runs:
        client.wait(run, seconds=120)
    effect = client.effect(runs[-1])
    print(
        f"{VERDICTS} verdicts ({len(answers['anomaly'])} fraud, {len(answers['normal'])} not), learnt after "
        f"{time.perf_counter() - start:.1f} s: {effect.fell} rows fell below the threshold, "
        f"{effect.rose} rose"
    )
    frame, fraud = payments(3)
    head = _gravest(client, frame)
    print(f"day 3, new payments: among the {HEAD} gravest: {sum(id in fraud for id, _ in head)} fraud")


def _gravest(client: Client, frame: pl.DataFrame) -> list[tuple[str, int]]:
    """Push a day, and return the ids of its gravest payments with their incidents."""
    pushed = client.push(NAME, frame)
    client.wait(pushed.run_id, seconds=120)
    day = str(frame["id"][0]).split("-")[0]
    found: list[tuple[str, int]] = []
    for incident in client.incidents(job=NAME, order="gravest"):
        id = client.incident(incident.id).rows[0].cells["id"]
        if id.startswith(f"{day}-"):
            found.append((id, incident.id))
        if len(found) == HEAD:
            break
    return found


def _until_ready(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if server.poll() is not None:
            raise SystemExit("the service ended before it was ready")
        try:
            if httpx.get(f"{address}/healthz").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit("the service was not ready within a minute")


if __name__ == "__main__":
    main()
