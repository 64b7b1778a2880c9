"""What is written is there whole after a loss of power, or not at all; and nobody has a way of his own to write so."""

import ast
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.core.durable import make_folder, make_folder_in, move, put, staged_file, staged_folder, sync, write_whole
from tests.disk import Disk

ROOT = Path(__file__).parents[2]
DURABLE = "station/core/durable.py"
OTHERWISE = {"station/core/log_file.py": "turns the names of files that were written long ago"}
"""Who renames for another reason."""
OF_THE_SYSTEM = {"os.fsync", "os.rename", "os.renames", "os.replace", "shutil.move"}


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


# ---------------------------------------------------------------------- the disk of these tests


def test_the_disk_notes_what_is_renamed_before_it_is_synced(tmp_path: Path, disk: Disk) -> None:
    (tmp_path / "draft").write_bytes(b"new")
    (tmp_path / "draft").replace(tmp_path / "place")
    sync(tmp_path)
    assert disk.torn == [tmp_path / "place"]
    assert not disk.holds(tmp_path / "place")


def test_the_disk_notes_what_is_written_after_it_was_synced(tmp_path: Path, disk: Disk) -> None:
    (tmp_path / "draft").write_bytes(b"new")
    sync(tmp_path / "draft")
    (tmp_path / "draft").write_bytes(b"newer")
    (tmp_path / "draft").rename(tmp_path / "place")
    assert disk.torn == [tmp_path / "place"]


def test_the_disk_notes_a_name_that_was_not_synced(tmp_path: Path, disk: Disk) -> None:
    (tmp_path / "draft").write_bytes(b"new")
    sync(tmp_path / "draft")
    (tmp_path / "draft").replace(tmp_path / "place")
    assert (disk.torn, disk.nameless) == ([], [tmp_path / "place"])


# ---------------------------------------------------------------------- files


def test_a_file_is_on_the_disk_before_it_has_its_name_and_its_name_when_the_call_returns(
    tmp_path: Path, disk: Disk
) -> None:
    write_whole(tmp_path / "place", b"new")
    assert disk.holds(tmp_path / "place")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
    assert len(disk.syncs) == 2


def test_what_replaces_a_file_has_its_rights(tmp_path: Path, disk: Disk) -> None:
    place = tmp_path / "place"
    place.write_bytes(b"old")
    place.chmod(0o604)
    write_whole(place, b"new")
    assert disk.holds(place)
    assert (place.read_bytes(), stat.S_IMODE(place.stat().st_mode)) == (b"new", 0o604)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_what_root_writes_belongs_to_whom_the_old_file_did(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.write_bytes(b"old")
    os.chown(place, 1234, 4321)
    write_whole(place, b"new")
    assert (place.stat().st_uid, place.stat().st_gid) == (1234, 4321)


def test_of_a_link_what_it_leads_to_is_replaced(tmp_path: Path, disk: Disk) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere" / "place")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert disk.holds(tmp_path / "elsewhere" / "place")


def test_what_is_no_file_is_written_to_and_stays_what_it_is(tmp_path: Path, disk: Disk) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, b"new")
    assert os.read(reader, 9) == b"new"
    os.close(reader)
    assert pipe.is_fifo()
    assert disk.put == []
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, b"new")


def test_a_new_file_has_the_rights_that_were_asked_for(tmp_path: Path) -> None:
    with staged_file(tmp_path / "place", mode=0o640) as file:
        file.write(b"new")
    assert stat.S_IMODE((tmp_path / "place").stat().st_mode) == 0o640


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fails(*_given: object) -> None:
        raise OSError(5, "Input/output error")

    (tmp_path / "place").write_bytes(b"old")
    monkeypatch.setattr(os, step, fails)
    with pytest.raises(OSError, match="Input/output"):
        write_whole(tmp_path / "place", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"place": b"old"}


def test_who_gives_up_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, disk: Disk) -> None:
    def half() -> None:
        with staged_file(tmp_path / "place") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    (tmp_path / "place").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        half()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"place": b"old"}
    assert disk.put == []


