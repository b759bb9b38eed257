"""What comes in: its size while it streams, its media type, and the damage that readers meet."""

import gzip
import io
import zipfile

import httpx
import polars as pl
import pytest

from outlearn.serving.access import UserRole
from tests.serving.api.conftest import LIMITS, refused
from tests.serving.watched import payments

PUSH = "/api/v1/jobs/payments/rows"
SCORE = "/api/v1/jobs/payments/score"
MOST = LIMITS["largest_upload"]


def stream(world, path, size, role=UserRole.OPERATOR, **headers):
    """Send a body of unknown length in pieces; return the answer and how many pieces were taken."""
    taken = 0

    async def pieces():
        nonlocal taken
        while taken * 1000 < size:
            taken += 1
            yield b"a,b\n" * 250

    async def receive_all():
        transport = world.transport._inner
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            key = {"Authorization": f"Bearer {world.keys[role]}"}
            return await client.post(path, content=pieces(), headers={**key, **headers})

    return world.portal.call(receive_all), taken


def test_a_body_ends_where_its_limit_is_however_long_it_would_go_on(world):
    answer, taken = stream(world, PUSH, 50 * MOST, **{"Content-Type": "text/csv"})
    assert refused(answer) == (413, "too-large")
    assert taken * 1000 <= MOST + 2000
    answer, taken = stream(world, "/api/v1/jobs", 50_000_000, **{"Content-Type": "application/json"})
    assert refused(answer) == (413, "too-large")
    assert taken * 1000 <= 2**20 + 2000


def test_a_form_ends_there_too(world):
    answer = world.ask(UserRole.OPERATOR, "POST", PUSH, files={"file": ("a.csv", b"x" * (MOST + 1))})
    assert refused(answer) == (413, "too-large")
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answer, taken = stream(world, PUSH, 50 * MOST, **kind)
    assert answer.status_code in (400, 413)
    assert taken * 1000 <= MOST + 2**17


def test_nothing_is_read_from_who_may_not_send(world):
    answer, taken = stream(world, PUSH, 50 * MOST, UserRole.VIEWER, **{"Content-Type": "text/csv"})
    assert refused(answer) == (403, "forbidden")
    assert taken == 0
    answer, taken = stream(world, PUSH, 50 * MOST, **{"Content-Type": "image/png"})
    assert refused(answer) == (415, "media")
    assert taken == 0


def test_a_length_that_is_announced_is_enough(world):
    answer = world.ask(
        UserRole.OPERATOR,
        "POST",
        PUSH,
        content=b"",
        headers={"Content-Type": "text/csv", "Content-Length": str(9**30)},
    )
    assert refused(answer) == (413, "too-large")


@pytest.mark.parametrize("media", ["", "text/plain", "application/xml", "multipart/form-data", "nonsense"])
def test_documents_are_json_alone(world, media):
    answer = world.ask(
        UserRole.ANALYST, "POST", "/api/v1/verdicts", content=b"{}", headers={"Content-Type": media}
    )
    assert refused(answer) == (415, "media")
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff\xfe",
        b'{"ids": [NaN]}',
        b"[" * 100_000,
        b'{"a":' * 60 + b"1" + b"}" * 60,
        b'{"note": "\\u0000"}',
        b'{"note": "\\ud800"}',
        b'{"ids": [' + b"9" * 5000 + b"]}",
    ],
)
def test_a_document_that_is_none_is_refused(world, content):
    answer = world.ask(
        UserRole.ANALYST,
        "POST",
        "/api/v1/verdicts",
        content=content,
        headers={"Content-Type": "application/json"},
    )
    assert refused(answer) in ((400, "syntax"), (400, "invalid"))


@pytest.mark.parametrize(
    "path", ["/api/v1/jobs/%00", "/api/v1/incidents?text=%00", "/api/v1/incidents/99999999999999999999"]
)
def test_an_address_that_no_database_takes_is_refused(world, path):
    assert world.ask(UserRole.VIEWER, "GET", path).status_code == 400


