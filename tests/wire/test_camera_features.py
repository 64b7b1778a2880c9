"""The camera's features, on the real producer: written, told, and refused in words."""

from typing import Any

import numpy as np
import pytest

from station.core.camera_settings import ChunkSettings
from station.core.part import ScanRecipe
from station.flow.acquire import Accountant
from tests.lines import BLOCKS_PER_TURN
from tests.own_children import children
from tests.turned import GEOMETRY
from tests.wire.driver_camera import IMAGE, RECIPE, WIDTH_PX, MakeCamera, Setup, one_turn, refusal

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
    make_camera: MakeCamera, setup: Setup, feature: str, value: Any, words: str
) -> None:
    error = await refusal(make_camera(setup | {feature: value}).open())
    assert error.code == "camera.feature_refused"
    assert words in error.detail
    assert children() == set()


@pytest.mark.parametrize(("feature", "value"), [("Height", 447), ("Height", 449), ("Width", WIDTH_PX - 8)])
async def test_another_image_format_than_the_stations_is_refused(
    make_camera: MakeCamera, setup: Setup, feature: str, value: Any
) -> None:
    error = await refusal(make_camera(setup | {feature: value}).open())
    assert error.code == "camera.bad_image"
    assert error.detail.startswith(f"{feature} is {value!r}, the station needs")


async def test_features_of_every_kind_are_written_and_told(make_camera: MakeCamera, setup: Setup) -> None:
    camera = make_camera(setup | {"Gain": 6, "BlackLevel": 2.5, "ChunkModeActive": False, "AcquisitionStop": True})
    await camera.open()
    features = await camera.prepare(RECIPE)
    plain = {name: value for name, value in setup.items() if not name.startswith("Trigger")}
    assert {name: features[name] for name in plain} == plain
    assert (features["Gain"], features["BlackLevel"], features["ChunkModeActive"]) == (6.0, 2.5, False)
    assert "AcquisitionStop" not in features
    assert features["DeviceSerialNumber"]
    assert 0 < features["DeviceTemperature"] < 100  # type: ignore[operator]


async def test_a_feature_behind_a_selector_is_told_for_each_choice(make_camera: MakeCamera, setup: Setup) -> None:
    rows = (
        ("TriggerSelector", "FrameStart"),
        ("TriggerMode", "Off"),
        ("TriggerSelector", "AcquisitionStart"),
        ("TriggerMode", "On"),
        ("TriggerSelector", "FrameStart"),
        ("TriggerSource", "Software"),
    )
    camera = make_camera(setup, rows)
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


@pytest.mark.parametrize("order", ["LittleEndian", "BigEndian"])
@pytest.mark.parametrize("pixel_format", ["Mono12", "Mono16"])
async def test_wider_pixels_become_the_same_eight_bits(
    make_camera: MakeCamera, setup: Setup, pixel_format: str, order: str
) -> None:
    camera = make_camera(setup | {"PixelFormat": pixel_format, "SimPixelByteOrder": order})
    await camera.open()
    assert (await camera.prepare(RECIPE))["PixelFormat"] == pixel_format
    blocks = await one_turn(camera)
    np.testing.assert_array_equal(np.concatenate([block.pixels for block in blocks]), IMAGE)


async def test_block_numbers_of_16_bits_go_on_through_their_end(make_camera: MakeCamera, setup: Setup) -> None:
    chunks = {"ChunkModeActive": True, "SimNextFrameID": 65525}
    camera = make_camera(setup | chunks, first_frame_id="any", chunks={"frame_id": "ChunkFrameID"})
    await camera.open()
    await camera.prepare(RECIPE)
    own = []
    for _ in range(3):
        accountant = Accountant(GEOMETRY, ChunkSettings(frame_id="ChunkFrameID"))
        for block in await one_turn(camera):
            accountant.take(block)
            assert block.marks is not None
            own.append(block.marks.frame_id)
        account = accountant.close(0)
        assert account.valid, account.detail
        assert account.frame_ids == tuple(range(BLOCKS_PER_TURN))
    assert own == [*range(65525, 65536), *range(1, 14)]


async def test_a_refused_recipe_leaves_the_camera_usable(make_camera: MakeCamera, setup: Setup) -> None:
    camera = make_camera(setup)
    await camera.open()
    error = await refusal(camera.prepare(ScanRecipe(line_rate_hz=1e9, exposure_us=20.0, lines_per_block=448, blocks=8)))
    assert error.code == "camera.feature_refused"
    assert "AcquisitionLineRate = 1000000000.0" in error.detail
    await camera.prepare(RECIPE)
    assert len(await one_turn(camera)) == BLOCKS_PER_TURN
