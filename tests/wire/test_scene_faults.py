"""Faults that the simulated cell orders through the scene, as a consumer of the camera meets them."""

import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from genicam.gentl import IoException, TimeoutException
from harvesters.core import Harvester

from sim.camera_fault import CameraFault, HangingCall
from sim.scene import Scene
from station.core.choices import Speed
from station.core.errors import BugError
from tests.stopwatch import stopwatch
from tests.wire.line_camera import PERIOD_NS, Camera


@pytest.fixture
def scene(make_scene: Callable[[Speed], Scene], surface: np.ndarray) -> Scene:
    """A surface that turns, real time."""
    made = make_scene(Speed.REAL)
    made.show(surface)
    made.turn(PERIOD_NS, time.monotonic_ns())
    return made


@pytest.fixture
def seeing(camera: Camera, scene: Scene, scene_name: str) -> Camera:
    camera.set(SimScene=scene_name, Height=32)
    return camera


def until_taken(scene: Scene) -> None:
    deadline = time.monotonic() + 5
    while scene.fault_waits:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def fetch_until_it_fails(camera: Camera) -> None:
    for _ in range(1000):
        camera.fetch()


def test_the_header_says_what_was_ordered(scene: Scene, scene_name: str) -> None:
    scene.slip(7, 9)
    scene.fault(CameraFault.LATE_BLOCK, block=3, lines=4, time_s=0.25, call=HangingCall.QUEUE_BUFFER)
    memory = Path("/dev/shm", scene_name[1:]).read_bytes()[:4096]  # noqa: S108 - where Linux keeps it
    assert struct.unpack_from("<II", memory, 72) == (7, 9)
    assert struct.unpack_from("<QQIIIII", memory, 128) == (1, 0, 9, 3, 4, 250, 3)
    assert not any(memory[80:128])
    assert not any(memory[164:4096])


@pytest.mark.parametrize("wrong", [{"block": -1}, {"lines": 2**32}, {"time_s": -0.1}, {"time_s": 1e7}])
def test_an_impossible_order_is_refused_and_not_given(scene: Scene, wrong: dict[str, Any]) -> None:
    with pytest.raises(BugError, match="cannot have this fault"):
        scene.fault(CameraFault.HANG, **wrong)
    assert not scene.fault_waits


def test_the_names_are_those_of_the_cameras_features(camera: Camera) -> None:
    assert [fault.value for fault in CameraFault] == list(camera.nodes.SimFault.symbolics)
    assert [call.value for call in HangingCall] == list(camera.nodes.SimHangCall.symbolics)


def test_the_cable_is_pulled_in_mid_scan_and_the_camera_comes_back(seeing: Camera, scene: Scene) -> None:
    seeing.acquirer.start()
    assert seeing.fetch().frame_id == 1
    scene.fault(CameraFault.DISCONNECT)
    with pytest.raises(IoException):
        fetch_until_it_fails(seeing)
    assert not scene.fault_waits
    seeing.open_again()
    assert seeing.nodes.Height.value == 448


def test_the_cable_is_pulled_between_two_lines(seeing: Camera, scene: Scene) -> None:
    seeing.set(Height=65536)  # a block of more than three seconds
    seeing.acquirer.start()
    with pytest.raises(TimeoutException):
        seeing.acquirer.fetch(timeout=0.02)
    scene.fault(CameraFault.DISCONNECT)
    with stopwatch() as watch, pytest.raises(IoException):
        seeing.fetch()
    assert watch.s < 2.5


@pytest.mark.parametrize("armed", [False, True])
def test_the_cable_is_pulled_while_nothing_is_acquired(seeing: Camera, scene: Scene, armed: bool) -> None:  # noqa: FBT001
    if armed:
        scene.stand_still()
        seeing.arm_turn()
    scene.fault(CameraFault.DISCONNECT)
    until_taken(scene)
    with pytest.raises(IoException):
        _ = seeing.nodes.Width.value


def test_a_camera_that_stays_away_for_a_time_is_not_listed_before(seeing: Camera, scene: Scene) -> None:
    pulled = time.monotonic()
    scene.fault(CameraFault.DISCONNECT, time_s=1.5)
    until_taken(scene)
    assert until_listed(seeing) > 0
    assert time.monotonic() - pulled >= 1.5
    seeing.acquirer = seeing.harvester.create(0)


def until_listed(camera: Camera) -> int:
    """How often an unplugged camera was not found before it was again."""
    camera.close()
    camera.harvester.update()
    misses = 0
    while not camera.harvester.device_info_list:
        time.sleep(0.01)
        camera.harvester.update()
        misses += 1
    return misses


def test_an_outage_can_be_ended_early(seeing: Camera, scene: Scene) -> None:
    scene.fault(CameraFault.DISCONNECT, time_s=3600)
    until_taken(scene)
    seeing.close()
    seeing.harvester.update()
    assert not seeing.harvester.device_info_list
    scene.fault(CameraFault.NONE)
    seeing.open_again()


