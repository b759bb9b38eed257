"""Nothing that is written takes the place of what is read: each input beside each output of each command."""

import inspect
import pkgutil
from dataclasses import fields, is_dataclass, replace
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import Annotated, get_args, get_origin, get_type_hints

import polars as pl
import pytest
import typer
from typer.models import ArgumentInfo
from typer.testing import CliRunner

import outlearn.pipeline
from outlearn.cli.app import app
from outlearn.errors import OutputError
from outlearn.learners.training.config import MetatrainConfig
from outlearn.learners.training.metatrain import metatrain
from outlearn.paths import READ, WRITTEN, WRITTEN_FOLDER, Named, PathUse, check_apart, named_paths
from outlearn.pipeline import Monitor, detect
from outlearn.pipeline.labelled import FeedbackFiles

COMMANDS = {command.callback.__name__: command.callback for command in app.registered_commands}
LIKENESSES = ("itself", "dotted", "hard link", "symbolic link", "other case")


def parameters(command):
    """Yield name, use (None where it is no path), whether it is an argument, whether it must be given."""
    defaults = inspect.signature(command).parameters
    for name, hint in get_type_hints(command, include_extras=True).items():
        marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        use = next((mark for mark in marks if isinstance(mark, PathUse)), None)
        argument = any(isinstance(mark, ArgumentInfo) for mark in marks)
        if name in defaults and hint is not typer.Context:
            yield name, use, argument, defaults[name].default is inspect.Parameter.empty


def pairs(command):
    """Yield two parameters of a command of which the second may not be written to the first."""
    paths = [(name, use) for name, use, *_ in parameters(command) if use is not None]
    read, written = ([p for p in paths if p[1].written is side] for side in (False, True))
    for source in read:
        yield from ((source[0], o[0]) for o in written if not (source[1].renewed and o[1].renewed))
    for one, other in combinations(written, 2):
        if not (one[1].folder and other[1].folder):
            yield one[0], other[0]


def words(command, given):
    """Return a command line that gives a parameter a value, and what must be given besides."""
    line = [command.__name__.replace("_", "-")]
    options = []
    for name, use, argument, needed in parameters(command):
        if name not in given and not needed:
            continue
        value = given.get(name, f"other-{name}.safetensors" if use else "0")
        options += [] if argument else [f"--{name.replace('_', '-')}".replace("overrides", "schema"), value]
        line += [value] if argument else []
    return [*line, *options]


def linked(path: Path, likeness: str) -> str:
    """Return another name of a file, which is made where it needs to be."""
    if likeness == "itself":
        return str(path)
    if likeness == "dotted":
        return f"{path.parent}/../{path.parent.name}/./{path.name}"
    other = path.with_name(path.name.upper() if likeness == "other case" else f"other-name{path.suffix}")
    if likeness == "symbolic link":
        other.symlink_to(path)
    else:  # on a disk that takes A for a, both names are of one file, as here
        other.hardlink_to(path)
    return str(other)


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_output_of_a_command_takes_the_place_of_an_input_or_of_another(command, tmp_path):
    for number, (one, other) in enumerate(pairs(command)):
        for likeness in LIKENESSES:
            folder = tmp_path / f"{number} {likeness}"
            folder.mkdir()
            path = folder / "a.safetensors"
            path.write_text("precious")
            given = {one: str(path), other: linked(path, likeness)}
            before = {entry: entry.read_text() for entry in folder.iterdir()}
            result = CliRunner().invoke(app, words(command, given))
            assert result.exit_code == 2, (given, result.output)
            assert "cannot write" in result.stderr and "give" in result.stderr, (given, result.output)
            assert {entry: entry.read_text() for entry in folder.iterdir()} == before


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_no_output_lies_in_a_folder_that_is_read(command, tmp_path):
    for one, other in pairs(command):
        if next(use for name, use, *_ in parameters(command) if name == one).written:
            continue
        for folder in (tmp_path, Path(f"{tmp_path}.link")):
            if not folder.exists():
                folder.symlink_to(tmp_path)
            given = {one: str(tmp_path), other: str(folder / "in" / "a.safetensors")}
            result = CliRunner().invoke(app, words(command, given))
            assert result.exit_code == 2 and "a folder that is read" in result.stderr, (given, result.output)
    assert not list(tmp_path.iterdir())


