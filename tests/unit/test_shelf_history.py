"""A history of promotions that is not whole is refused; the shipped network never judges instead, without a word."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from models.manifest import load_bundle
from models.release.shelf import Shelf
from models.weights import SHIPPED
from station.core.errors import ModelError
from tests.bundles import make_grey_bundle

ME = "me@here"
HISTORY, HEAD = "history.jsonl", "history.head"
AS_SHIPPED = """
import os, sys
from pathlib import Path
from models.release import shelf as module
shipped, folder = Path(sys.argv[1]), Path(sys.argv[2])
module.bundle_folder = lambda name: shipped if name in (module.SHIPPED, shipped.name) else Path(name)
shelf = module.Shelf(folder)
"""
PROMOTES_AND_DIES = (
    AS_SHIPPED
    + """
def step(call):
    def counted(*arguments, **options):
        global left
        if left == 0:
            os._exit(9)
        left -= 1
        return call(*arguments, **options)
    return counted

def promote(steps):
    global left
    left = steps
    for name in ("fsync", "replace", "rename", "mkdir", "chmod", "open", "unlink"):
        setattr(os, name, step(getattr(os, name)))
    module.Shelf(folder / str(steps)).promote(Path(sys.argv[3]), None, "new", "me")
    os._exit(0)

for steps in range(1000):
    if not os.fork():
        promote(steps)
    _pid, status = os.wait()
    print(os.waitstatus_to_exitcode(status), flush=True)
    if os.waitstatus_to_exitcode(status) != 9:
        break
"""
)
ONE_MORE = (
    AS_SHIPPED
    + """
for number in range(5):
    while True:
        other = {"new-2": "third-3", "third-3": "new-2"}[shelf.active().name]
        try:
            shelf.roll_back(other, f"{sys.argv[3]} {number}", "me")
            break
        except module.ModelError as error:
            if error.code != "model.unknown":  # the other process was quicker: it is used already
                raise
