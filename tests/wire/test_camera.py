"""The camera driver on real producers: what it refuses, how it survives, and that nothing is left of it."""

import asyncio
import contextlib
import gc
import itertools
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import genicam
import numpy as np
import pytest

from drivers.camera import GenTLCamera
from sim.gentl import producer_path
from sim.pace import Speed
from sim.scene import Scene
from station.core.camera_settings import CameraSettings, ChunkSettings
from station.core.errors import BugError, CameraError
from station.core.part import BLOCKS_PER_TURN, LINES_PER_BLOCK, LINES_PER_TURN, Block, LineAccount, ScanRecipe
from station.flow.acquire import Accountant
from tests.own_children import camera_process, children

WIDTH_PX = 320
IMAGE = np.random.default_rng(7).integers(0, 256, (LINES_PER_TURN, WIDTH_PX), dtype=np.uint8)
RECIPE = ScanRecipe(line_rate_hz=30_000.0, exposure_us=20.0)
NUMBERS = itertools.count()
VIKY = Path(genicam.__file__).with_name("viky.cti")
ROOT = Path(__file__).resolve().parents[2]

Setup = dict[str, str | int | float | bool]
Rows = tuple[tuple[str, str | bool], ...]


@pytest.fixture
def scene() -> Iterator[Scene]:
    with Scene.create(f"/camera-wire-{os.getpid()}-{next(NUMBERS)}", WIDTH_PX, Speed.REAL) as made:
        made.show(IMAGE)
        made.turn(int(LINES_PER_TURN / RECIPE.line_rate_hz * 1e9), time.monotonic_ns())
        yield made


@pytest.fixture
def setup(scene: Scene) -> Setup:
    return {
        "SimScene": f"/camera-wire-{os.getpid()}-{next(NUMBERS) - 1}",
        "PixelFormat": "Mono8",
        "Width": WIDTH_PX,
        "OffsetX": 0,
        "Height": LINES_PER_BLOCK,
        "AcquisitionMode": "MultiFrame",
        "AcquisitionFrameCount": BLOCKS_PER_TURN,
        "TriggerSelector": "AcquisitionStart",
        "TriggerMode": "On",
        "TriggerSource": "Line0",
    }


