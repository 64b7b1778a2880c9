"""What the cell scans becomes a recording that can be read again."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from station.core.errors import FAULTS, ConfigError, RecordError
from station.core.events import ScanJudged
from station.core.part import Announcement, Inspection, Pixels
from station.core.recording import read_recording, read_scan
from station.host.recorder import WAITING_SCANS, ScanRecorder
from tests.lines import LINES_PER_TURN
from tests.record_samples import PART_TYPE, account, blocks_of, judgement


def surface(seed: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (LINES_PER_TURN, 2000), np.uint8)


def scan(part_id: str, image: Pixels, fault: str | None = None) -> ScanJudged:
    inspection = Inspection(part_id, 1, Announcement(1, part_id, 7), PART_TYPE, datetime(2026, 5, 1, tzinfo=UTC))
    return ScanJudged(inspection, judgement(blocks=blocks_of(image), lines=account(FAULTS[fault] if fault else None)))


async def test_complete_scans_become_a_recording_with_ids_types_and_no_label(tmp_path: Path) -> None:
    recorder = ScanRecorder(tmp_path / "new" / "recording", 3, 0)
    for part_id, seed, fault in [("A", 1, None), ("lost", 2, "scan.incomplete"), ("A", 3, None), ("B/../C", 4, None)]:
        recorder.watch(scan(part_id, surface(seed), fault))
        assert not recorder.enough.is_set()
    await recorder.enough.wait()
    recorder.watch(scan("more than asked for", surface(5)))
    recorder.close()
    assert recorder.written == 3
    recording = read_recording(tmp_path / "new" / "recording", {PART_TYPE.name})
    assert recording.problems == ()
    assert [(one.part_id, one.part_type, one.label) for one in recording.scans] == [
        ("A", PART_TYPE.name, None),
        ("A~2", PART_TYPE.name, None),
        ("B/../C", PART_TYPE.name, None),
    ]
    for one, seed in zip(recording.scans, (1, 3, 4), strict=True):
        np.testing.assert_array_equal(read_scan(one.file, {3584}), surface(seed)[:, 1000 - 256 : 1385 + 256])


async def test_pixels_are_copied_before_the_camera_may_overwrite_them(tmp_path: Path) -> None:
    image = surface(1)
    recorder = ScanRecorder(tmp_path, 1, 0)
    recorder.watch(scan("A", image))
    image[:] = 0
    recorder.close()
    np.testing.assert_array_equal(read_scan(tmp_path / "00001.png", {3584}), surface(1)[:, 744:1641])


async def test_a_full_disk_ends_the_recording_with_a_word(tmp_path: Path) -> None:
    recorder = ScanRecorder(tmp_path, 2, 0)
    (tmp_path / "recording.jsonl").mkdir()
    recorder.watch(scan("A", surface(1)))
    await recorder.enough.wait()
    with pytest.raises(RecordError) as failed:
        recorder.close()
    assert failed.value.code == "record.disk_failed"


@pytest.mark.parametrize(
    "spoil", [lambda folder: (folder / "photo.png").touch(), lambda folder: (folder.rmdir(), folder.touch())]
)
async def test_a_folder_that_is_no_empty_one_is_refused(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    folder = tmp_path / "recording"
    folder.mkdir()
    spoil(folder)
    with pytest.raises(ConfigError):
        ScanRecorder(folder, 1, 0)


async def test_a_writer_that_lags_costs_scans_and_never_the_cells_time(tmp_path: Path) -> None:
    recorder = ScanRecorder(tmp_path, 100, 0)
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()
    recorder._writer.submit(lambda: asyncio.run_coroutine_threadsafe(gate.wait(), loop).result())
    image = surface(1)
    for number in range(WAITING_SCANS + 4):
        recorder.watch(scan(f"A{number}", image))
    gate.set()
    await loop.run_in_executor(None, recorder.close)
    assert recorder.written == WAITING_SCANS