def test_a_job_comes_in_toml_as_in_json(world):
    text = 'name = "tomls"\n[source]\npush = true\n'
    toml = {"Content-Type": "application/toml"}
    answer = world.ask(UserRole.OPERATOR, "POST", "/api/v1/jobs", content=text, headers=toml)
    assert answer.status_code == 201
    assert answer.json()["definition"] == {"name": "tomls", "source": {"push": True}}
    assert answer.headers["Location"] == "/api/v1/jobs/tomls"
    answer = world.ask(UserRole.OPERATOR, "POST", "/api/v1/jobs", content="name = ", headers=toml)
    assert refused(answer) == (400, "syntax")


def written(form):
    frame, sink = payments(20, 5), io.BytesIO()
    if form == "csv":
        return frame.write_csv().encode(), "text/csv"
    if form == "jsonl":
        return frame.write_ndjson().encode(), "application/x-ndjson"
    if form == "json":
        return frame.write_json().encode(), "application/json"
    if form == "parquet":
        frame.write_parquet(sink)
        return sink.getvalue(), "application/vnd.apache.parquet"
    (frame.write_ipc_stream if form == "stream" else frame.write_ipc)(sink)
    return sink.getvalue(), f"application/vnd.apache.arrow.{'stream' if form == 'stream' else 'file'}"


@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "parquet", "stream", "file"])
def test_rows_come_in_all_formats_as_a_body_and_as_a_file(world, form):
    content, media = written(form)
    answer = world.ask(UserRole.OPERATOR, "POST", PUSH, content=content, headers={"Content-Type": media})
    assert (answer.status_code, answer.json().get("rows")) == (202, 20), answer.text
    answer = world.ask(UserRole.OPERATOR, "POST", PUSH, files={"file": (f"a.{form}", content, media)})
    assert (answer.status_code, answer.json().get("rows")) == (202, 20), answer.text


def bomb():
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"amount,items,country,card\n" + b"1,2,DE,c1\n" * 2_000_000)
    return sink.getvalue()


def tall_parquet():
    sink = io.BytesIO()
    pl.DataFrame({"amount": pl.repeat(1.0, 3_000_000, eager=True)}).write_parquet(sink)
    return sink.getvalue()


BAD = {
    "nothing": b"",
    "one line": b"amount,items,country,card\n",
    "binary": bytes(range(256)) * 40,
    "parquet cut short": b"PAR1" + b"\0" * 100,
    "arrow cut short": b"ARROW1\0\0" + b"\xff" * 100,
    "zip bomb": bomb(),
    "gzip bomb": gzip.compress(b"amount,items,country,card\n" + b"1,2,DE,c1\n" * 2_000_000),
    "many rows in few bytes": tall_parquet(),
    "other columns": b"x,y\n1,2\n3,4\n",
    "ragged": b"amount,items,country,card\n1,2\n1,2,3,4,5,6\n",
    "json of a number": b"17",
    "deep json": b'{"a":' * 5000 + b"1" + b"}" * 5000,
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("path", [PUSH, SCORE])
def test_damaged_rows_are_refused_and_nothing_of_them_stays(world, name, path):
    assert len(BAD[name]) <= MOST
    answer = world.ask(UserRole.OPERATOR, "POST", path, files={"file": ("rows", BAD[name])})
    assert answer.status_code == 400, (name, answer.text)
    assert refused(answer)[0] == 400
    assert "/tmp" not in answer.text and "outlearn-" not in answer.text
    with world.service.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pushed").scalar_one() == 0


def test_files_of_uploads_are_gone_when_the_answer_is_there(world, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for content in (written("csv")[0], b"x,y\n1,2\n"):
        world.ask(UserRole.OPERATOR, "POST", PUSH, files={"file": ("a.csv", content, "text/csv")})
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_rows_are_judged_and_not_kept(world):
    frame = payments(40, 7, odd=2)
    body = {"files": {"file": ("a.csv", frame.write_csv().encode(), "text/csv")}}
    answer = world.ask(UserRole.ANALYST, "POST", SCORE + "?explain=true", **body).json()
    assert answer["rows"] == len(answer["scores"]) == 40
    assert {0, 1} <= set(answer["flagged"])
    assert answer["flagged"] == [
        row for row, score in enumerate(answer["scores"]) if score >= answer["threshold"]
    ]
    assert "amount" in answer["incidents"][0]["title"]
    with world.service.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM runs").scalar_one() == 1