Make = Callable[..., GenTLCamera]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes cameras and closes them."""
    made: list[GenTLCamera] = []

    def one(setup: Setup, rows: Rows = (), **others: Any) -> GenTLCamera:
        document = {
            "producers": [str(producer_path())],
            "width_px": WIDTH_PX,
            "max_line_rate_hz": 100_000,
            "buffers": 9,
            "block_timeout_s": 0.3,
            "late_block_s": 0.3,
            "setup": [{"feature": feature, "value": value} for feature, value in (*setup.items(), *rows)],
        }
        made.append(GenTLCamera(CameraSettings.model_validate(document | others)))
        return made[-1]

    yield one
    for camera in made:
        await camera.close()


async def one_turn(camera: GenTLCamera) -> list[Block]:
    async with camera.turn() as turn:
        return [block async for block in turn.blocks()]


async def refusal(action: Any) -> CameraError:
    with pytest.raises(CameraError) as refused:
        await action
    return refused.value


# ------------------------------------------------------------------ opening


async def test_a_producer_file_that_is_not_there_is_named(make: Make, setup: Setup, tmp_path: Path) -> None:
    error = await refusal(make(setup, producers=[str(tmp_path / "vendor.cti")]).open())
    assert error.code == "camera.no_producer"
    assert "vendor.cti" in error.detail


async def test_a_file_that_is_no_library_is_no_producer(make: Make, setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "vendor.cti").write_text("no library")
    error = await refusal(make(setup, producers=[str(tmp_path / "vendor.cti")]).open())
    assert error.code == "camera.no_producer"
    assert "vendor.cti" in error.detail


@pytest.mark.parametrize("folders", [None, "", "/nowhere", "{empty}"])
async def test_without_any_producer_the_search_path_is_named(
    make: Make, setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders: str | None
) -> None:
    monkeypatch.delenv("GENICAM_GENTL64_PATH", raising=False)
    if folders is not None:
        monkeypatch.setenv("GENICAM_GENTL64_PATH", folders.replace("{empty}", str(tmp_path)))
    error = await refusal(make(setup, producers=[]).open())
    assert error.code == "camera.no_producer"
    assert "GENICAM_GENTL64_PATH" in error.detail


async def test_producers_are_found_on_the_search_path(
    make: Make, setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "linked.cti").symlink_to(producer_path())
    monkeypatch.setenv("GENICAM_GENTL64_PATH", os.pathsep.join(["/nowhere", str(tmp_path)]))
    camera = make(setup, producers=[])
    await camera.open()
    assert (await camera.prepare(RECIPE))["DeviceModelName"] == "Simulated Line Scan"


async def test_a_wrong_serial_number_is_told_with_those_found(make: Make) -> None:
    error = await refusal(make({}, producers=[str(VIKY)], serial_number="77").open())
    assert error.code == "camera.not_found"
    assert "77" in error.detail
    assert "0, 1, 2" in error.detail


async def test_several_cameras_need_a_serial_number(make: Make) -> None:
    error = await refusal(make({}, producers=[str(VIKY)]).open())
    assert error.code == "camera.not_found"
    assert "0, 1, 2" in error.detail


async def test_an_opening_that_takes_too_long_is_ended(make: Make, setup: Setup) -> None:
    camera = make(setup, open_timeout_s=0.001)
    error = await refusal(camera.open())
    assert error.code == "camera.process_died"
    assert "Connect" in error.detail
    assert children() == set()


# ------------------------------------------------------------------ features

REFUSALS = [
    ("Gamut", 1, "Gamut: the camera has no such feature"),
    ("Height", "448", "Height = '448': the feature is a whole number"),
    ("Height", True, "the feature is a whole number"),
    ("Height", 448.5, "the feature is a whole number"),
    ("ChunkModeActive", 1, "the feature is a switch"),
    ("ExposureTime", "20", "the feature is a number"),
    ("ExposureTime", 0.0, "ExposureTime = 0.0: Value 0.000000 must be greater"),
    ("PixelFormat", 8, "the feature is one of a list of names"),
    ("TriggerSource", "Line7", "it offers Software, Line0, Encoder0"),
    ("SimScene", 5, "the feature is a text"),
    ("AcquisitionStop", False, "the feature is a command"),
    ("DeviceModelName", "Mine", "DeviceModelName = 'Mine'"),
    ("Width", 100_000, "must be equal or smaller than"),
    ("AcquisitionFrameCount", 7, "AcquisitionFrameCount is 7, a turn is 8 blocks"),
    ("AcquisitionMode", "Continuous", "a turn needs 'MultiFrame'"),
]


@pytest.mark.parametrize(("feature", "value", "words"), REFUSALS)
async def test_a_setting_that_cannot_be_is_refused_in_words(
    make: Make, setup: Setup, feature: str, value: Any, words: str
) -> None:
    error = await refusal(make(setup | {feature: value}).open())
    assert error.code == "camera.feature_refused"
    assert words in error.detail
    assert children() == set()


@pytest.mark.parametrize(("feature", "value"), [("Height", 447), ("Height", 449), ("Width", WIDTH_PX - 8)])
async def test_another_image_format_than_the_stations_is_refused(
    make: Make, setup: Setup, feature: str, value: Any
) -> None:
    error = await refusal(make(setup | {feature: value}).open())
    assert error.code == "camera.bad_image"
    assert error.detail.startswith(f"{feature} is {value!r}, the station needs")


async def test_features_of_every_kind_are_written_and_told(make: Make, setup: Setup) -> None:
    camera = make(setup | {"Gain": 6, "BlackLevel": 2.5, "ChunkModeActive": False, "AcquisitionStop": True})
    await camera.open()
    features = await camera.prepare(RECIPE)
    plain = {name: value for name, value in setup.items() if not name.startswith("Trigger")}
    assert {name: features[name] for name in plain} == plain
    assert (features["Gain"], features["BlackLevel"], features["ChunkModeActive"]) == (6.0, 2.5, False)
    assert "AcquisitionStop" not in features
    assert features["DeviceSerialNumber"]
    assert 0 < features["DeviceTemperature"] < 100  # type: ignore[operator]


async def test_a_feature_behind_a_selector_is_told_for_each_choice(make: Make, setup: Setup) -> None:
    rows = (
        ("TriggerSelector", "FrameStart"),
        ("TriggerMode", "Off"),
        ("TriggerSelector", "AcquisitionStart"),
        ("TriggerMode", "On"),
        ("TriggerSelector", "FrameStart"),
        ("TriggerSource", "Software"),
    )
    camera = make(setup, rows)
    await camera.open()
    for _ in range(2):
        features = await camera.prepare(RECIPE)
        told = {key: value for key, value in features.items() if key.startswith("Trigger")}
        assert told == {
            "TriggerMode[FrameStart]": "Off",
            "TriggerMode[AcquisitionStart]": "On",
            "TriggerSource[FrameStart]": "Software",
            "TriggerSource[AcquisitionStart]": "Line0",
        }
    await camera.close()


@pytest.mark.parametrize("pixel_format", ["Mono12", "Mono16"])
async def test_wider_pixels_become_the_same_eight_bits(make: Make, setup: Setup, pixel_format: str) -> None:
    camera = make(setup | {"PixelFormat": pixel_format})
    await camera.open()
    assert (await camera.prepare(RECIPE))["PixelFormat"] == pixel_format
    blocks = await one_turn(camera)
    np.testing.assert_array_equal(np.concatenate([block.pixels for block in blocks]), IMAGE)


async def test_a_refused_recipe_leaves_the_camera_usable(make: Make, setup: Setup) -> None:
    camera = make(setup)
    await camera.open()
    error = await refusal(camera.prepare(ScanRecipe(line_rate_hz=1e9, exposure_us=20.0)))
    assert error.code == "camera.feature_refused"
    assert "AcquisitionLineRate = 1000000000.0" in error.detail
    await camera.prepare(RECIPE)
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN


# ------------------------------------------------------------------ images


async def test_at_the_jigs_own_pace_the_image_is_whole_and_stamped_by_the_producer(make: Make, setup: Setup) -> None:
    camera = make(setup)
    await camera.open()
    await camera.prepare(RECIPE)
    blocks = await one_turn(camera)
    np.testing.assert_array_equal(np.concatenate([block.pixels for block in blocks]), IMAGE)
    distances = np.diff([block.last_line_ns for block in blocks])
    np.testing.assert_allclose(distances, LINES_PER_BLOCK / RECIPE.line_rate_hz * 1e9, rtol=1e-3)


async def test_another_vendors_producer_without_time_stamps_delivers_a_turn(make: Make) -> None:
    camera = make(
        {"PixelFormat": "Mono8", "Width": WIDTH_PX, "Height": LINES_PER_BLOCK, "ChunkModeActive": False},
        producers=[str(VIKY)],
        serial_number="1",
        names={"line_rate_hz": "AcquisitionFrameRate", "exposure_us": "BouncingBallSize"},
    )
    await camera.open()
    await camera.prepare(ScanRecipe(line_rate_hz=200.0, exposure_us=20.0))
    for _ in range(2):
        blocks = await one_turn(camera)
        assert [block.frame_id for block in blocks] == list(range(BLOCKS_PER_TURN))
        assert all(block.pixels.any() and block.delivered_lines == LINES_PER_BLOCK for block in blocks)
        assert all(0 <= block.arrived_ns - block.last_line_ns < 1e9 for block in blocks)


async def test_blocks_that_are_kept_are_never_overwritten(make: Make, setup: Setup) -> None:
    camera = make(setup)
    await camera.open()
    await camera.prepare(RECIPE)
    kept = [[block.pixels[:, 5:9] for block in await one_turn(camera)] for _ in range(3)]
    with pytest.raises(BugError, match="24 of 24 camera blocks are still in use"):
        await one_turn(camera)
    for turn in kept:
        np.testing.assert_array_equal(np.concatenate(turn), IMAGE[:, 5:9])
    kept.pop(1)
    del turn
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN


async def test_pixels_outlive_the_camera(make: Make, setup: Setup) -> None:
    camera = make(setup)
    await camera.open()
    await camera.prepare(RECIPE)
    blocks = await one_turn(camera)
    await camera.close()
    np.testing.assert_array_equal(np.concatenate([block.pixels for block in blocks]), IMAGE)


# ------------------------------------------------------------------ what the camera says of its lines

CHUNKS = {
    "frame_id": "ChunkFrameID",
    "encoder_value": "ChunkEncoderValue",
    "line_selector": "ChunkScanLineSelector",
    "line_status": "ChunkLineStatusAll",
    "counter_bits": 64,
}
INPUTS = (("ChunkSelector", "LineStatusAll"), ("ChunkEnable", True))
BY_ENCODER = (
    *INPUTS,
    ("TriggerSelector", "LineStart"),
    ("TriggerMode", "On"),
    ("TriggerSource", "Encoder0"),
)


def make_chunked(make: Make, setup: Setup, **chunks: Any) -> GenTLCamera:
    """A camera whose lines follow the jig's encoder, and which tells of them."""
    return make(setup | {"ChunkModeActive": True}, BY_ENCODER, chunks=CHUNKS | {"index_bit": 0} | chunks)


