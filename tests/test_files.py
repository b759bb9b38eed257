"""Files that are whole or absent."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from outlearn import drafts
from outlearn.drafts import _HERE, DAY
from outlearn.errors import OutputError
from outlearn.files import together, whole, writing


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["rows.csv", "model", "a.b.npz", "über.html"])
@pytest.mark.parametrize("old", [None, "of yesterday, and longer"])
def test_the_file_appears_when_the_block_ends(tmp_path, name, old):
    path = tmp_path / name
    if old is not None:
        path.write_text(old)
    with whole(path) as part:
        assert (part.parent, part.suffix) == (tmp_path, path.suffix) and part != path
        part.write_text("new")
        assert (path.read_text() if path.exists() else None) == old
    assert path.read_text() == "new" and names(tmp_path) == [name]


def test_it_has_the_mode_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with whole(tmp_path / "whole"):
        pass
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError, OutputError])
@pytest.mark.parametrize("old", [None, "old"])
def test_an_error_of_the_block_passes_and_spares_what_was_there(tmp_path, error, old):
    path = tmp_path / "a.txt"
    if old is not None:
        path.write_text(old)
    with pytest.raises(error) as raised, whole(path) as part:
        part.write_text("half")
        raise error("mine")
    assert type(raised.value) is error and str(raised.value) == "mine"
    assert (path.read_text() if path.exists() else None) == old
    assert names(tmp_path) == ([] if old is None else ["a.txt"])


def test_a_failed_write_names_the_file_the_reason_and_the_remedy(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(OutputError) as raised, whole(path, refusal="no model at") as part:
        part.unlink()  # nothing to remove must not hide the reason
        raise OSError(28, "No space left on device")
    assert str(raised.value).startswith(
        f"no model at {path}: No space left on device; name a file in a folder"
    )
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("step", ["replace", "open"])
def test_a_failed_end_keeps_the_old_file(tmp_path, monkeypatch, step):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def broken(*arguments):
        raise OSError(5, "Input/output error")

    with pytest.raises(OutputError, match="Input/output error"), whole(path) as part:
        part.write_text("new")
        monkeypatch.setattr(Path, step, broken)
    monkeypatch.undo()
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]


class Failed(Exception):
    """What some library raises for a failed write."""


def test_only_the_errors_named_count_as_failed_writes(tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(OutputError, match=r"a\.txt: no room at all; "), whole(path, errors=(Failed,)):
        raise Failed("no\n room at all")
    for errors in ((), (Failed,)):
        with pytest.raises(ConnectionError, match="mine"), whole(path, errors=errors):
            raise ConnectionError("mine")
    with pytest.raises(ConnectionError), writing(path, errors=(Failed,)):
        raise ConnectionError
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("absent/a.txt", "absent/a.txt: No such file"),
        ("file/a.txt", "file/a.txt: Not a directory"),
        ("folder", "folder: it is a folder"),
        ("", "it is a folder"),
        ("nul\0.txt", r"nul\\x00\.txt': embedded null"),
        ("a" * 300, "a: File name too long"),
    ],
    ids=["no-folder", "file-as-folder", "folder", "empty", "null", "long"],
)
def test_an_unusable_path_is_refused_before_the_block(tmp_path, name, told):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=told), whole(Path(f"{tmp_path}/{name}")):
        pytest.fail("the block must not run")
    assert names(tmp_path) == ["file", "folder"]


def test_a_closed_folder_is_refused(tmp_path):
    folder = tmp_path
    if os.geteuid() == 0:  # the superuser may write anywhere but here
        folder = Path("/proc")
        if not folder.is_dir():
            pytest.skip("no folder is closed to the superuser on this system")
    else:
        folder.chmod(0o500)
    with pytest.raises(OutputError, match=r"a\.txt: .*; name a file"), whole(folder / "a.txt"):
        pytest.fail("the block must not run")


def test_a_device_is_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="it is a device, not a file"), whole(pipe):
        pytest.fail("the block must not run")
    assert pipe.is_fifo() and names(tmp_path) == ["pipe"]


def test_folders_are_made_on_request_only(tmp_path):
    path = tmp_path / "x" / "y" / "a.txt"
    with whole(path, parents=True) as part:
        part.write_text("new")
    assert path.read_text() == "new"
    with pytest.raises(OutputError, match="exist"), whole(path / "b" / "c.txt", parents=True):
        pytest.fail("the block must not run")


def test_writers_at_the_same_time_do_not_meet(tmp_path):
    path, together = tmp_path / "a.txt", Barrier(4)

    def write(number: int) -> None:
        with whole(path) as part:
            together.wait(timeout=10)
            part.write_text(str(number) * 1000)
            together.wait(timeout=10)
            assert part.read_text() == str(number) * 1000

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    text = path.read_text()
    assert text == text[0] * 1000 and names(tmp_path) == ["a.txt"]


def test_together_all_appear_at_the_end_or_none(tmp_path):
    paths = [tmp_path / name for name in ("a.txt", "b.txt")]
    paths[0].write_text("old")
    with together(), together():  # the outer one decides
        for path in paths:
            with whole(path) as part:
                part.write_text("new")
        assert paths[0].read_text() == "old" and not paths[1].exists()
    assert [path.read_text() for path in paths] == ["new", "new"] and names(tmp_path) == ["a.txt", "b.txt"]
    with pytest.raises(KeyboardInterrupt), together():
        with whole(paths[1]) as part:
            part.write_text("newer")
        raise KeyboardInterrupt
    assert [path.read_text() for path in paths] == ["new", "new"] and names(tmp_path) == ["a.txt", "b.txt"]


@pytest.mark.parametrize("links", [True, False], ids=["links", "no-links"])
@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
def test_what_was_there_is_put_back_where_a_file_cannot_take_its_place(tmp_path, monkeypatch, error, links):
    paths = [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]
    paths[0].write_text("old")
    replace, renamed = Path.replace, []

    def broken(path, target):
        if target == paths[2] and not renamed.count(target):
            raise error
        renamed.append(target)
        return replace(path, target)

    def no_links(*arguments, **options):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "replace", broken)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises((OutputError, KeyboardInterrupt)), together():
        for path in paths:
            with whole(path) as part:
                part.write_text("new")
    assert renamed[:2] == paths[:2]
    assert paths[0].read_text() == "old" and names(tmp_path) == ["a.txt"]


def test_a_name_that_is_taken_meanwhile_is_not_written_over(tmp_path):
    path = tmp_path / "a.toml"
    with pytest.raises(FileExistsError), whole(path, over=False) as part:
        part.write_text("mine")
        path.write_text("yours")
    with pytest.raises(FileExistsError), whole(path, over=False):
        pytest.fail("the block must not run")
    assert path.read_text() == "yours" and names(tmp_path) == ["a.toml"]
    path.unlink()
    with whole(path, over=False) as part:
        part.write_text("mine")
    assert path.read_text() == "mine" and names(tmp_path) == ["a.toml"]


LEFT = """
import os, sys
from pathlib import Path
from outlearn.files import whole