def test_what_a_loss_of_power_left_is_written_over(tmp_path: Path, disk: Disk) -> None:
    staged = tmp_path / "place.part"
    staged.write_bytes(b"a longer half")
    with staged_file(tmp_path / "place", staged) as file:
        file.write(b"new")
    assert disk.holds(tmp_path / "place")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"place": b"new"}


# ---------------------------------------------------------------------- folders


def test_a_folder_has_its_name_when_everything_in_it_is_on_the_disk(tmp_path: Path, disk: Disk) -> None:
    with staged_folder(tmp_path / "place") as staged:
        (staged / "inner").mkdir()
        (staged / "inner" / "file").write_bytes(b"new")
        (staged / ".hidden").write_bytes(b"new")
    assert disk.holds(tmp_path / "place")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


def test_a_folder_takes_no_place_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    with pytest.raises(FileExistsError), staged_folder(tmp_path / "place") as staged:
        (staged / "file").write_bytes(b"new")
    assert [path.name for path in tmp_path.rglob("*")] == ["place"]


def test_of_a_folder_that_was_given_up_nothing_is_left(tmp_path: Path) -> None:
    def half() -> None:
        with staged_folder(tmp_path / "place") as staged:
            (staged / "file").write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert list(tmp_path.iterdir()) == []


def test_every_folder_that_is_made_is_in_one_that_was_synced(tmp_path: Path, disk: Disk) -> None:
    make_folder(tmp_path / "a" / "b")
    assert disk.syncs == [tmp_path, tmp_path / "a"]
    make_folder(tmp_path / "a" / "b")
    make_folder_in(tmp_path, Path("a/b/c"), 0o750)
    assert disk.syncs == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]
    assert stat.S_IMODE((tmp_path / "a/b/c").stat().st_mode) == 0o750


def test_a_home_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        make_folder_in(tmp_path / "gone", Path("a"))
    assert list(tmp_path.iterdir()) == []


def test_what_was_filled_elsewhere_is_put_and_moved_durably(tmp_path: Path, disk: Disk) -> None:
    (tmp_path / "draft").write_bytes(b"new")
    put(tmp_path / "draft", tmp_path / "place")
    assert disk.holds(tmp_path / "place")
    make_folder(tmp_path / "aside")
    disk.syncs.clear()
    move(tmp_path / "place", tmp_path / "aside" / "place")
    assert disk.holds(tmp_path / "aside" / "place")
    assert disk.syncs == [tmp_path / "aside", tmp_path]


# ---------------------------------------------------------------------- nobody else


def renaming(tree: ast.AST) -> Iterator[int]:
    """The lines where a module syncs, or renames a file or folder."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of_a_path = len(node.args) == 1 and not node.keywords  # a text's replace has two, a date's has names
            if ast.unparse(node.func) in OF_THE_SYSTEM or (node.func.attr in {"rename", "replace"} and of_a_path):
                yield node.lineno


@pytest.mark.parametrize(
    "code", ["os.fsync(one)", "os.replace(one, other)", "path.rename(other)", "path.with_name('a').replace(other)"]
)
def test_a_way_of_ones_own_is_found(code: str) -> None:
    assert list(renaming(ast.parse(code))) == [1]


@pytest.mark.parametrize("code", ["text.replace('a', 'b')", "date.replace(hour=1)", "replace(settings, crop=crop)"])
def test_other_replacements_are_none(code: str) -> None:
    assert list(renaming(ast.parse(code))) == []


def test_nobody_else_syncs_or_renames() -> None:
    files = (path for package in ("station", "drivers", "models", "config") for path in (ROOT / package).rglob("*.py"))
    names = {path.relative_to(ROOT).as_posix(): path for path in files}
    found = {name for name, path in names.items() if list(renaming(ast.parse(path.read_text(encoding="utf-8"))))}
    assert found == {DURABLE, *OTHERWISE}