async def account_of(camera: GenTLCamera, chunks: ChunkSettings | None = None) -> LineAccount:
    accountant = Accountant(chunks or camera._settings.chunks)
    async with camera.turn() as turn:
        async for block in turn.blocks():
            accountant.take(block)
        return accountant.close(turn.discarded_blocks)


async def test_each_block_comes_with_what_the_camera_says_of_its_lines(make: Make, setup: Setup) -> None:
    camera = make_chunked(make, setup)
    await camera.open()
    await camera.prepare(RECIPE)
    for _ in range(2):
        marks = [block.marks for block in await one_turn(camera)]
        first = marks[0] and marks[0].first_encoder
        assert first is not None
        assert first % LINES_PER_TURN == 0
        expected = [(number + 1, first + 448 * number, first + 448 * number + 447) for number in range(8)]
        assert [(mark.frame_id, mark.first_encoder, mark.last_encoder) for mark in marks if mark] == expected
        assert [mark.line_status & 1 for mark in marks if mark and mark.line_status is not None] == [1] + [0] * 7
        assert not any(mark.absent for mark in marks if mark)
    account = await account_of(camera)
    assert account.valid, account.detail
    assert ", encoder " in account.detail


@pytest.mark.parametrize("lines", [1, 100])
@pytest.mark.parametrize("number", [0, 3, 7])
async def test_lines_that_a_camera_drops_without_a_word_make_the_scan_incomplete(
    make: Make, setup: Setup, number: int, lines: int
) -> None:
    faulty = {"SimFaultBlock": number + 1, "SimPartialLines": lines, "SimFault": "DropLines"}
    camera = make_chunked(make, setup | faulty)
    await camera.open()
    await camera.prepare(RECIPE)
    account = await account_of(camera)
    assert account.fault is not None
    assert (account.fault.code, account.delivered_lines) == ("scan.incomplete", LINES_PER_TURN)
    assert account.detail == f"{lines} lines lost inside block {number}, by the encoder"
    again = await account_of(camera)
    assert again.valid, again.detail