def request_kinds():
    """Return the classes of requests, and of their parts."""
    modules = [
        import_module(f"outlearn.pipeline.{module.name}")
        for module in pkgutil.iter_modules(outlearn.pipeline.__path__)
    ]
    named = [entry for module in modules for entry in vars(module).items()]
    waiting = {value for name, value in named if name.endswith("Request")}
    waiting |= {FeedbackFiles, MetatrainConfig}
    kinds = set()
    while waiting:
        kind = waiting.pop()
        kinds.add(kind)
        waiting |= {hint for hint in get_type_hints(kind).values() if is_dataclass(hint)} - kinds
    return sorted(kinds, key=lambda kind: kind.__name__)


def test_every_path_of_a_request_says_whether_it_is_read_or_written():
    kinds = request_kinds()
    assert {"DetectRequest", "EvaluateRequest", "TuneRequest", "Outputs"} <= {k.__name__ for k in kinds}
    for kind in kinds:
        for field in fields(kind):
            is_path = any(word in field.type for word in ("Path", "Spec")) and "Spec =" not in field.type
            is_part = is_dataclass(get_type_hints(kind)[field.name])
            assert isinstance(field.metadata.get("path"), PathUse) is (is_path and not is_part), (kind, field)


def test_every_path_of_a_command_says_whether_it_is_read_or_written():
    known = {f.name for kind in request_kinds() for f in fields(kind) if "path" in f.metadata}
    for command in COMMANDS.values():
        hints = get_type_hints(command)
        for name, use, *_ in parameters(command):
            is_path = "Path" in str(hints[name]) or name in known
            assert use is not None or not is_path, (command.__name__, name)


def request_pairs():
    for kind in request_kinds():
        if kind.__name__ not in ("DetectRequest", "HuntRequest", "FeedbackFiles"):
            continue
        names = [name for name, _ in _places(kind)]
        uses = dict(_places(kind))
        for one, other in combinations(names, 2):
            written = uses[one].written + uses[other].written
            if written and not (uses[one].renewed and uses[other].renewed):
                yield pytest.param(kind, one, other, id=f"{kind.__name__}-{one}-{other}")


def _places(kind, prefix=""):
    """Yield the dotted name and use of each path of a request."""
    hints = get_type_hints(kind)
    for field in fields(kind):
        if "path" in field.metadata:
            yield f"{prefix}{field.name}", field.metadata["path"]
        elif is_dataclass(hints[field.name]):
            yield from _places(hints[field.name], f"{prefix}{field.name}.")


def _with(request, name, value):
    head, _, rest = name.partition(".")
    return replace(request, **{head: _with(getattr(request, head), rest, value) if rest else value})


