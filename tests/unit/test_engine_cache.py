"""The cache of compiled networks: what is not as it was sealed is thrown away, and nothing of it stops the station."""

from collections.abc import Callable
from pathlib import Path

import pytest

from models.engines.cache import SUMS, open_cache, seal_cache


def filled(folder: Path) -> Path:
    assert open_cache(folder) == folder
    (folder / "1.blob").write_bytes(b"compiled")
    seal_cache(folder)
    return folder


def blobs(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != SUMS)


def test_what_was_sealed_is_kept(tmp_path: Path) -> None:
    folder = filled(tmp_path / "cache" / "net")
    assert open_cache(folder) == folder
    assert blobs(folder) == ["1.blob"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "1.blob").write_bytes(b"compiLed"),
        lambda folder: (folder / "1.blob").write_bytes(b""),
        lambda folder: (folder / "1.blob").unlink(),
        lambda folder: (folder / "2.blob").write_bytes(b"never sealed"),
        lambda folder: (folder / SUMS).unlink(),
        lambda folder: (folder / SUMS).write_text("no json"),
        lambda folder: (folder / SUMS).write_bytes(b"\xff\xfe"),
        lambda folder: (folder / SUMS).write_text("[]"),
    ],
    ids=["one byte", "empty", "file gone", "foreign file", "sums gone", "sums cut", "sums no text", "sums of nothing"],
)
def test_what_is_not_as_it_was_sealed_is_thrown_away(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    folder = filled(tmp_path / "net")
    damage(folder)
    assert open_cache(folder) == folder
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "net").write_text("a file is in the way")
    assert open_cache(tmp_path / "net") is None


def test_a_folder_that_holds_a_folder_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "net" / "other").mkdir(parents=True)
    assert open_cache(tmp_path / "net") is None


def test_sums_that_cannot_be_written_stop_nothing(tmp_path: Path) -> None:
    folder = filled(tmp_path / "net")
    (folder / SUMS).unlink()
    (folder / SUMS).mkdir()
    seal_cache(folder)