async def test_with_a_divider_each_line_takes_so_many_counts(make: Make, setup: Setup) -> None:
    camera = make_chunked(make, setup | {"EncoderDivider": 3}, counts_per_line=3)
    await camera.open()
    await camera.prepare(RECIPE)
    assert (await account_of(camera)).valid
    wrong = camera._settings.chunks.model_copy(update={"counts_per_line": 1})
    assert "lines lost inside block 0" in (await account_of(camera, wrong)).detail


async def test_a_turn_that_begins_anywhere_is_not_believed(make: Make, setup: Setup, scene: Scene) -> None:
    setup = setup | {"ChunkModeActive": True, "TriggerMode": "Off"}
    camera = make(setup, INPUTS, chunks={"line_status": "ChunkLineStatusAll", "index_bit": 0})
    await camera.open()
    await camera.prepare(RECIPE)
    half_a_turn_ns = 60_000_000_000
    scene.turn(2 * half_a_turn_ns, time.monotonic_ns() - half_a_turn_ns)
    assert (await account_of(camera)).detail == "block 0 does not begin at the index pulse"
    scene.turn(2 * half_a_turn_ns, time.monotonic_ns())
    assert (await account_of(camera)).valid


async def test_what_the_camera_does_not_send_is_said_at_start_and_allowed(make: Make, setup: Setup) -> None:
    doubts: list[str] = []
    for changes, chunks, doubt in (
        ({"ChunkModeActive": True}, CHUNKS, None),
        ({"ChunkModeActive": True}, CHUNKS | {"line_selector": "LineOfChunk"}, "last block"),
        ({"ChunkModeActive": True}, CHUNKS | {"encoder_value": "Counter", "line_selector": "Line"}, "Counter, Line"),
        ({"ChunkModeActive": False}, CHUNKS, "ChunkFrameID, ChunkEncoderValue, ChunkScanLineSelector"),
        ({}, {}, "camera.chunks does not name"),
    ):
        doubts.clear()
        camera = make(setup | changes, INPUTS, chunks=chunks)
        camera._doubt = doubts.append
        await camera.open()
        await camera.prepare(RECIPE)
        account = await account_of(camera, ChunkSettings(tolerance_lines=1))
        assert account.valid, account.detail
        assert len(doubts) == (doubt is not None)
        assert (doubt or "") in "".join(doubts)
        await camera.close()


