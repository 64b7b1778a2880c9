"""When the simulated camera's lines come and which row each shows: by the clock, by the jig's encoder, by command."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from genicam.genapi import GenericException
from genicam.gentl import TimeoutException

from sim.scene import Scene
from station.core.choices import Speed
from station.core.errors import BugError
from tests.wire.line_camera import BLOCK, LINE_RATE_HZ, LINES, PERIOD_NS, WIDTH, Camera, pattern

MakeScene = Callable[[Speed], Scene]


@pytest.fixture
def scene(camera: Camera, make_scene: MakeScene, scene_name: str, surface: np.ndarray) -> Iterator[Scene]:
    """A surface under the camera, real time."""
    made = make_scene(Speed.REAL)
    made.show(surface)
    camera.set(SimScene=scene_name)
    return made


def follow_encoder(camera: Camera, **others: Any) -> None:
    camera.set(TriggerSelector="LineStart", TriggerMode="On", TriggerSource="Encoder0", **others)


def turn_of(camera: Camera) -> np.ndarray:
    return np.concatenate([block.image for block in camera.fetch_turn()])


@pytest.mark.parametrize("faster", [0.7, 1.0, 1.3])
def test_lines_by_the_encoder_show_each_row_once_at_any_speed(
    camera: Camera, scene: Scene, surface: np.ndarray, faster: float
) -> None:
    scene.turn(round(PERIOD_NS / faster), time.monotonic_ns())
    follow_encoder(camera)
    camera.arm_turn()
    assert np.array_equal(turn_of(camera), surface)


@pytest.mark.parametrize(("faster", "rows"), [(0.5, LINES // 2), (2.0, LINES)])
def test_lines_by_the_clock_repeat_or_lose_rows_at_another_speed(
    camera: Camera, scene: Scene, surface: np.ndarray, faster: float, rows: int
) -> None:
    scene.turn(round(PERIOD_NS / faster), time.monotonic_ns())
    camera.arm_turn()
    shown = (np.arange(LINES) * faster + faster / 2).astype(int)
    assert np.array_equal(turn_of(camera), surface[shown % LINES])
    assert len(set(shown)) == rows


def test_a_jig_that_changes_its_speed_within_a_turn_still_gives_each_row_once(
    camera: Camera, scene: Scene, surface: np.ndarray
) -> None:
    epoch_ns = time.monotonic_ns()
    scene.turn(PERIOD_NS, epoch_ns)
    follow_encoder(camera)
    camera.arm_turn()
    blocks = [camera.fetch(), camera.fetch()]
    angle = (time.monotonic_ns() - epoch_ns) % PERIOD_NS
    scene.turn(2 * PERIOD_NS, time.monotonic_ns() - 2 * angle)
    blocks += [camera.fetch() for _ in range(6)]
    assert np.array_equal(np.concatenate([block.image for block in blocks]), surface)


def test_the_camera_waits_while_the_jig_stands_and_goes_on_with_it(camera: Camera, scene: Scene) -> None:
    follow_encoder(camera)
    camera.set(ChunkModeActive=True, Height=16)
    camera.chunks = True
    camera.acquirer.start()
    with pytest.raises(TimeoutException):
        camera.acquirer.fetch(timeout=0.03)
    scene.turn(PERIOD_NS, time.monotonic_ns())
    first = [camera.fetch().encoder for _ in range(3)]
    scene.stand_still()
    while (left := camera.acquirer.try_fetch(timeout=0.03)) is not None:
        left.queue()
    scene.turn(PERIOD_NS, time.monotonic_ns())
    encoder = camera.fetch().encoder
    assert np.array_equal(np.diff(first), [16, 16])
    assert encoder is not None
    assert encoder >= 0


def test_the_divider_leaves_rows_out(camera: Camera, scene: Scene, surface: np.ndarray) -> None:
    scene.turn(PERIOD_NS, time.monotonic_ns())
    follow_encoder(camera, EncoderDivider=4)
    camera.arm_turn()
    shown = np.concatenate([camera.fetch().image for _ in range(2)])
    assert np.array_equal(shown, surface[0 : 2 * BLOCK * 4 : 4])


def test_a_pulse_within_an_exposure_is_missed(camera: Camera, scene: Scene, surface: np.ndarray) -> None:
    scene.turn(PERIOD_NS, time.monotonic_ns())  # a row every 50 us
    follow_encoder(camera, ExposureTime=120.0, SimNominalExposure=120.0)
    camera.arm_turn()
    assert np.array_equal(camera.fetch().image, surface[0 : 3 * BLOCK : 3])


def test_at_maximum_pace_lines_by_the_encoder_are_the_surface_too(
    camera: Camera, make_scene: MakeScene, scene_name: str, surface: np.ndarray
) -> None:
    made = make_scene(Speed.MAX)
    made.show(surface)
    camera.set(SimScene=scene_name)
    follow_encoder(camera)
    camera.arm_turn()
    with pytest.raises(TimeoutException):
        camera.acquirer.fetch(timeout=0.05)
    made.turn(PERIOD_NS, time.monotonic_ns())
    assert np.array_equal(turn_of(camera), surface)


@pytest.mark.parametrize("source", ["Encoder0", "Off"])
@pytest.mark.parametrize("speed", list(Speed))
def test_a_part_that_slips_is_seen_again_and_again_at_that_row(
    camera: Camera, make_scene: MakeScene, scene_name: str, surface: np.ndarray, source: str, speed: Speed
) -> None:
    made = make_scene(speed)
    made.show(surface)
    made.slip(1000, 50)
    camera.set(SimScene=scene_name)
    if source != "Off":
        follow_encoder(camera)
    camera.arm_turn()
    made.turn(PERIOD_NS, time.monotonic_ns() + 20_000_000)
    image = turn_of(camera)
    assert np.array_equal(image, surface[np.r_[0:1001, [1000] * 50, 1001 : LINES - 50]])


def test_a_slip_that_no_turn_has_is_refused(camera: Camera, scene: Scene) -> None:
    for row, rows in [(-1, 1), (LINES, 1), (0, -1), (LINES - 1, 2)]:
        with pytest.raises(BugError, match="cannot slip"):
            scene.slip(row, rows)


def test_software_triggers_give_one_line_each(camera: Camera) -> None:
    camera.set(Width=64, Height=3, TriggerSelector="LineStart", TriggerMode="On", TriggerSource="Software")
    camera.acquirer.start()
    for _ in range(3):
        with pytest.raises(TimeoutException):
            camera.acquirer.fetch(timeout=0.02)
        camera.nodes.TriggerSoftware.execute()
    assert np.array_equal(camera.fetch().image, pattern(0, 3, 64))


def test_lines_by_the_index_come_once_a_turn(camera: Camera, scene: Scene, surface: np.ndarray) -> None:
    scene.turn(10_000_000, time.monotonic_ns())
    camera.set(Height=4, TriggerSelector="LineStart", TriggerMode="On", TriggerSource="Line0", ChunkModeActive=True)
    camera.chunks = True
    camera.acquirer.start()
    blocks = [camera.fetch() for _ in range(2)]
    assert np.array_equal(np.concatenate([block.image for block in blocks]), surface[[0] * 8])
    assert blocks[0].encoder is not None
    assert blocks[1].encoder == blocks[0].encoder + 4 * LINES


# ---- what the camera says of its lines ----


@pytest.mark.parametrize(
    ("exposure_us", "trigger", "expected_hz"),
    [(20.0, "Off", LINE_RATE_HZ), (50.0, "Off", LINE_RATE_HZ), (80.0, "Off", 12_500.0), (80.0, "On", 12_500.0),
     (2.0, "On", 200_000.0)],
)  # fmt: skip
def test_the_resulting_line_rate_is_told(camera: Camera, exposure_us: float, trigger: str, expected_hz: float) -> None:
    camera.set(AcquisitionLineRate=LINE_RATE_HZ, ExposureTime=exposure_us)
    camera.set(TriggerSelector="LineStart", TriggerMode=trigger)
    assert camera.nodes.AcquisitionResultingLineRate.value == pytest.approx(expected_hz)
    assert camera.nodes.AcquisitionLineRate.value == LINE_RATE_HZ


def test_an_exposure_longer_than_the_period_lowers_the_line_rate(camera: Camera) -> None:
    camera.set(Width=64, Height=100, AcquisitionLineRate=LINE_RATE_HZ, ExposureTime=100.0)
    camera.acquirer.start()
    blocks = [camera.fetch() for _ in range(4)]
    gaps = np.diff([block.timestamp_ns for block in blocks])
    assert gaps == pytest.approx(100 * 100_000, abs=2)


def test_the_encoder_counts_and_is_reset(camera: Camera, scene: Scene) -> None:
    assert camera.nodes.EncoderValue.value == 0
    scene.turn(PERIOD_NS, time.monotonic_ns() - 10 * PERIOD_NS)
    assert camera.nodes.EncoderValue.value >= 10 * LINES
    camera.nodes.EncoderReset.execute()
    assert 0 <= camera.nodes.EncoderValue.value < 10 * LINES
    scene.stand_still()
    camera.nodes.EncoderReset.execute()
    assert camera.nodes.EncoderValue.value == 0


def test_chunks_tell_encoder_and_lines_at_the_blocks_first_line(
    camera: Camera, make_scene: MakeScene, scene_name: str
) -> None:
    make_scene(Speed.MAX).turn(PERIOD_NS, time.monotonic_ns())
    camera.set(SimScene=scene_name, ChunkModeActive=True, ChunkSelector="LineStatusAll", ChunkEnable=True)
    assert camera.nodes.PayloadSize.value == WIDTH * BLOCK + 8 + 8 * BLOCK + 8
    camera.arm_turn()
    seen = []
    for _ in range(8):
        with camera.acquirer.fetch(timeout=20) as buffer:
            nodes = camera.nodes
            seen.append((buffer.module.frame_id, nodes.ChunkEncoderValue.value, nodes.ChunkLineStatusAll.value))
            assert nodes.ChunkFrameID.value == buffer.module.frame_id
    assert seen == [(1, 0, 1), *((number + 1, number * BLOCK, 0) for number in range(1, 8))]


@pytest.mark.parametrize(("divider", "speed"), [(1, Speed.REAL), (3, Speed.REAL), (1, Speed.MAX)])
def test_the_encoder_is_told_for_each_line(
    camera: Camera, make_scene: MakeScene, scene_name: str, divider: int, speed: Speed
) -> None:
    make_scene(speed).turn(PERIOD_NS, time.monotonic_ns())
    camera.set(SimScene=scene_name, ChunkModeActive=True)
    follow_encoder(camera, EncoderDivider=divider)
    camera.arm_turn()
    told = []
    for _ in range(3):
        with camera.acquirer.fetch(timeout=20):
            for line in range(BLOCK):
                camera.nodes.ChunkScanLineSelector.value = line
                told.append(camera.nodes.ChunkEncoderValue.value)
    assert told[0] % LINES == 0
    assert set(np.diff(told)) == {divider}


def test_lines_that_are_lost_leave_a_jump_in_the_encoder(camera: Camera) -> None:
    camera.set(ChunkModeActive=True, SimFaultBlock=2, SimPartialLines=7, SimFault="DropLines")
    camera.arm_turn()
    told = []
    for _ in range(3):
        with camera.acquirer.fetch(timeout=20):
            for line in range(BLOCK):
                camera.nodes.ChunkScanLineSelector.value = line
                told.append(camera.nodes.ChunkEncoderValue.value)
    steps = np.diff(told)
    assert list(np.flatnonzero(steps != 1)) == [BLOCK + BLOCK // 2 - 1]
    assert steps.max() == 8


def test_a_line_that_the_block_does_not_have_is_refused(camera: Camera) -> None:
    camera.set(Width=64, Height=8, ChunkModeActive=True)
    camera.acquirer.start()
    with camera.acquirer.fetch(timeout=20):
        camera.nodes.ChunkScanLineSelector.value = 8
        with pytest.raises(GenericException):
            _ = camera.nodes.ChunkEncoderValue.value
        camera.nodes.ChunkScanLineSelector.value = 7
        assert camera.nodes.ChunkEncoderValue.value == 7


def test_only_the_chunks_that_are_enabled_are_appended(camera: Camera) -> None:
    camera.set(Width=64, Height=8, ChunkModeActive=True)
    for selector in ("FrameID", "LineStatusAll", "EncoderValue"):
        camera.set(ChunkSelector=selector, ChunkEnable=selector == "EncoderValue")
    assert camera.nodes.PayloadSize.value == 64 * 8 + 8 * 8
    camera.acquirer.start()
    for number in range(3):
        with camera.acquirer.fetch(timeout=20) as buffer:
            assert camera.nodes.ChunkEncoderValue.value == 8 * number
            assert buffer.payload.components[0].delivered_image_height == 8
