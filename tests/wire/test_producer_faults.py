"""Faults of the simulated camera as a consumer meets them, through harvesters."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from genicam.gentl import IoException, TimeoutException

from tests.stopwatch import stopwatch
from tests.wire.line_camera import Camera, pattern


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
    held = [streaming.acquirer.fetch(timeout=20.0) for _ in range(4)]
    with pytest.raises(TimeoutException):
        streaming.acquirer.fetch(timeout=0.05)
    for buffer in held:
        buffer.queue()
    assert streaming.fetch().frame_id > 5
    assert streaming.acquirer.data_streams[0].num_underrun > 0


def test_an_underrun_loses_a_block_although_there_were_buffers(streaming: Camera) -> None:
    streaming.set(SimFault="Underrun", AcquisitionMode="MultiFrame", AcquisitionFrameCount=5)
    streaming.acquirer.start()
    assert [streaming.fetch().frame_id for _ in range(4)] == [1, 2, 4, 5]
    assert streaming.acquirer.data_streams[0].num_underrun == 1


def lateness_s(camera: Camera) -> float:
    """Time from the end of a block's last line to its arrival here."""
    block = camera.fetch()
    return (time.monotonic_ns() - block.timestamp_ns) / 1e9


@pytest.mark.parametrize(("fault", "late"), [("LateBlock", [3]), ("Slow", [3, 4])])
def test_a_block_comes_late_once_or_from_then_on(streaming: Camera, fault: str, late: list[int]) -> None:
    streaming.set(SimFault=fault, SimFaultTime=1000, AcquisitionLineRate=1000.0, AcquisitionMode="MultiFrame")
    streaming.set(AcquisitionFrameCount=4)
    streaming.acquirer.start()
    seen = {number: lateness_s(streaming) for number in range(1, 5)}
    on_time = set(seen) - set(late) - {4}  # behind one late block the next ones wait too
    assert all(seen[number] >= 1.0 for number in late)
    assert all(seen[number] < 1.0 for number in on_time)


def test_a_late_block_can_be_stopped_at_once(streaming: Camera) -> None:
    streaming.set(SimFault="Slow", SimFaultTime=60_000, SimFaultBlock=1)
    streaming.acquirer.start()
    with pytest.raises(TimeoutException):
        streaming.acquirer.fetch(timeout=0.05)
    with stopwatch() as watch:
        streaming.acquirer.stop()
    assert watch.s < 5


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
    streaming.open_again()
    assert streaming.nodes.Width.value == 5472, "a camera without power forgets its settings"
    streaming.acquirer.start()
    assert streaming.fetch().frame_id == 1


def test_a_hang_ends_with_its_time_and_the_blocks_come_late(streaming: Camera) -> None:
    streaming.set(SimFault="Hang", SimFaultTime=300)
    streaming.acquirer.start()
    assert [streaming.fetch().frame_id for _ in range(2)] == [1, 2]
    began = time.monotonic()
    third = streaming.acquirer.try_fetch(timeout=0.01)
    assert time.monotonic() - began > 0.2, "the time-out is not honoured while the call hangs"
    if third is not None:
        third.queue()
    assert streaming.fetch().frame_id in {3, 4}


CALLS: list[tuple[str, Callable[[Camera], object]]] = [
    ("GCReadPort", lambda camera: camera.nodes.Width.value),
    ("GCWritePort", lambda camera: camera.set(Gain=1.0)),
    ("DSQueueBuffer", lambda camera: camera.fetch()),
    ("DSStopAcquisition", lambda camera: camera.acquirer.stop()),
    ("DevClose", lambda camera: camera.close()),
]


@pytest.mark.parametrize(("call", "do"), CALLS, ids=[row[0] for row in CALLS])
def test_each_call_can_hang_for_a_time(streaming: Camera, call: str, do: Callable[[Camera], object]) -> None:
    streaming.set(SimHangCall=call, SimFaultTime=400, SimFault="Hang", SimFaultBlock=1)
    streaming.acquirer.start()
    began = time.monotonic()
    while streaming.acquirer.data_streams[0].num_delivered == 0:
        time.sleep(0.001)
    do(streaming)
    assert 0.35 < time.monotonic() - began < 5


def test_a_hanging_camera_never_returns_from_a_fetch(producer: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from harvesters.core import Harvester\n"
        "h = Harvester(); h.add_file(sys.argv[1]); h.update(); ia = h.create(0); nodes = ia.remote_device.node_map\n"
        "nodes.Width.value = 64; nodes.SimFault.value = 'Hang'; nodes.SimFaultBlock.value = 2; ia.start()\n"
        "ia.fetch(timeout=30).queue(); print('one', flush=True); ia.try_fetch(timeout=0.01); print('two', flush=True)"
    )
    command = [sys.executable, "-c", program, str(producer)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"one\n"
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=0.3)
        child.kill()
        assert child.stdout.read() == b""