async def test_a_chunk_that_was_not_enabled_is_missed_in_every_block(make: Make, setup: Setup) -> None:
    camera = make(setup | {"ChunkModeActive": True}, chunks=CHUNKS)
    await camera.open()
    await camera.prepare(RECIPE)
    account = await account_of(camera, ChunkSettings(tolerance_lines=1))
    assert account.fault is not None
    assert account.fault.code == "scan.incomplete"
    assert account.detail.count("came without ChunkLineStatusAll") == BLOCKS_PER_TURN


# ------------------------------------------------------------------ survival


async def test_a_killed_process_is_told_at_once_and_started_again(make: Make, setup: Setup) -> None:
    camera = make(setup, block_timeout_s=60)
    await camera.open()
    await camera.prepare(RECIPE)

    async def scan_and_kill() -> None:
        async with camera.turn() as turn:
            async for _ in turn.blocks():
                os.kill(camera_process(), signal.SIGKILL)

    async with asyncio.timeout(2):
        error = await refusal(scan_and_kill())
    assert error.code == "camera.process_died"
    assert "SIGKILL" in error.detail
    for action in (camera.prepare(RECIPE), one_turn(camera)):
        assert (await refusal(action)).code == "camera.process_died"
    await camera.open()
    await camera.prepare(RECIPE)
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN


async def test_a_process_killed_while_nothing_is_asked_is_told_by_the_next_call(make: Make, setup: Setup) -> None:
    camera = make(setup)
    await camera.open()
    os.kill(camera_process(), signal.SIGKILL)
    assert (await refusal(camera.prepare(RECIPE))).code == "camera.process_died"


async def test_a_producer_that_hangs_in_a_turn_costs_the_turn_and_its_process_is_ended(
    make: Make, setup: Setup
) -> None:
    camera = make(setup | {"SimFaultBlock": 3, "SimFault": "Hang"})
    await camera.open()
    await camera.prepare(RECIPE)
    assert len(await one_turn(camera)) == 2
    assert (await refusal(camera.prepare(RECIPE))).code == "camera.process_died"
    await camera.open()
    await camera.prepare(RECIPE)
    assert len(await two_blocks_and_close_while_it_hangs(camera)) == 2
    assert children() == set()


async def test_a_producer_that_hangs_before_the_first_block_is_a_timeout(make: Make, setup: Setup) -> None:
    camera = make(setup | {"SimFaultBlock": 1, "SimFault": "Hang"})
    await camera.open()
    await camera.prepare(RECIPE)
    assert (await refusal(one_turn(camera))).code == "camera.timeout"


async def two_blocks_and_close_while_it_hangs(camera: GenTLCamera) -> list[Block]:
    async with camera.turn() as turn:
        coming = turn.blocks()
        blocks = [await anext(coming), await anext(coming)]
        began = time.monotonic()
        await camera.close()
    assert time.monotonic() - began < 2
    return blocks


async def test_an_overdue_block_ends_the_turn_after_its_lines_time_and_the_margin(make: Make, setup: Setup) -> None:
    camera = make(setup | {"SimFaultBlock": BLOCKS_PER_TURN, "SimFault": "DropFrame"}, block_timeout_s=60)
    await camera.open()
    await camera.prepare(RECIPE)
    async with camera.turn() as turn:
        coming = turn.blocks()
        for _ in range(BLOCKS_PER_TURN - 1):
            await anext(coming)
        began = time.monotonic()
        with pytest.raises(StopAsyncIteration):
            await anext(coming)
    assert 0.3 < time.monotonic() - began < 2


