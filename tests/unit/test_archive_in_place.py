"""Scans go where the others are: an archive that was taken away is told, and nothing is made in its owner's place."""

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from station.core.part import Block
from station.records import archive
from station.records.archive import ScanImage
from station.records.ledger import SqliteLedger
from tests.file_systems import mounted, unmount
from tests.lines import LINES_PER_TURN
from tests.record_samples import PART_TYPE, blocks_of, judgement, open_ledger, part


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    with mounted(tmp_path / "disk") as folder:
        yield folder


def small() -> list[Block]:
    return blocks_of(np.full((LINES_PER_TURN, 64), 9, np.uint8))


async def archive_one(ledger: SqliteLedger, part_id: str) -> None:
    inspection = await ledger.enter(part(part_id), PART_TYPE)
    await ledger.judged(inspection, judgement(blocks=small(), roi=None))
    await asyncio.to_thread(ledger._archivist._lane.wait)


def rows(folder: Path, question: str) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(folder / "records.sqlite")) as connection:
        return connection.execute(question).fetchall()


def scan_states(folder: Path) -> list[tuple[str, ...]]:
    question = "SELECT part_id, scans.state FROM scans JOIN inspections ON inspection = number ORDER BY number"
    return rows(folder, question)


async def test_an_archive_that_was_deleted_is_told_once_and_scans_go_on(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path, archive=["pits"])
    await archive_one(ledger, "A")
    shutil.rmtree(tmp_path / "archive")
    for name in "BC":
        await archive_one(ledger, name)
    await ledger.close()
    assert scan_states(tmp_path) == [("A", "archived"), ("B", "archived"), ("C", "archived")]
    assert len(list((tmp_path / "archive").rglob("*.png"))) == 2
    ((event, detail),) = rows(tmp_path, "SELECT event, detail FROM events")
    assert event == "archive_gone"
    assert f"{tmp_path / 'archive'} is not there any more" in detail


async def test_an_archive_that_is_missing_at_the_start_is_told(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path, archive=["pits"])
    await archive_one(ledger, "A")
    await ledger.close()
    shutil.rmtree(tmp_path / "archive")
    await (await open_ledger(tmp_path)).close()
    ((event, detail),) = rows(tmp_path, "SELECT event, detail FROM events")
    assert (event, detail) == ("archive_gone", f"{tmp_path / 'archive'} is not there; scans that should be in it: 1")


async def test_no_scan_is_written_to_a_folder_that_is_made_in_place_of_the_own_one(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    ledger = await open_ledger(folder, archive=["pits"])
    await archive_one(ledger, "A")
    gate = threading.Event()
    ledger._archivist._lane.submit(gate.wait)
    inspection = await ledger.enter(part("B"), PART_TYPE)
    await ledger.judged(inspection, judgement(blocks=small(), roi=None))
    folder.rename(tmp_path / "elsewhere")
    gate.set()
    await asyncio.to_thread(ledger._archivist._lane.wait)
    assert not folder.exists()
    await ledger.close()
    assert not folder.exists()
    assert scan_states(tmp_path / "elsewhere") == [("A", "archived"), ("B", "pending")]


async def test_a_data_folder_that_is_moved_away_while_a_scan_is_encoded_is_not_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    ledger = await open_ledger(folder, archive=["pits"])
    await archive_one(ledger, "A")
    encode = archive.encode_scan

    def encode_meanwhile(image: ScanImage) -> bytes:
        folder.rename(elsewhere)
        return encode(image)

    with monkeypatch.context() as patched:
        patched.setattr(archive, "encode_scan", encode_meanwhile)
        await archive_one(ledger, "B")
    assert not folder.exists(), "it can be moved back"
    elsewhere.rename(folder)
    await archive_one(ledger, "C")
    await ledger.close()
    assert [state for _part, state in scan_states(folder)][::2] == ["archived", "archived"]


async def test_no_scan_is_written_beneath_an_archive_whose_file_system_is_gone(disk: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "archive").symlink_to(disk)
    ledger = await open_ledger(tmp_path / "data", archive=["pits"])
    await archive_one(ledger, "A")
    unmount(disk)
    await archive_one(ledger, "B")
    await ledger.close()
    assert not any(disk.iterdir())  # noqa: ASYNC240  # an empty folder
    assert scan_states(tmp_path / "data") == [("A", "archived"), ("B", "failed")]
