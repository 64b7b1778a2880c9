"""The simulated camera as a consumer meets it: the real library, through harvesters."""

import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from genicam.genapi import AccessException, GenericException
from genicam.gentl import TimeoutException
from harvesters.core import Harvester

from sim.scene import Scene
from station.core.choices import Speed
from tests.wire.line_camera import BLOCK, LINE_RATE_HZ, LINES, PERIOD_NS, WIDTH, Camera, pattern

# ---- enumeration and features ----


def test_one_line_scan_camera_is_listed(harvester: Harvester) -> None:
    (device,) = harvester.device_info_list
    assert (device.vendor, device.serial_number, device.tl_type) == ("Inspection Station", "SLS-0001", "Custom")
    assert device.access_status == 1


FEATURES = [
    ("Width", 1024), ("Height", 64), ("OffsetX", 16), ("PixelFormat", "Mono16"), ("AcquisitionMode", "SingleFrame"),
    ("AcquisitionFrameCount", 3), ("AcquisitionLineRate", 21158.25), ("ExposureTime", 33.5), ("Gain", 6.0),
    ("BlackLevel", 2.5), ("TriggerMode", "On"), ("TriggerSource", "Encoder0"), ("TriggerActivation", "FallingEdge"),
    ("ChunkModeActive", True), ("ChunkSelector", "LineStatusAll"), ("ChunkEnable", False), ("EncoderDivider", 4),
    ("UserSetSelector", "UserSet1"), ("UserSetDefault", "UserSet0"), ("DeviceUserID", "left camera"),
    ("SimScene", "/station-none"), ("SimNominalExposure", 33.25), ("SimNoise", 1.5), ("SimNoiseSeed", 77),
    ("SimFault", "Slow"), ("SimFaultBlock", 4294967295), ("SimPartialLines", 65536), ("SimFaultTime", 250),
    ("SimHangCall", "DevClose"), ("SimPixelByteOrder", "BigEndian"), ("SimNextFrameID", 65535),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), FEATURES)
def test_a_feature_reads_back_as_written(camera: Camera, name: str, value: object) -> None:
    if name == "OffsetX":
        camera.set(Width=1024)
    camera.set(**{name: value})
    assert getattr(camera.nodes, name).value == value


def test_power_up_values(camera: Camera) -> None:
    names = ["DeviceScanType", "SensorWidth", "WidthMax", "Width", "Height", "OffsetX", "PixelFormat", "PayloadSize"]
    values = [getattr(camera.nodes, name).value for name in names]
    assert values == ["Linescan", 5472, 5472, 5472, 448, 0, "Mono8", 5472 * 448]
    assert -20 < camera.nodes.DeviceTemperature.value < 90


@pytest.mark.parametrize(
    ("name", "value"),
    [("SensorWidth", 100), ("Width", 5473), ("Width", 0), ("OffsetX", 1), ("Height", 0), ("AcquisitionLineRate", 0.5)],
)
def test_a_value_outside_its_range_is_refused(camera: Camera, name: str, value: float) -> None:
    before = getattr(camera.nodes, name).value
    with pytest.raises(GenericException):
        camera.set(**{name: value})
    assert getattr(camera.nodes, name).value == before


def test_each_trigger_has_registers_of_its_own(camera: Camera) -> None:
    wanted = {"AcquisitionStart": ("On", "Line0"), "FrameStart": ("On", "Software"), "LineStart": ("Off", "Encoder0")}
    for selector, (mode, source) in wanted.items():
        camera.set(TriggerSelector=selector, TriggerMode=mode, TriggerSource=source)
    for selector, expected in wanted.items():
        camera.set(TriggerSelector=selector)
        assert (camera.nodes.TriggerMode.value, camera.nodes.TriggerSource.value) == expected


@pytest.mark.parametrize(
    ("name", "value"), [("Width", 1024), ("Height", 10), ("PixelFormat", "Mono16"), ("SimScene", "/a")]
)
def test_what_shapes_a_block_is_locked_while_streaming(camera: Camera, name: str, value: object) -> None:
    camera.acquirer.start()
    with pytest.raises(AccessException):
        camera.set(**{name: value})
    camera.acquirer.stop()
    camera.set(**{name: value})
    assert getattr(camera.nodes, name).value == value