AWAY = """
import sys; from harvesters.core import Harvester
h = Harvester(); h.add_file(sys.argv[1]); h.update(); ia = h.create(0); nodes = ia.remote_device.node_map
nodes.SimScene.value = sys.argv[2]; print(nodes.Height.value)
"""


def test_an_outage_is_one_for_a_process_that_is_started_meanwhile(
    seeing: Camera, scene: Scene, scene_name: str, producer: Path, tmp_path: Path
) -> None:
    scene.fault(CameraFault.DISCONNECT, time_s=3600)
    until_taken(scene)
    command = [sys.executable, "-c", AWAY, str(producer), scene_name]
    away = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (away.stdout, "not connected" in away.stderr) == ("", True)
    scene.fault(CameraFault.NONE)
    back = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert back.stdout == "448\n"


ORDERS: list[tuple[CameraFault, dict[str, Any], list[int]]] = [
    (CameraFault.DROP_FRAME, {"block": 3}, [1, 2, 4, 5]),
    (CameraFault.UNDERRUN, {"block": 2}, [1, 3, 4, 5]),
    (CameraFault.PARTIAL_INCOMPLETE, {"block": 4, "lines": 7}, [1, 2, 3, 5]),
    (CameraFault.DROP_LINES, {"block": 1, "lines": 7}, [1, 2, 3, 4]),
    (CameraFault.DROP_FRAME, {"block": 0}, [2, 3, 4, 5]),
]


@pytest.mark.parametrize(("fault", "order", "ids"), ORDERS)
def test_an_order_hits_its_block_once(
    seeing: Camera, scene: Scene, fault: CameraFault, order: dict[str, Any], ids: list[int]
) -> None:
    scene.fault(fault, **order)
    seeing.acquirer.start()
    assert [seeing.fetch().frame_id for _ in range(4)] == ids
    assert not scene.fault_waits
    seeing.acquirer.stop()
    seeing.acquirer.start()
    assert [seeing.fetch().frame_id for _ in range(4)] == [1, 2, 3, 4]


def test_an_order_waits_for_its_block_and_can_be_taken_back(seeing: Camera, scene: Scene) -> None:
    scene.fault(CameraFault.DROP_FRAME, block=1000)
    seeing.acquirer.start()
    seeing.fetch()
    assert scene.fault_waits
    scene.fault(CameraFault.NONE)
    until_taken(scene)
    assert seeing.fetch().frame_id > 1


def test_a_fault_that_lasts_ends_when_it_is_taken_back(seeing: Camera, scene: Scene) -> None:
    scene.fault(CameraFault.ALWAYS_INCOMPLETE, block=2)
    seeing.acquirer.start()
    assert seeing.fetch().frame_id == 1
    while len(seeing.incomplete) < 3:
        assert seeing.acquirer.try_fetch(timeout=1.0) is None
    scene.fault(CameraFault.NONE)
    assert seeing.fetch().frame_id > 4


def test_of_two_cameras_one_takes_the_order(
    scene: Scene, scene_name: str, producer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATION_GENTL_CAMERAS", "2")
    harvester = Harvester()
    harvester.add_file(str(producer))
    harvester.update()
    both = [harvester.create(number) for number in range(2)]
    for acquirer in both:
        acquirer.remote_device.node_map.SimScene.value = scene_name
        acquirer.remote_device.node_map.Height.value = 32
        acquirer.start()
    scene.fault(CameraFault.DISCONNECT)
    until_taken(scene)
    lost = 0
    for acquirer in both:
        try:
            acquirer.fetch(timeout=20).queue()
            _ = acquirer.remote_device.node_map.Width.value
        except IoException:
            lost += 1
        Camera(harvester, acquirer).close()
    harvester.reset()
    assert lost == 1


HANGING = """
import sys; from harvesters.core import Harvester
h = Harvester(); h.add_file(sys.argv[1]); h.update(); ia = h.create(0); nodes = ia.remote_device.node_map
nodes.SimScene.value = sys.argv[2]; nodes.Height.value = 32; ia.start()
for _ in range(int(sys.argv[3])):
    ia.fetch(timeout=20).queue(); print('block', flush=True)
"""


def test_a_process_that_was_killed_in_a_hang_does_not_meet_it_again(
    scene: Scene, scene_name: str, producer: Path, tmp_path: Path
) -> None:
    scene.fault(CameraFault.HANG, block=2)
    command = [sys.executable, "-c", HANGING, str(producer), scene_name, "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"block\n"
        until_taken(scene)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=0.2)
        child.kill()
    again = subprocess.run(command, capture_output=True, cwd=tmp_path, check=False)
    assert again.stdout == b"block\n" * 3