@pytest.mark.parametrize("likeness", LIKENESSES)
@pytest.mark.parametrize(("kind", "one", "other"), list(request_pairs()))
def test_no_path_of_a_request_takes_the_place_of_another(kind, one, other, likeness, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("precious")
    needed = [f for f in fields(kind) if f.default is f.default_factory]
    request = kind(**{field.name: f"the-{field.name}" for field in needed})
    check_apart(named_paths(request))
    request = _with(_with(request, one, path), other, linked(path, likeness))
    with pytest.raises(OutputError, match="cannot write"):
        check_apart(named_paths(request))


def test_a_model_that_learns_more_may_take_its_own_place(tmp_path):
    model = tmp_path / "m.outlearn"
    model.touch()
    FeedbackFiles(model, "t.csv", model, tmp_path / "v.jsonl").check()
    with pytest.raises(OutputError, match="cannot write verdicts"):
        FeedbackFiles(model, "t.csv", tmp_path / "new", model).check()


@pytest.mark.parametrize(
    ("source", "out"),
    [
        ("sqlite:///rows.db", "rows.db"),
        ("sqlite+pysqlite:///./rows.db?timeout=3", "rows.db"),
        ("sqlite:///{here}/rows.db", "rows.db"),
        ("sqlite:///file:rows.db?mode=ro&uri=true", "rows.db"),
        ("sqlite:///rows.db", "rows.db-journal"),
        ("sqlite:///more%20rows.db", "more rows.db"),
        ("duckdb:///rows.db", "{here}/rows.db"),
        ("~/rows.db", "rows.db"),
        ("rows.db", "~/rows.db"),
        (Path("rows.db"), "rows.db"),
    ],
)
def test_a_file_is_recognised_however_it_is_named(source, out, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("rows.db", "more rows.db"):
        Path(name).touch()
    source = source.format(here=tmp_path) if isinstance(source, str) else source
    with pytest.raises(OutputError, match="it is what is read as source"):
        check_apart([Named("source", source, READ), Named("out", out.format(here=tmp_path), WRITTEN)])


@pytest.mark.parametrize("source", ["dataset:wine", "postgresql://host/out.csv", "", "nul\0", "~nobody/x"])
def test_what_is_no_file_stands_in_the_way_of_none(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("dataset:wine", "out.csv"):
        check_apart([Named("source", source, READ), Named("out", name, WRITTEN)])


def test_two_names_that_differ_in_case_are_one_where_the_disk_says_so(tmp_path, monkeypatch):
    outputs = [Named("--out", tmp_path / "a.csv", WRITTEN), Named("--report", tmp_path / "A.csv", WRITTEN)]
    (tmp_path / "known").touch()
    check_apart(outputs)
    (tmp_path / "KNOWN").hardlink_to(tmp_path / "known")  # as such a disk shows it
    with pytest.raises(OutputError, match="give each a file of its own"):
        check_apart([replace(output) for output in outputs])


def test_folders_may_be_shared_and_hold_what_is_read(tmp_path):
    folder, log = Named("--folder", tmp_path, WRITTEN_FOLDER), Named("--log", tmp_path, WRITTEN_FOLDER)
    check_apart([folder, log, Named("--corpus", tmp_path / "sets", READ)])
    with pytest.raises(OutputError, match="give each a file of its own"):
        check_apart([folder, Named("--out", tmp_path, WRITTEN)])


def test_what_python_asks_for_is_checked_before_anything_is_read(tmp_path):
    path = tmp_path / "rows.csv"
    pl.DataFrame({"a": [1.0, 2.0, 9.0] * 5}).write_csv(path)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="read as reference"):
        detect("nothing.csv", reference=path, out=path)
    with path.open() as stream, pytest.raises(OutputError, match="read as source"):
        detect(stream, out=path)
    monitor = Monitor.fit(path, detector="knn")
    with pytest.raises(OutputError, match="it is what is read"):
        monitor.detect(path, out=path)
    with pytest.raises(OutputError, match="the table learnt from"):
        monitor.save(path)
    with pytest.raises(OutputError, match="it lies in"):
        metatrain(replace(MetatrainConfig(), tasks=replace(MetatrainConfig().tasks, corpus=tmp_path)), path)
    assert path.read_bytes() == before and [entry.name for entry in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize(
    "words",
    [
        'report = "job.toml"',
        'out = "./rows.csv"',
        'out = "x.csv"\nreport = "x.csv"',
        'alerts = { file = "reference.cef" }',
        'alerts = { suppress = "good.jsonl" }\nreport = "good.jsonl"',
    ],
)
def test_what_a_job_file_asks_for_is_checked_too(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("a\n1\n2\n")
    Path("job.toml").write_text(f'source = "rows.csv"\nreference = "reference.cef"\n[outputs]\n{words}\n')
    before = {path: path.read_text() for path in Path().iterdir()}
    result = CliRunner().invoke(app, ["detect", "--job", "job.toml"])
    assert result.exit_code == 2 and "cannot write" in result.stderr, result.output
    assert {path: path.read_text() for path in Path().iterdir()} == before
