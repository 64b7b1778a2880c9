"""The simulated camera as a consumer meets it: the real library, through harvesters."""

import itertools
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from genicam.genapi import AccessException, GenericException
from genicam.gentl import IoException, NotImplementedException, TimeoutException
from harvesters.core import Callback, Harvester, ImageAcquirer, ParameterKey, ParameterSet

from sim.gentl import producer_path
from sim.gentl.build import PRODUCER, SOURCES, build
from sim.pace import Speed
from sim.scene import Scene

WIDTH, LINES, BLOCK = 2048, 3584, 448
LINE_RATE_HZ = 20_000.0
PERIOD_NS = round(LINES * 1e9 / LINE_RATE_HZ)


@dataclass
class Block:
    """A fetched block, copied out of its buffer."""

    frame_id: int
    timestamp_ns: int
    image: np.ndarray
    delivered_lines: int
    encoder: int | None = None


@dataclass
class Camera:
    """The first camera behind harvesters."""

    harvester: Harvester
    acquirer: ImageAcquirer
    incomplete: list[int] = field(default_factory=list)
    chunks: bool = False

    @property
    def nodes(self) -> Any:
        return self.acquirer.remote_device.node_map

    def set(self, **features: object) -> None:
        for name, value in features.items():
            getattr(self.nodes, name).value = value

    def arm_turn(self) -> None:
        """Eight blocks from the jig's next index pulse."""
        self.set(AcquisitionMode="MultiFrame", AcquisitionFrameCount=LINES // BLOCK, AcquisitionLineRate=LINE_RATE_HZ)
        self.set(TriggerSelector="AcquisitionStart", TriggerMode="On", TriggerSource="Line0")
        self.acquirer.start()

    def fetch(self, timeout_s: float = 3.0) -> Block:
        with self.acquirer.fetch(timeout=timeout_s) as buffer:
            part = buffer.payload.components[0]
            encoder = self.nodes.ChunkEncoderValue.value if self.chunks else None
            assert not self.chunks or self.nodes.ChunkFrameID.value == buffer.module.frame_id
            return Block(
                buffer.module.frame_id,
                buffer.module.timestamp_ns,
                part.data.reshape(part.height, part.width).copy(),
                part.delivered_image_height,
                encoder,
            )

    def fetch_turn(self) -> list[Block]:
        return [self.fetch() for _ in range(LINES // BLOCK)]


class _Counting(Callback):
    def __init__(self, seen: list[int]) -> None:
        super().__init__()
        self._seen = seen

    def emit(self, context: object) -> None:  # noqa: ARG002
        self._seen.append(1)


@pytest.fixture(scope="session")
def producer() -> Path:
    if not (SOURCES / PRODUCER).exists():
        build(SOURCES / PRODUCER)
    return producer_path()


@pytest.fixture
def harvester(producer: Path) -> Iterator[Harvester]:
    """A freshly loaded producer: its camera has power-up values."""
    interrupt = signal.getsignal(signal.SIGINT)
    loaded = Harvester()
    loaded.add_file(str(producer))
    loaded.update()
    yield loaded
    loaded.reset()
    signal.signal(signal.SIGINT, interrupt)


@pytest.fixture
def camera(harvester: Harvester) -> Iterator[Camera]:
    acquirer = harvester.create(0, config=ParameterSet({ParameterKey.NUM_BUFFERS_FOR_FETCH_CALL: 16}))
    opened = Camera(harvester, acquirer)
    acquirer.add_callback(ImageAcquirer.Events.INCOMPLETE_BUFFER, _Counting(opened.incomplete))
    yield opened
    acquirer.destroy()


@pytest.fixture
def scene_name() -> str:
    return f"/station-test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def make_scene(scene_name: str) -> Iterator[Callable[[Speed], Scene]]:
    made: list[Scene] = []

    def make(pace: Speed) -> Scene:
        made.append(Scene.create(scene_name, WIDTH, pace))
        return made[-1]

    yield make
    for scene in made:
        scene.close()


@pytest.fixture
def surface() -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (LINES, WIDTH), np.uint8)


def pattern(first_line: int, lines: int, width: int, first_column: int = 0) -> np.ndarray:
    """The documented test pattern: column plus line, modulo 256."""
    columns = np.arange(first_column, first_column + width)
    return ((np.arange(first_line, first_line + lines)[:, None] + columns) % 256).astype(np.uint8)


# ---- enumeration and features ----


def test_one_line_scan_camera_is_listed(harvester: Harvester) -> None:
    (device,) = harvester.device_info_list
    assert (device.vendor, device.serial_number, device.tl_type) == ("Inspection Station", "SLS-0001", "Custom")
    assert device.access_status == 1


FEATURES = [
    ("Width", 1024), ("Height", 64), ("OffsetX", 16), ("PixelFormat", "Mono16"), ("AcquisitionMode", "SingleFrame"),
    ("AcquisitionFrameCount", 3), ("AcquisitionLineRate", 21158.25), ("ExposureTime", 33.5), ("Gain", 6.0),
    ("BlackLevel", 2.5), ("TriggerMode", "On"), ("TriggerSource", "Encoder0"), ("TriggerActivation", "FallingEdge"),
    ("ChunkModeActive", True), ("SimScene", "/station-none"), ("SimFault", "Hang"), ("SimFaultBlock", 4294967295),
    ("SimPartialLines", 65536),
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


def test_lines_cannot_be_triggered_one_by_one(camera: Camera) -> None:
    camera.set(TriggerSelector="LineStart")
    with pytest.raises(NotImplementedException, match="no LineStart trigger"):
        camera.set(TriggerMode="On")
    assert camera.nodes.TriggerMode.value == "Off"


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
    assert camera.nodes.PayloadSize.value == 64 * 8 + 16
    camera.acquirer.start()
    blocks = [camera.fetch() for _ in range(3)]
    assert [(block.frame_id, block.encoder) for block in blocks] == [(1, 0), (2, 8), (3, 16)]


# ---- faults ----


@pytest.fixture
def streaming(camera: Camera) -> Camera:
    """Small blocks of the pattern; the third block of the acquisition meets the test's fault."""
    camera.set(Width=64, Height=8, SimFaultBlock=3, SimPartialLines=5)
    return camera


def test_a_lost_block_leaves_a_gap_in_the_frame_ids(streaming: Camera) -> None:
    streaming.set(SimFault="DropFrame")
    streaming.acquirer.start()
    blocks = [streaming.fetch() for _ in range(4)]
    assert [block.frame_id for block in blocks] == [1, 2, 4, 5]
    assert np.array_equal(blocks[2].image, pattern(24, 8, 64))
    assert streaming.nodes.SimFault.value == "None"


def test_a_partial_incomplete_block_is_reported_and_discarded(streaming: Camera) -> None:
    streaming.set(SimFault="PartialIncomplete")
    streaming.acquirer.start()
    blocks = [streaming.fetch() for _ in range(3)]
    assert ([block.frame_id for block in blocks], len(streaming.incomplete)) == ([1, 2, 4], 1)


def test_a_partial_block_that_passes_for_complete_tells_its_lines(streaming: Camera) -> None:
    streaming.set(SimFault="PartialComplete")
    streaming.acquirer.start()
    blocks = [streaming.fetch() for _ in range(4)]
    assert [block.delivered_lines for block in blocks] == [8, 8, 5, 8]
    assert np.array_equal(blocks[2].image[:5], pattern(16, 5, 64))
    assert not blocks[2].image[5:].any()
    assert not streaming.incomplete


def test_dropped_lines_show_in_the_encoder_only(streaming: Camera) -> None:
    streaming.set(SimFault="DropLines", ChunkModeActive=True)
    streaming.chunks = True
    streaming.acquirer.start()
    blocks = [streaming.fetch() for _ in range(4)]
    assert [(block.frame_id, block.encoder) for block in blocks] == [(1, 0), (2, 8), (3, 16), (4, 29)]
    assert np.array_equal(blocks[2].image, np.concatenate([pattern(16, 4, 64), pattern(25, 4, 64)]))


def test_always_incomplete_lasts_until_it_is_taken_back(streaming: Camera) -> None:
    streaming.set(SimFault="AlwaysIncomplete", SimFaultBlock=1)
    streaming.acquirer.start()
    while len(streaming.incomplete) < 5:
        assert streaming.acquirer.try_fetch(timeout=1.0) is None
    streaming.set(SimFault="None")
    assert streaming.fetch().frame_id > 5


def test_held_buffers_lose_blocks_and_the_gap_shows(streaming: Camera) -> None:
    streaming.acquirer.num_buffers = 4
    streaming.acquirer.start()
    held = [streaming.acquirer.fetch(timeout=1.0) for _ in range(4)]
    with pytest.raises(TimeoutException):
        streaming.acquirer.fetch(timeout=0.05)
    for buffer in held:
        buffer.queue()
    assert streaming.fetch().frame_id > 5
    assert streaming.acquirer.data_streams[0].num_underrun > 0


def test_a_camera_that_is_unplugged_is_lost_and_comes_back(streaming: Camera) -> None:
    streaming.set(SimFault="Disconnect")
    streaming.acquirer.start()
    assert [streaming.fetch().frame_id for _ in range(2)] == [1, 2]
    with pytest.raises(IoException):
        streaming.fetch()
    with pytest.raises(IoException):
        _ = streaming.nodes.Width.value
    with pytest.raises(IoException):
        streaming.acquirer.stop()
    streaming.acquirer.destroy()
    streaming.harvester.update()
    streaming.acquirer = streaming.harvester.create(0)
    assert streaming.nodes.Width.value == 5472, "a camera without power forgets its settings"
    streaming.acquirer.start()
    assert streaming.fetch().frame_id == 1
    streaming.acquirer.destroy()


def test_a_hanging_camera_never_returns_from_a_fetch(producer: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from harvesters.core import Harvester\n"
        "h = Harvester(); h.add_file(sys.argv[1]); h.update(); ia = h.create(0); nodes = ia.remote_device.node_map\n"
        "nodes.Width.value = 64; nodes.SimFault.value = 'Hang'; nodes.SimFaultBlock.value = 2; ia.start()\n"
        "ia.fetch(timeout=1).queue(); print('one', flush=True); ia.try_fetch(timeout=0.01); print('two', flush=True)"
    )
    command = [sys.executable, "-c", program, str(producer)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"one\n"
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=0.3)
        child.kill()
        assert child.stdout.read() == b""