# ---- what the camera sees ----


def test_one_turn_at_maximum_pace_is_the_surface_bit_for_bit(
    camera: Camera, make_scene: Callable[[Speed], Scene], scene_name: str, surface: np.ndarray
) -> None:
    scene = make_scene(Speed.MAX)
    scene.show(surface)
    camera.set(SimScene=scene_name)
    assert camera.nodes.SensorWidth.value == camera.nodes.Width.value == WIDTH
    camera.arm_turn()
    with pytest.raises(TimeoutException):
        camera.acquirer.fetch(timeout=0.05)
    scene.turn(PERIOD_NS, time.monotonic_ns())
    blocks = camera.fetch_turn()
    assert [block.frame_id for block in blocks] == list(range(1, 9))
    assert np.array_equal(np.concatenate([block.image for block in blocks]), surface)
    with pytest.raises(TimeoutException):
        camera.acquirer.fetch(timeout=0.05)


@pytest.mark.parametrize("mismatch", [0.0, 1e-4, -1e-4])
def test_one_turn_in_real_time_is_the_surface_bit_for_bit(
    camera: Camera, make_scene: Callable[[Speed], Scene], scene_name: str, surface: np.ndarray, mismatch: float
) -> None:
    scene = make_scene(Speed.REAL)
    scene.show(surface)
    camera.set(SimScene=scene_name)
    period_ns = round(PERIOD_NS * (1 + mismatch))
    scene.turn(period_ns, epoch_ns := time.monotonic_ns() - 12_345_678)
    camera.arm_turn()
    blocks = camera.fetch_turn()
    assert [block.frame_id for block in blocks] == list(range(1, 9))
    assert np.array_equal(np.concatenate([block.image for block in blocks]), surface)
    since_pulse = [(block.timestamp_ns - epoch_ns) % period_ns for block in blocks[:-1]]
    assert since_pulse == [round(number * BLOCK * 1e9 / LINE_RATE_HZ) for number in range(1, 8)]
    assert 0 <= time.monotonic_ns() - blocks[-1].timestamp_ns < 1e9


def test_the_next_acquisition_starts_at_the_next_index_with_frame_id_one(
    camera: Camera, make_scene: Callable[[Speed], Scene], scene_name: str, surface: np.ndarray
) -> None:
    scene = make_scene(Speed.MAX)
    scene.turn(PERIOD_NS, time.monotonic_ns())
    camera.set(SimScene=scene_name)
    camera.arm_turn()
    camera.fetch_turn()
    scene.show(surface)
    camera.nodes.AcquisitionStart.execute()
    again = camera.fetch_turn()
    assert again[0].frame_id == 1
    assert np.array_equal(np.concatenate([block.image for block in again]), surface)


def test_at_maximum_pace_a_block_waits_until_the_one_before_is_taken(
    camera: Camera, make_scene: Callable[[Speed], Scene], scene_name: str
) -> None:
    make_scene(Speed.MAX).turn(PERIOD_NS, time.monotonic_ns())
    camera.set(SimScene=scene_name)
    camera.arm_turn()
    first = camera.fetch()
    taken_ns = time.monotonic_ns()
    second, third = camera.fetch(), camera.fetch()
    assert first.timestamp_ns < taken_ns
    assert first.timestamp_ns < second.timestamp_ns < third.timestamp_ns
    assert camera.acquirer.data_streams[0].num_underrun == 0


def test_a_standing_jig_shows_the_same_row_again_and_again(
    camera: Camera, make_scene: Callable[[Speed], Scene], scene_name: str, surface: np.ndarray
) -> None:
    make_scene(Speed.REAL).show(surface)
    camera.set(SimScene=scene_name, AcquisitionMode="SingleFrame")
    camera.acquirer.start()
    assert np.array_equal(camera.fetch().image, np.repeat(surface[:1], BLOCK, axis=0))


