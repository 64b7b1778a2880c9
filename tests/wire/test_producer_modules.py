"""User sets, reset, several cameras, and the features of system, interface, device and stream."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from genicam.genapi import AccessException, GenericException
from genicam.gentl import DEVICE_ACCESS_FLAGS_LIST, AccessDeniedException, IoException, ResourceInUseException
from harvesters.core import Harvester, ImageAcquirer

from sim.scene import Scene
from station.core.choices import Speed
from tests.wire.line_camera import Camera


@pytest.fixture(scope="module")
def producer(tmp_path_factory: pytest.TempPathFactory, producer: Path) -> Path:
    """A copy: what its cameras keep without power is not kept for other tests."""
    return Path(shutil.copy(producer, tmp_path_factory.mktemp("producer")))


# ---- user sets and reset ----


def test_a_user_set_brings_back_all_settings_and_no_others(camera: Camera) -> None:
    settings = {"Width": 512, "Height": 8, "PixelFormat": "Mono12", "AcquisitionMode": "MultiFrame", "Gain": 3.0,
                "ExposureTime": 45.0, "AcquisitionLineRate": 9000.0, "EncoderDivider": 3}  # fmt: skip
    camera.set(TriggerSelector="FrameStart", TriggerMode="On", **settings)
    camera.set(UserSetSelector="UserSet1", SimNoise=1.0)
    camera.nodes.UserSetSave.execute()
    camera.set(UserSetSelector="Default")
    camera.nodes.UserSetLoad.execute()
    assert (camera.nodes.Width.value, camera.nodes.Gain.value, camera.nodes.TriggerMode.value) == (5472, 0.0, "Off")
    assert camera.nodes.SimNoise.value == 1.0
    camera.set(UserSetSelector="UserSet1")
    camera.nodes.UserSetLoad.execute()
    assert {name: getattr(camera.nodes, name).value for name in settings} == settings
    assert camera.nodes.TriggerMode.value == "On"


def test_a_user_set_that_was_never_saved_has_the_factorys_values(camera: Camera) -> None:
    camera.set(Gain=5.0, UserSetSelector="UserSet0")
    camera.nodes.UserSetLoad.execute()
    assert camera.nodes.Gain.value == 0.0


def test_the_factorys_values_cannot_be_overwritten(camera: Camera) -> None:
    with pytest.raises(AccessDeniedException, match="cannot be overwritten"):
        camera.nodes.UserSetSave.execute()


def test_a_user_set_is_not_loaded_while_images_stream(camera: Camera) -> None:
    camera.acquirer.start()
    with pytest.raises(AccessException):
        camera.nodes.UserSetLoad.execute()


def test_a_reset_camera_comes_back_with_the_set_it_powers_up_with(camera: Camera) -> None:
    camera.set(Width=640, DeviceUserID="left", UserSetSelector="UserSet0", UserSetDefault="UserSet0")
    camera.nodes.UserSetSave.execute()
    camera.set(Width=320)
    camera.nodes.DeviceReset.execute()
    with pytest.raises(IoException):
        _ = camera.nodes.Width.value
    camera.open_again()
    assert camera.harvester.device_info_list[0].user_defined_name == "left"
    assert (camera.nodes.Width.value, camera.nodes.UserSetDefault.value) == (640, "UserSet0")
    camera.set(UserSetDefault="Default")


def test_a_camera_that_was_reset_in_mid_block_can_be_closed_at_once(camera: Camera) -> None:
    for _ in range(10):
        camera.set(Width=5472, Height=2000, PixelFormat="Mono12", SimNoise=3.0, AcquisitionLineRate=90_000.0)
        camera.acquirer.start()
        stream = camera.acquirer.data_streams[0].module
        deadline = time.monotonic() + 10
        while not stream.num_started:
            assert time.monotonic() < deadline, "no block was begun"
        camera.nodes.DeviceReset.execute()
        camera.open_again()


# ---- several cameras ----


@pytest.fixture
def pair(producer: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Harvester, ImageAcquirer, ImageAcquirer]]:
    monkeypatch.setenv("STATION_GENTL_CAMERAS", "2")
    loaded = Harvester()
    loaded.add_file(str(producer))
    loaded.update()
    both = [loaded.create({"serial_number": number}) for number in ("SLS-0001", "SLS-0002")]
    yield loaded, *both
    loaded.reset()


def shot(acquirer: ImageAcquirer) -> np.ndarray:
    with acquirer.fetch(timeout=20) as buffer:
        part = buffer.payload.components[0]
        return np.array(part.data.reshape(part.height, part.width))


def test_two_cameras_have_settings_scenes_and_streams_of_their_own(
    pair: tuple[Harvester, ImageAcquirer, ImageAcquirer], make_scene: Callable[[Speed], Scene], scene_name: str
) -> None:
    harvester, left, right = pair
    assert [device.serial_number for device in harvester.device_info_list] == ["SLS-0001", "SLS-0002"]
    make_scene(Speed.REAL).show(np.full((3584, 2048), 99, np.uint8))
    left.remote_device.node_map.Width.value = 64
    right.remote_device.node_map.SimScene.value = scene_name
    right.remote_device.node_map.Gain.value = 6.0
    for acquirer in (left, right):
        acquirer.remote_device.node_map.Height.value = 16
        acquirer.start()
    one, other = shot(left), shot(right)
    assert (one.shape, other.shape) == ((16, 64), (16, 2048))
    assert (int(one[0, 5]), set(other.flat)) == (5, {198})
    left.remote_device.node_map.DeviceReset.execute()
    assert shot(right).shape == (16, 2048)
    for acquirer in (left, right):
        Camera(harvester, acquirer).close()


def test_an_open_camera_is_refused_to_others(pair: tuple[Harvester, ImageAcquirer, ImageAcquirer]) -> None:
    harvester, left, right = pair
    with pytest.raises(ResourceInUseException):
        harvester.device_info_list[1].create_device().open(DEVICE_ACCESS_FLAGS_LIST.DEVICE_ACCESS_EXCLUSIVE)
    for acquirer in (left, right):
        acquirer.destroy()


# ---- the other modules' features ----


def test_each_module_has_the_features_of_its_convention(camera: Camera, producer: Path) -> None:
    device = camera.acquirer.device
    system, interface = camera.acquirer.system.node_map, camera.acquirer.interface.node_map
    assert (system.TLType.value, system.TLPath.value) == ("Custom", str(producer))
    assert (system.GenTLVersionMajor.value, system.GenTLVersionMinor.value) == (1, 5)
    system.InterfaceUpdateList.execute()
    assert system.InterfaceID.value == interface.InterfaceID.value == "station-linescan-interface"
    interface.DeviceUpdateList.execute()
    assert (interface.DeviceSelector.value, interface.DeviceSelector.max) == (0, 0)
    assert (interface.DeviceID.value, interface.DeviceAccessStatus.value) == ("station-linescan-1", "OpenReadWrite")
    with pytest.raises(GenericException):
        interface.DeviceSelector.value = 1
    local = device.node_map
    assert (local.DeviceSerialNumber.value, local.DeviceAccessStatus.value) == ("SLS-0001", "OpenReadWrite")
    assert local.StreamID.value == "station-linescan-1"


def test_the_stream_counts(camera: Camera) -> None:
    stream = camera.acquirer.data_streams[0].node_map
    camera.set(Width=64, Height=8, SimFault="Underrun", SimFaultBlock=2)
    camera.set(AcquisitionMode="MultiFrame", AcquisitionFrameCount=4)  # one is lost: no more than there are buffers
    assert (stream.StreamIsGrabbing.value, stream.PayloadSize.value) == (False, 512)
    camera.acquirer.start()
    for _ in range(3):
        camera.fetch()
    assert (stream.StreamIsGrabbing.value, stream.StreamLostFrameCount.value) == (True, 1)
    assert stream.StreamAnnouncedBufferCount.value >= 3
    assert stream.StreamDeliveredFrameCount.value == 3
    camera.acquirer.stop()
    assert stream.StreamInputBufferCount.value == 0


def test_every_feature_of_every_module_can_be_read(camera: Camera) -> None:
    maps = [camera.nodes, camera.acquirer.device.node_map, camera.acquirer.interface.node_map,
            camera.acquirer.system.node_map, camera.acquirer.data_streams[0].node_map]  # fmt: skip
    camera.set(ChunkModeActive=True, ChunkSelector="LineStatusAll", ChunkEnable=True)
    camera.acquirer.start()
    buffer = camera.acquirer.fetch(timeout=20)
    read = 0
    for nodes in maps:
        for name in dir(nodes):
            node = getattr(nodes, name, None)
            if re.match("[A-Z]", name) and hasattr(node, "value"):
                _ = node.value
                read += 1
    buffer.queue()
    assert read > 90
