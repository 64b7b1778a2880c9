"""Archived scans: all the pixels that the decision rests on, never in an order's way, gone when their time is over."""

import hashlib
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
import pytest
import structlog

from station.core.errors import FAULTS, RecordError
from station.core.judgement import Judgement
from station.core.part import Block, Decision, Inspection, Pixels, Roi
from station.core.settings import CropSettings
from station.flow.crop import crop_block, find_part
from station.flow.patch import StripRoom, make_strip
from station.records import archivist
from station.records.archive import ScanImage, write_scan
from station.records.lane import ThreadLane
from station.records.ledger import SqliteLedger
from station.records.query import show_record
from tests.disk import Disk
from tests.housings import Destination, Verdict
from tests.lines import LINES_PER_TURN
from tests.record_samples import (
    INTERRUPTED,
    PART_TYPE,
    HandClock,
    account,
    blocks_of,
    decision,
    judgement,
    open_ledger,
    part,
)
from tests.turned import GEOMETRY

SENSOR_PX = 1600
LOW_CONFIDENCE = decision(Verdict.REVIEW, FAULTS["part.low_confidence"])
HALF_SCORED = replace(decision(), algorithm1=None, probabilities=decision().probabilities[:8])


@cache
def sensor_image(left: int = 700) -> Pixels:
    """A turned part on a noisy black background, its border darker than its surface."""
    random = np.random.default_rng(left)
    width = PART_TYPE.width_px
    image = random.normal(12, 3, (LINES_PER_TURN, SENSOR_PX)).astype(np.float32)
    surface = random.normal(120, 25, (LINES_PER_TURN, width))
    surface[:, :6] *= 0.5
    image[:, left : left + width] = surface
    return np.clip(image, 0, 255).astype(np.uint8)


def seen(image: Pixels, roi: Roi | None, chosen: Decision | None = None) -> Judgement:
    return judgement(chosen, blocks_of(image), roi)


async def judged(ledger: SqliteLedger, found: Judgement, part_id: str = "SMH-0001") -> Inspection:
    inspection = await ledger.enter(part(part_id), PART_TYPE)
    await ledger.judged(inspection, found)
    return inspection