def test_a_surface_that_changes_meanwhile_is_never_seen_by_halves(
    camera: Camera, make_scene: Callable[[Speed], Scene], scene_name: str
) -> None:
    scene = make_scene(Speed.MAX)
    camera.set(SimScene=scene_name, Height=LINES)
    stop = threading.Event()

    def repaint() -> None:
        surfaces = itertools.cycle([np.full((LINES, WIDTH), grey, np.uint8) for grey in (50, 100, 150)])
        while not stop.wait(0.001):
            scene.show(next(surfaces))

    painter = threading.Thread(target=repaint)
    painter.start()
    camera.acquirer.start()
    images = [camera.fetch().image for _ in range(40)]
    stop.set()
    painter.join()
    assert [image.min() for image in images] == [image.max() for image in images]
    assert len({int(image[0, 0]) for image in images} - {0}) > 1


def test_a_missing_scene_is_black_and_said(camera: Camera, scene_name: str) -> None:
    camera.set(SimScene=scene_name, Width=256, AcquisitionMode="SingleFrame")
    assert scene_name in camera.nodes.SimSceneStatus.value
    assert "No such file" in camera.nodes.SimSceneStatus.value
    camera.acquirer.start()
    assert not camera.fetch().image.any()


def test_a_scene_that_appears_while_the_camera_waits_is_found(
    camera: Camera, make_scene: Callable[[Speed], Scene], scene_name: str, surface: np.ndarray
) -> None:
    camera.set(SimScene=scene_name, Width=WIDTH)
    camera.arm_turn()
    with pytest.raises(TimeoutException):
        camera.acquirer.fetch(timeout=0.02)
    scene = make_scene(Speed.MAX)
    scene.show(surface)
    scene.turn(PERIOD_NS, time.monotonic_ns())
    assert np.array_equal(np.concatenate([block.image for block in camera.fetch_turn()]), surface)
    assert camera.nodes.SimSceneStatus.value == "ok"


def test_a_shared_memory_that_is_no_scene_is_refused_in_words(camera: Camera, scene_name: str) -> None:
    path = Path("/dev/shm", scene_name[1:])  # noqa: S108 - where Linux keeps it
    path.write_bytes(bytes(8192))
    camera.set(SimScene=scene_name)
    path.unlink()
    assert "no scene" in camera.nodes.SimSceneStatus.value


@pytest.mark.parametrize(
    ("pixel_format", "of"),
    [("Mono8", lambda grey: grey), ("Mono12", lambda grey: grey << 4 | grey >> 4), ("Mono16", lambda grey: grey * 257)],
)
def test_the_pattern_in_each_pixel_format_and_from_an_offset(
    camera: Camera, pixel_format: str, of: Callable[[np.ndarray], np.ndarray]
) -> None:
    camera.set(Width=300, OffsetX=40, Height=20, PixelFormat=pixel_format, AcquisitionMode="MultiFrame")
    camera.acquirer.start()
    for number in range(3):
        expected = of(pattern(20 * number, 20, 300, first_column=40).astype(np.uint16))
        assert np.array_equal(camera.fetch().image, expected)


def test_software_triggers_start_the_acquisition_and_each_block(camera: Camera) -> None:
    camera.set(Width=64, Height=8, TriggerSource="Software", TriggerMode="On")
    camera.set(TriggerSelector="FrameStart", TriggerSource="Software", TriggerMode="On")
    camera.acquirer.start()
    camera.nodes.TriggerSoftware.execute()
    with pytest.raises(TimeoutException):
        camera.acquirer.fetch(timeout=0.02)
    camera.set(TriggerSelector="AcquisitionStart")
    camera.nodes.TriggerSoftware.execute()
    assert camera.fetch().frame_id == 1
    with pytest.raises(TimeoutException):
        camera.acquirer.fetch(timeout=0.02)
    camera.set(TriggerSelector="FrameStart")
    camera.nodes.TriggerSoftware.execute()
    assert camera.fetch().frame_id == 2


def test_chunks_carry_frame_id_and_encoder(camera: Camera) -> None:
    camera.set(Width=64, Height=8, ChunkModeActive=True)
    camera.chunks = True
    assert camera.nodes.PayloadSize.value == 64 * 8 + 8 + 8 * 8
    camera.acquirer.start()
    blocks = [camera.fetch() for _ in range(3)]
    assert [(block.frame_id, block.encoder) for block in blocks] == [(1, 0), (2, 8), (3, 16)]
