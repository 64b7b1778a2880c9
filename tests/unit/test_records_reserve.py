"""A reserve of the disk is the records' own: archive, log, cache, recordings stop before it; the oldest scans go."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
import structlog

from station.core.errors import RecordError
from station.core.log_file import LogFile
from station.core.room import MB, free_bytes, require_room, require_writable
from station.core.settings import RecordSettings
from station.host.networks import MODEL_CACHE, _cache
from station.host.recorder import ScanRecorder
from tests.cell.bench import settings
from tests.file_systems import mounted
from tests.housings import Destination, Verdict
from tests.lines import LINES_PER_TURN
from tests.record_samples import PART_TYPE, blocks_of, decision, judgement, open_ledger, part
from tests.unit.test_recorder import scan, surface

COLUMNS = 64
DISK_MB, RESERVE_MB = 5, 2
MORE_THAN_ANY_DISK = 10**18


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", "-o", f"size={DISK_MB}m") as folder:
        yield folder


async def sort(folder: Path, verdicts: list[Verdict], **rules: object) -> list[str]:
    """Sort parts with these verdicts, each with a scan of 230 kB; what has become of their scans."""
    rules = {"archive": ["pits", "review"], "keep_days": {"pits": 1}, "reserve_mb": RESERVE_MB, "low_mb": 3, **rules}
    ledger = await open_ledger(folder, **rules)
    noise = np.random.default_rng(1)
    for number, verdict in enumerate(verdicts):
        inspection = await ledger.enter(part(f"P-{number}"), PART_TYPE)
        image = noise.integers(0, 256, (LINES_PER_TURN, COLUMNS), np.uint8)
        await ledger.judged(inspection, judgement(decision(verdict), blocks=blocks_of(image), roi=None))
        await ledger.sorted(inspection, Destination.BIN_PITS)
        ledger._archivist._lane.wait()
    await ledger.close()
    with closing(sqlite3.connect(folder / "records.sqlite")) as database:
        return [row[0] for row in database.execute("SELECT state FROM scans ORDER BY inspection")]


def images(folder: Path) -> list[Path]:
    return list(folder.rglob("*.png"))


def events(folder: Path) -> dict[str, str]:
    with closing(sqlite3.connect(folder / "records.sqlite")) as database:
        return dict(database.execute("SELECT event, detail FROM events"))


def left_over(folder: Path) -> float:
    """Of the disk, beside what the records themselves take, in MB."""
    records = sum(path.stat().st_blocks * 512 for path in folder.glob("records*"))
    return (free_bytes(folder) + records) / MB


async def test_the_oldest_scans_make_way_for_new_ones_and_the_reserve_stays(disk: Path) -> None:
    states = await sort(disk, [Verdict.PITS] * 20)
    kept = states.count("archived")
    assert 2 < kept < 16
    assert states == ["expired"] * (20 - kept) + ["archived"] * kept
    assert left_over(disk) >= RESERVE_MB
    assert len(images(disk)) == kept
    assert "scans_made_way" in events(disk)


async def test_a_scan_that_is_kept_for_ever_makes_no_way_and_the_new_one_is_told(disk: Path) -> None:
    states = await sort(disk, [Verdict.REVIEW] * 20)
    kept = states.count("archived")
    assert states == ["archived"] * kept + ["failed"] * (20 - kept)
    assert "for the records' reserve" in events(disk)["scan_not_archived"]
    assert left_over(disk) >= RESERVE_MB


async def test_none_makes_way_where_that_is_configured(disk: Path) -> None:
    states = await sort(disk, [Verdict.PITS] * 20, when_full="none")
    assert states == sorted(states)
    assert {"archived", "failed"} == set(states)


async def test_what_else_fills_the_disk_empties_no_archive(disk: Path) -> None:
    before = await sort(disk, [Verdict.PITS] * 6)
    assert set(before) == {"archived"}
    with (disk / "ballast").open("wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, free_bytes(disk) - 600_000)
    after = await sort(disk, [Verdict.PITS])
    assert after == ["expired"] * 2 + ["archived"] * 4 + ["failed"]


def test_the_log_gives_up_its_older_files_and_then_lines_before_it_touches_the_reserve(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "station.jsonl"
    with closing(LogFile(path, 20, 3)) as unhindered:
        for number in range(3):
            unhindered.take(b"%d 456789012345678\n" % number)
    assert {file.name for file in path.parent.iterdir()} == {path.name, f"{path.name}.1", f"{path.name}.2"}
    with structlog.testing.capture_logs() as said, closing(LogFile(path, 20, 3, MORE_THAN_ANY_DISK)) as hindered:
        assert hindered.take(b"lost\n") == 5
        assert hindered.take(b"lost\n") == 5
    assert [path.name for path in path.parent.iterdir()] == ["station.jsonl"]
    assert path.read_bytes() == b"2 456789012345678\n"
    assert [(line["event"], "reserve" in line["error"]) for line in said] == [("log_file_failed", True)]


def test_the_cache_of_networks_is_done_without_before_the_reserve_is_touched(tmp_path: Path) -> None:
    roomy = settings()
    records = roomy.records.model_copy(update={"reserve_mb": MORE_THAN_ANY_DISK // MB})
    full = roomy.model_copy(update={"records": records})
    assert _cache(tmp_path, roomy) == tmp_path / MODEL_CACHE
    assert _cache(tmp_path, full) is None
    (tmp_path / MODEL_CACHE).mkdir()
    assert _cache(tmp_path, full) == tmp_path / MODEL_CACHE, "what is there takes no more"


async def test_a_recording_ends_before_the_reserve_is_touched(tmp_path: Path) -> None:
    recorder = ScanRecorder(tmp_path, 2, MORE_THAN_ANY_DISK)
    recorder.watch(scan("A", surface(1)))
    await recorder.enough.wait()
    with pytest.raises(RecordError, match="reserve"):
        recorder.close()
    assert images(tmp_path) == []


def test_room_is_told_where_a_folder_is_still_to_be_made(tmp_path: Path) -> None:
    free = free_bytes(tmp_path / "not" / "yet")
    assert free == pytest.approx(free_bytes(tmp_path), abs=500 * MB)
    require_room(tmp_path, 1, 0)
    with pytest.raises(OSError, match="MB are lacking"):
        require_room(tmp_path, 1, MORE_THAN_ANY_DISK)


@pytest.mark.parametrize("wrong", [{"reserve_mb": 10, "low_mb": 9}, {"when_full": "all"}, {"reserve_mb": -1}])
def test_a_rule_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(json.loads(json.dumps(wrong)))).split("_")[0]):
        RecordSettings.model_validate(wrong)


# ---------------------------------------------------------------------- whether a folder takes a file


def test_a_folder_that_takes_files_is_made_and_left_empty(tmp_path: Path) -> None:
    require_writable(tmp_path / "a" / "b")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b"]


def test_a_full_disk_takes_none(disk: Path) -> None:
    with suppress(OSError):
        (disk / "filler").write_bytes(bytes(2 * DISK_MB * MB))
    with pytest.raises(OSError, match="No space left"):
        require_writable(disk)


@pytest.mark.parametrize("below", [".", "below"])
def test_a_file_takes_none(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        require_writable(tmp_path / "file" / below)