def archived(folder: Path, inspection: Inspection) -> tuple[Pixels, dict[str, Any]]:
    shown = show_record(folder, inspection.inspection_id)
    assert shown["scan_state"] == "archived"
    content = (folder / shown["scan_file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == shown["scan_sha256"]
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return np.asarray(pixels, np.uint8), shown


def gated(lane: ThreadLane) -> threading.Event:
    """Holds a lane's thread until it is set."""
    gate, held = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        gate.wait()

    lane.submit(hold)
    held.wait()
    return gate


@pytest.mark.parametrize("left", [4, 60, 700, SENSOR_PX - PART_TYPE.width_px - 4])
async def test_the_part_is_found_again_in_its_archived_scan_and_gives_the_same_patches(
    tmp_path: Path, left: int
) -> None:
    crop = CropSettings()
    blocks = blocks_of(sensor_image(left))
    roi = find_part(blocks[0].pixels, crop)
    ledger = await open_ledger(tmp_path, archive=["pits"])
    inspection = await judged(ledger, judgement(None, blocks, roi))
    await ledger.close()
    pixels, shown = archived(tmp_path, inspection)
    again = blocks_of(pixels)
    found = find_part(again[0].pixels, crop)
    assert (found.left + shown["scan_left"], found.right + shown["scan_left"]) == (roi.left, roi.right)
    for before, after in zip(blocks, again, strict=True):
        strips = [
            make_strip(crop_block(*seen_at, PART_TYPE, crop), StripRoom(GEOMETRY))
            for seen_at in ((before, roi), (after, found))
        ]
        assert np.array_equal(strips[0].patches, strips[1].patches)


async def test_the_widest_background_that_the_crop_may_ask_for_is_archived(tmp_path: Path) -> None:
    crop = CropSettings(margin_px=256)
    image = sensor_image(600)
    roi = find_part(image[:448], crop)
    ledger = await open_ledger(tmp_path, archive=["pits"])
    inspection = await judged(ledger, seen(image, roi))
    await ledger.close()
    pixels, shown = archived(tmp_path, inspection)
    assert pixels.shape == (LINES_PER_TURN, roi.width + 2 * 256)
    assert find_part(pixels[:448], crop).left == roi.left - shown["scan_left"]


@pytest.mark.parametrize(
    ("roi", "chosen", "columns"),
    [
        (Roi(700, 1085), decision(), (444, 1341)),
        (Roi(700, 1085), LOW_CONFIDENCE, (444, 1341)),
        (Roi(100, 485), decision(), (0, 741)),
        (Roi(1200, 1585), decision(), (944, SENSOR_PX)),
        (Roi(700, 1085), HALF_SCORED, (0, SENSOR_PX)),
        (None, decision(), (0, SENSOR_PX)),
    ],
)
async def test_columns_around_a_judged_part_are_kept_and_all_when_it_was_not_judged(
    tmp_path: Path, roi: Roi | None, chosen: Decision, columns: tuple[int, int]
) -> None:
    image = sensor_image()
    ledger = await open_ledger(tmp_path, archive=["pits", "review"])
    inspection = await judged(ledger, seen(image, roi, chosen))
    await ledger.close()
    pixels, shown = archived(tmp_path, inspection)
    assert shown["scan_left"] == columns[0]
    assert np.array_equal(pixels, image[:, slice(*columns)])
    assert shown["scan_file"] == f"archive/2026/05/01/{inspection.inspection_id}.png"


async def test_an_invalid_scan_is_archived_as_far_as_it_came_with_all_columns(tmp_path: Path) -> None:
    image = sensor_image()
    found = replace(
        seen(image, Roi(700, 1085), LOW_CONFIDENCE),
        account=account(FAULTS["scan.incomplete"]),
        blocks=blocks_of(image)[:3],
    )
    ledger = await open_ledger(tmp_path, archive=["review"])
    inspection = await judged(ledger, found)
    await ledger.close()
    assert np.array_equal(archived(tmp_path, inspection)[0], image[: 3 * 448])


async def test_only_the_named_verdicts_are_archived(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path, archive=["scratches"])
    passed = await judged(ledger, seen(sensor_image(), None, decision(Verdict.DEFECT_FREE)))
    empty = await judged(ledger, judgement(decision(Verdict.SCRATCHES), blocks=()))
    await ledger.close()
    for inspection in (passed, empty):
        shown = show_record(tmp_path, inspection.inspection_id)
        assert (shown["scan_state"], shown["scan_file"], shown["scan_sha256"]) == (None, None, None)
    assert not (tmp_path / "archive").exists()


async def test_an_order_does_not_wait_for_the_archive_and_blocks_may_be_used_again(tmp_path: Path) -> None:
    image = sensor_image().copy()
    ledger = await open_ledger(tmp_path, archive=["pits"])
    gate = gated(ledger._archivist._lane)
    inspection = await judged(ledger, seen(image, None))
    image[:] = 0
    await ledger.order("robot", "unload", 3, inspection)
    await ledger.sorted(inspection, Destination.BIN_PITS)
    assert show_record(tmp_path, inspection.inspection_id)["scan_state"] == "pending"
    gate.set()
    await ledger.close()
    assert np.array_equal(archived(tmp_path, inspection)[0], sensor_image())


def events(folder: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(folder / "records.sqlite")) as connection:
        return connection.execute("SELECT event, detail FROM events").fetchall()


def unfit(folder: Path, inspection: Inspection) -> tuple[str, str, str]:
    """State of the record, of its scan, and the event that tells of it."""
    shown = show_record(folder, inspection.inspection_id)
    ((event, detail),) = events(folder)
    assert event == "scan_not_archived"
    assert shown["scan_archive_detail"] in detail
    return shown["state"], shown["scan_state"], shown["scan_archive_detail"]


async def test_a_scan_that_cannot_be_written_leaves_a_note_and_the_record_stands(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("in the way")
    ledger = await open_ledger(tmp_path, archive=["pits"])
    inspection = await judged(ledger, seen(sensor_image(), None))
    await ledger.sorted(inspection, Destination.BIN_PITS)
    await ledger.close()
    state, scan, detail = unfit(tmp_path, inspection)
    assert (state, scan) == ("sorted", "failed")
    assert "archive" in detail


async def test_a_scan_is_whole_under_its_name_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_fails(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    ledger = await open_ledger(tmp_path, archive=["pits"])
    await judged(ledger, seen(sensor_image(), None))
    gate = gated(ledger._archivist._lane)
    inspection = await judged(ledger, seen(sensor_image(), None))
    with monkeypatch.context() as patch:
        patch.setattr("station.core.durable.os.fsync", disk_fails)
        gate.set()
        gated(ledger._archivist._lane).set()
    await ledger.close()
    _state, scan, detail = unfit(tmp_path, inspection)
    assert scan == "failed"
    assert "No space left" in detail
    (whole,) = [file for file in (tmp_path / "archive").rglob("*") if file.is_file()]
    assert inspection.inspection_id not in whole.name


def test_a_scan_is_on_the_disk_before_its_name_and_costs_two_syncs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, day = Disk(monkeypatch), PurePosixPath("archive/2026/03/01")
    for number in range(2):
        disk.syncs.clear()
        write_scan(tmp_path, ScanImage(day / f"{number}.png", 0, np.zeros((8, 8), np.uint8)))
    assert disk.holds(tmp_path / day / "0.png", tmp_path / day / "1.png")
    assert disk.syncs == [tmp_path / "archive/incoming/1.png", tmp_path / day]


async def test_a_bug_in_the_archive_is_told_and_the_scan_stays_pending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_given: object) -> str:
        raise ValueError("unforeseen")

    monkeypatch.setattr("station.records.archive.write_scan", bug)
    with structlog.testing.capture_logs() as logged:
        ledger = await open_ledger(tmp_path, archive=["pits"])
        inspection = await judged(ledger, seen(sensor_image(), None))
        await ledger.close()
    assert [(entry["event"], str(entry["exc_info"])) for entry in logged] == [("bug_met", "unforeseen")]
    assert show_record(tmp_path, inspection.inspection_id)["scan_state"] == "pending"


async def test_more_scans_than_the_disk_takes_are_told_and_not_silently_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archivist, "SCANS_WAITING", 2)
    ledger = await open_ledger(tmp_path, archive=["pits"])
    gate = gated(ledger._archivist._lane)
    kept = await judged(ledger, seen(sensor_image(), None))
    over = await judged(ledger, seen(sensor_image(), None))
    with pytest.raises(RecordError, match="too many scans"):
        await ledger.prune()
    gate.set()
    await ledger.close()
    archived(tmp_path, kept)
    assert unfit(tmp_path, over) == ("judged", "failed", "2 scans are waiting for the disk")


def left_behind(folder: Path, change: Callable[[Path], object]) -> None:
    """Makes the folder what a stop between judgement and archive leaves."""
    with closing(sqlite3.connect(folder / "records.sqlite", isolation_level=None)) as connection:
        ((file,),) = connection.execute("SELECT file FROM scans").fetchall()
        connection.execute("UPDATE scans SET state = 'pending', sha256 = NULL")
    change(folder / file)


async def test_a_scan_that_a_stop_has_left_without_its_hash_gets_it(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path, archive=["pits"])
    inspection = await judged(ledger, seen(sensor_image(), None))
    await ledger.close()
    left_behind(tmp_path, lambda _file: None)
    await (await open_ledger(tmp_path)).close()
    assert np.array_equal(archived(tmp_path, inspection)[0], sensor_image())


async def test_a_scan_that_a_stop_has_cut_off_is_told_and_swept_away(tmp_path: Path) -> None:
    ledger = await open_ledger(tmp_path, archive=["pits"])
    inspection = await judged(ledger, seen(sensor_image(), None))
    await ledger.close()
    left_behind(tmp_path, lambda file: file.rename(tmp_path / "archive" / "incoming" / file.name))
    await (await open_ledger(tmp_path)).close()
    expected = "the station stopped before the scan was archived"
    assert unfit(tmp_path, inspection) == ("judged", "failed", expected)
    assert [file for file in (tmp_path / "archive").rglob("*") if file.is_file()] == []


def small() -> list[Block]:
    return blocks_of(np.full((LINES_PER_TURN, 64), 9, np.uint8))


async def test_scans_go_when_their_time_is_over_and_their_records_stay(tmp_path: Path) -> None:
    clock = HandClock()
    ledger = await open_ledger(
        tmp_path, clock, archive=["defect_free", "pits", "review"], keep_days={"defect_free": 1, "review": 30}
    )
    inspections = {}
    for name, verdict in (("passed", Verdict.DEFECT_FREE), ("pits", Verdict.PITS), ("turned", Verdict.DEFECT_FREE)):
        inspections[name] = await judged(ledger, judgement(decision(verdict), small(), None), name)
    await ledger.interrupted(inspections["turned"], INTERRUPTED, "now a review, and kept as one")

    async def states_after(**duration: float) -> tuple[int, list[str]]:
        clock.advance(**duration)
        removed = await ledger.prune()
        found = [show_record(tmp_path, one.inspection_id) for one in inspections.values()]
        assert all(len(shown["scan_sha256"]) == 64 for shown in found)
        assert [(tmp_path / shown["scan_file"]).is_file() for shown in found if shown["scan_file"]].count(False) == 0
        return removed, [shown["scan_state"] for shown in found]

    assert await states_after(hours=23) == (0, ["archived", "archived", "archived"])
    assert await states_after(hours=2) == (1, ["expired", "archived", "archived"])
    assert await states_after(days=28) == (0, ["expired", "archived", "archived"])
    assert await states_after(days=2) == (1, ["expired", "archived", "expired"])
    assert await states_after(days=9999) == (0, ["expired", "archived", "expired"])
    await ledger.close()
    assert len(list((tmp_path / "archive").rglob("*.png"))) == 1


async def test_a_scan_that_cannot_be_removed_is_tried_again_and_empty_folders_go(tmp_path: Path) -> None:
    clock = HandClock()
    ledger = await open_ledger(tmp_path, clock, archive=["pits"], keep_days={"pits": 1})
    await judged(ledger, judgement(decision(), small(), None))
    await ledger.prune()  # after the scan was archived
    (file,) = (tmp_path / "archive").rglob("*.png")
    file.rename(tmp_path / "kept.png")
    file.mkdir()
    clock.advance(days=2)
    assert await ledger.prune() == 0
    assert ("scan_not_removed", f"{file.relative_to(tmp_path)}: Is a directory") in events(tmp_path)
    file.rmdir()
    (tmp_path / "kept.png").rename(file)
    clock.advance(days=1)
    assert await ledger.prune() == 1
    await ledger.close()
    assert sorted(path.name for path in (tmp_path / "archive").iterdir()) == ["incoming"]