async def test_an_acquisition_may_be_longer_than_a_turn(setup: Setup) -> None:
    blocks = 100
    rows = setup | {"AcquisitionMode": "Continuous", "TriggerMode": "Off"}
    settings = CameraSettings.model_validate(
        {
            "producers": [str(producer_path())],
            "width_px": WIDTH_PX,
            "max_line_rate_hz": 1,
            "buffers": 9,
            "setup": [{"feature": feature, "value": value} for feature, value in rows.items()],
        }
    )
    camera = GenTLCamera(settings, blocks)
    try:
        await camera.open()
        async with camera.turn() as turn:
            seen = [(block.frame_id, int(block.pixels[0, 0])) async for block in turn.blocks()]
    finally:
        await camera.close()
    assert [frame_id for frame_id, _ in seen] == list(range(blocks))
    assert {pixel for _, pixel in seen} <= set(IMAGE[:, 0].tolist())


async def test_closing_wakes_whoever_waits_for_a_block(make: Make, setup: Setup, scene: Scene) -> None:
    scene.stand_still()
    camera = make(setup, block_timeout_s=60)
    await camera.open()
    await camera.prepare(RECIPE)
    async with camera.turn() as turn:
        waiting = asyncio.ensure_future(anext(turn.blocks()))
        await asyncio.sleep(0)
        await camera.close()
        error = await refusal(waiting)
    assert (error.code, error.detail) == ("camera.lost", "it was closed")


async def test_a_cancelled_opening_leaves_nothing_and_the_next_one_works(make: Make, setup: Setup) -> None:
    camera = make(setup)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await camera.open()
    assert children() == set()
    await camera.open()
    await camera.prepare(RECIPE)


async def test_a_cancelled_wait_for_a_block_leaves_the_camera_usable(make: Make, setup: Setup, scene: Scene) -> None:
    scene.stand_still()
    camera = make(setup, block_timeout_s=60)
    await camera.open()
    await camera.prepare(RECIPE)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await one_turn(camera)
    scene.turn(int(LINES_PER_TURN / RECIPE.line_rate_hz * 1e9), time.monotonic_ns())
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN


async def test_ctrl_c_is_the_stations_to_answer(make: Make, setup: Setup) -> None:
    camera = make(setup)
    await camera.open()
    os.kill(camera_process(), signal.SIGINT)
    await camera.prepare(RECIPE)
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN


# ------------------------------------------------------------------ what is left


async def test_nothing_is_left_and_nothing_is_printed(
    make: Make, setup: Setup, capfd: pytest.CaptureFixture[str]
) -> None:
    def held() -> tuple[list[str], list[str], set[int]]:
        gc.collect()  # errors of earlier tests may still hold blocks
        files = sorted(str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink())
        maps = Path("/proc/self/maps").read_text().splitlines()
        return files, [line for line in maps if "camera-blocks" in line], children()

    camera = make(setup)
    before = held()
    for _ in range(2):
        await camera.open()
        await camera.prepare(RECIPE)
        await one_turn(camera)
        await camera.close()
    with contextlib.suppress(CameraError):
        await make(setup | {"Height": 7}).open()
    assert held() == before
    assert capfd.readouterr() == ("", "")


STATION = """
import asyncio, os, sys
from pathlib import Path
from drivers.camera import GenTLCamera
from station.core.settings import CameraSettings
camera = GenTLCamera(CameraSettings.model_validate_json(sys.argv[1]))
async def main():
    await camera.open()
    async with camera.turn():
        print(Path(f"/proc/self/task/{os.getpid()}/children").read_text(), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_the_process_ends_with_a_killed_station(setup: Setup, scene: Scene) -> None:
    scene.stand_still()
    settings = CameraSettings.model_validate(
        {
            "producers": [str(producer_path())],
            "width_px": WIDTH_PX,
            "max_line_rate_hz": 1,
            "setup": [{"feature": feature, "value": value} for feature, value in setup.items()],
        }
    )
    command = [sys.executable, "-c", STATION, settings.model_dump_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as station:  # noqa: ASYNC220
        assert station.stdout is not None
        pid = int(station.stdout.readline())
        watch = os.pidfd_open(pid)
        station.kill()
    ended, _, _ = select.select([watch], [], [], 5)
    os.close(watch)
    assert ended