"""
)


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_grey_bundle(tmp_path / "shipped-1")
    monkeypatch.setattr(
        "models.release.shelf.bundle_folder", lambda name: folder if name in (SHIPPED, folder.name) else Path(name)
    )
    return folder


@pytest.fixture
def shelf(tmp_path: Path, shipped: Path) -> Shelf:
    """Promoted were new-2 and then third-3."""
    made = Shelf(tmp_path / "models")
    for name in ("new-2", "third-3"):
        made.promote(make_grey_bundle(tmp_path / name), None, name, ME)
    return made


def lines_of(shelf: Shelf) -> list[bytes]:
    return (shelf.folder / HISTORY).read_bytes().splitlines(keepends=True)


def write(*lines: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / HISTORY).write_bytes(b"".join(lines))


def refused(shelf: Shelf, tmp_path: Path, code: str = "model.bad_history") -> str:
    """It is refused whatever is wanted of it, and nothing is written; the detail."""
    before = sorted(path for path in shelf.folder.rglob("*") if path.name != ".lock")
    for use in (
        shelf.history,
        shelf.active,
        shelf.open_active,
        lambda: shelf.promote(tmp_path / "new-2", None, "again", ME),
        lambda: shelf.roll_back(None, "back", ME),
    ):
        with pytest.raises(ModelError) as caught:
            use()
        assert caught.value.code == code
    assert sorted(path for path in shelf.folder.rglob("*") if path.name != ".lock") == before
    return caught.value.detail


HARMS: dict[str, Callable[[Path, list[bytes]], object]] = {
    "last newline cut": lambda folder, lines: write(lines[0], lines[1][:-1])(folder),
    "zeros after it": lambda folder, lines: write(*lines, b"\0" * 512)(folder),
    "half a line after it": lambda folder, lines: write(*lines, lines[0][:40])(folder),
    "last block zeroed": lambda folder, lines: write(lines[0], b"\0" * len(lines[1]))(folder),
    "deleted": lambda folder, _lines: (folder / HISTORY).unlink(),
    "emptied": lambda folder, _lines: write()(folder),
    "last line cut off whole": lambda folder, lines: write(lines[0])(folder),
    "first line cut off whole": lambda folder, lines: write(lines[1])(folder),
    "last line edited": lambda folder, lines: write(lines[0], lines[1].replace(b"third-3", b"third-4"))(folder),
    "last line's reason edited": lambda folder, lines: write(lines[0], lines[1].replace(b'"me@', b'"us@'))(folder),
    "first line twice": lambda folder, lines: write(lines[0], *lines)(folder),
    "last line twice": lambda folder, lines: write(*lines, lines[1])(folder),
    "an empty line after it": lambda folder, lines: write(*lines, b"\n")(folder),
    "line ends of another system": lambda folder, lines: write(*(x.replace(b"\n", b"\r\n") for x in lines))(folder),
    "a folder in its place": lambda folder, _lines: ((folder / HISTORY).unlink(), (folder / HISTORY).mkdir()),
    "a link to nowhere in its place": lambda folder, _lines: (
        (folder / HISTORY).unlink(), (folder / HISTORY).symlink_to(folder / "gone"),
    ),
    "seal emptied": lambda folder, _lines: (folder / HEAD).write_bytes(b""),
    "seal zeroed": lambda folder, _lines: (folder / HEAD).write_bytes(b"\0" * 90),
    "a folder in the seal's place": lambda folder, _lines: ((folder / HEAD).unlink(), (folder / HEAD).mkdir()),
    "all but the bundles deleted": lambda folder, _lines: ((folder / HISTORY).unlink(), (folder / HEAD).unlink()),
    "restored from before the last promotion, without its seal": lambda folder, lines: (
        write(lines[0])(folder), (folder / HEAD).unlink(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
def test_a_history_that_is_not_whole_is_refused(shelf: Shelf, tmp_path: Path, harm: str) -> None:
    HARMS[harm](shelf.folder, lines_of(shelf))
    assert str(shelf.folder) in refused(shelf, tmp_path)


def test_a_history_of_another_shelf_is_refused(shelf: Shelf, tmp_path: Path, shipped: Path) -> None:
    other = Shelf(tmp_path / "other")
    for name in ("new-2", "third-3"):
        other.promote(tmp_path / name, None, "there", ME)
    shutil.copy(other.folder / HISTORY, shelf.folder / HISTORY)
    refused(shelf, tmp_path)


def test_a_history_that_may_not_be_read_is_refused(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Path.read_bytes

    def read_others(path: Path) -> bytes:
        if path.name == HISTORY:
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_others)
    assert "Permission denied" in refused(shelf, tmp_path, "config.file_failed")


def test_going_back_that_was_cut_off_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    """Otherwise the network that was found to be worse would judge again."""
    shelf.roll_back(None, "worse", ME)
    write(*lines_of(shelf)[:-1])(shelf.folder)
    assert "1 of its 3 lines" in refused(shelf, tmp_path)


# ---------------------------------------------------------------------- older versions


def as_an_older_version_left_it(shelf: Shelf) -> None:
    (shelf.folder / HEAD).unlink()


def test_a_history_of_an_older_version_goes_on_and_is_sealed_with_the_next_decision(
    shelf: Shelf, tmp_path: Path
) -> None:
    as_an_older_version_left_it(shelf)
    assert shelf.open_active().identity.name == "third-3"
    assert "2 of 2 lines are not sealed" in (shelf.doubt() or "")
    shelf.roll_back(None, "worse", ME)
    assert shelf.doubt() is None
    assert shelf.active().name == "new-2"
    lines = lines_of(shelf)
    write(*lines[:2], lines[2].replace(b"worse", b"wurst"))(shelf.folder)
    refused(shelf, tmp_path)


def test_a_decision_that_an_older_version_has_written_is_obeyed_and_told(shelf: Shelf) -> None:
    head = (shelf.folder / HEAD).read_bytes()
    shelf.roll_back(None, "by an older version, which knows no seal", ME)
    (shelf.folder / HEAD).write_bytes(head)
    assert shelf.active().name == "new-2"
    assert "1 of 3 lines are not sealed" in (shelf.doubt() or "")
    shelf.roll_back("third-3", "better", ME)
    assert shelf.doubt() is None


def test_a_sealed_history_is_read_by_an_older_version(shelf: Shelf) -> None:
    """Its lines have the keys that they always had."""
    keys = {"at", "by", "action", "bundle", "sha256", "replaces", "replaces_sha256", "gate", "reason", "line_before"}
    assert [set(json.loads(line)) for line in lines_of(shelf)] == [keys, keys]


def test_a_bundle_that_was_never_promoted_does_no_harm_beside_a_sealed_history(shelf: Shelf, tmp_path: Path) -> None:
    shutil.copytree(make_grey_bundle(tmp_path / "stray-9"), shelf.folder / "bundles" / "stray-9-000000000000")
    assert shelf.active().name == "third-3"


# ---------------------------------------------------------------------- power cuts and races


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_power_cut_at_any_moment_leaves_the_old_or_the_new_bundle_promoted(tmp_path: Path, shipped: Path) -> None:
    new = make_grey_bundle(tmp_path / "new-2")
    old, wanted = load_bundle(shipped).identity, load_bundle(new).identity
    died = run(PROMOTES_AND_DIES, shipped, tmp_path / "models", new)
    statuses = died.stdout.split()
    assert set(statuses[:-1]) == {"9"}, died.stderr
    assert statuses[-1] == "0"
    shelves = [Shelf(tmp_path / "models" / str(steps)) for steps in range(len(statuses))]
    promoted = [shelf.open_active().identity for shelf in shelves]
    assert promoted == sorted(promoted, key=lambda identity: identity == wanted), "first the old one, then the new one"
    assert {promoted[0], promoted[-1]} == {old, wanted}
    for shelf in shelves:
        if shelf.active() == old:
            shelf.promote(new, None, "again", ME)
        else:
            shelf.roll_back(None, "back", ME)
        assert shelf.doubt() is None


def test_two_processes_decide_one_after_the_other(shelf: Shelf, shipped: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", ONE_MORE, str(shipped), str(shelf.folder), str(number)])
        for number in range(2)
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(shelf.history()) == 2 + 2 * 5
    assert shelf.doubt() is None