with whole(Path(sys.argv[1])) as part:
    part.write_text("half")
    print("half", flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(os.name == "nt", reason="no locks tell of drafts in use")
@pytest.mark.parametrize("name", ["a.txt", "a" * 240 + ".txt"], ids=["short", "long"])
def test_a_draft_is_swept_when_its_writer_was_killed_and_not_before(tmp_path, name):
    path = tmp_path / name
    with subprocess.Popen(
        [sys.executable, "-c", LEFT, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout.readline() == "half\n"
        (draft,) = tmp_path.iterdir()
        for other in (path, tmp_path / "b.txt"):  # which another writes meanwhile
            with whole(other) as part:
                part.write_text("whole")
        assert draft.read_text() == "half"
        writer.communicate("\n", timeout=30)
    with whole(tmp_path / "b.txt"):
        pass
    assert draft.exists()  # it is of another file
    with whole(path) as part:
        part.write_text("again")
    assert names(tmp_path) == sorted([name, "b.txt"]) and path.read_text() == "again"


@pytest.mark.parametrize(
    ("name", "age", "swept"),
    [
        (".a-part-0123456789abcdef.txt", 2 * DAY, True),  # as versions before named them, without a lock
        (".a-part-0123456789abcdef.txt", 0.5 * DAY, False),
        (".a-part-00000000-0123456789abcdef.txt", 2 * DAY, True),  # of another machine
        (".a-part-00000000-0123456789abcdef.txt", 0.5 * DAY, False),
        (f".a-part-{_HERE}-0123456789abcdef.txt", 0, True),
        (f".b-part-{_HERE}-0123456789abcdef.txt", 2 * DAY, False),
        (f".a-part-{_HERE}-0123456789abcdef.csv", 2 * DAY, False),
        (".a-part-mine.txt", 2 * DAY, False),
        ("a-part-0123456789abcdef.txt", 2 * DAY, False),
    ],
)
def test_only_what_was_certainly_left_behind_is_swept(tmp_path, name, age, swept):
    left = tmp_path / name
    left.write_text("half")
    os.utime(left, (time.time() - age,) * 2)
    with whole(tmp_path / "a.txt"):
        pass
    assert left.exists() is not swept


def test_links_folders_and_pipes_named_like_drafts_are_let_be(tmp_path):
    (tmp_path / "precious").write_text("mine")
    ends = [f"{number:016x}.txt" for number in range(3)]
    link, folder, pipe = (tmp_path / f".a-part-{_HERE}-{end}" for end in ends)
    link.symlink_to(tmp_path / "precious")
    folder.mkdir()
    os.mkfifo(pipe)
    with whole(tmp_path / "a.txt"):
        pass
    assert (tmp_path / "precious").read_text() == "mine"
    assert link.is_symlink() and folder.is_dir() and pipe.is_fifo()


@pytest.mark.parametrize(("age", "swept"), [(2 * DAY, True), (0.5 * DAY, False)])
def test_where_there_are_no_locks_age_alone_tells(tmp_path, monkeypatch, age, swept):
    monkeypatch.setattr(drafts, "_lock", lambda descriptor, *, wait: None)
    left = tmp_path / f".a-part-{_HERE}-0123456789abcdef.txt"
    left.write_text("half")
    os.utime(left, (time.time() - age,) * 2)
    with whole(tmp_path / "a.txt") as part:
        part.write_text("new")
    assert left.exists() is not swept and (tmp_path / "a.txt").read_text() == "new"


def test_a_draft_that_is_swept_before_it_is_locked_is_made_anew(tmp_path, monkeypatch):
    lock, swept = drafts._lock, []

    def late(descriptor, *, wait):
        if not swept:
            swept.extend(tmp_path.iterdir())
            swept[0].unlink()
        return lock(descriptor, wait=wait)

    monkeypatch.setattr(drafts, "_lock", late)
    with whole(tmp_path / "a.txt") as part:
        assert part not in swept
        part.write_text("new")
    assert (tmp_path / "a.txt").read_text() == "new" and names(tmp_path) == ["a.txt"]
