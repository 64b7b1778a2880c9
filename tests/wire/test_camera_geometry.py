"""One camera for part types that differ: in the blocks of their turns, and in features of their own."""

import time

import numpy as np
import pytest

from drivers.camera.gentl import GenTLCamera
from sim.scene import Scene
from station.core.geometry import Geometry
from station.core.part import Features, Pixels, ScanRecipe
from tests.turned import GEOMETRY
from tests.wire.driver_camera import (
    IMAGE,
    RECIPE,
    WIDTH_PX,
    MakeCamera,
    Setup,
    one_turn,
    refusal,
    settings_of,
)

SHORT = Geometry(lines_per_turn=2000, lines_per_block=200, patch_px=64, patches_per_strip=2)
OF_SHORT = ScanRecipe(30_000.0, 20.0, SHORT.lines_per_block, SHORT.blocks_per_turn)
SHORT_IMAGE = np.random.default_rng(8).integers(0, 256, (2000, WIDTH_PX), dtype=np.uint8)


def show(scene: Scene, image: Pixels) -> None:
    scene.stand_still()
    scene.show(image)
    scene.turn(int(len(image) / RECIPE.line_rate_hz * 1e9), time.monotonic_ns())


async def seen(camera: GenTLCamera) -> Pixels:
    blocks = await one_turn(camera)
    assert [block.frame_id for block in blocks] == list(range(len(blocks)))
    assert all(block.delivered_lines == len(block.pixels) for block in blocks)
    return np.concatenate([block.pixels for block in blocks])


async def test_turns_of_other_blocks_follow_each_other_on_one_connection(scene: Scene, setup: Setup) -> None:
    camera = GenTLCamera(settings_of(setup), [GEOMETRY, SHORT])
    try:
        await camera.open()
        for _ in range(2):
            for recipe, image in ((RECIPE, IMAGE), (OF_SHORT, SHORT_IMAGE)):
                show(scene, image)
                features = await camera.prepare(recipe)
                told = (features["Height"], features["AcquisitionFrameCount"])
                assert told == (recipe.lines_per_block, recipe.blocks)
                np.testing.assert_array_equal(await seen(camera), image)
    finally:
        await camera.close()


async def test_more_blocks_a_turn_than_buffers_are_configured_all_come(scene: Scene, setup: Setup) -> None:
    many = Geometry(2000, 50, 25, 2)
    camera = GenTLCamera(settings_of(setup | {"Height": 50, "AcquisitionFrameCount": 40}), [many])
    try:
        await camera.open()
        show(scene, SHORT_IMAGE)
        await camera.prepare(ScanRecipe(30_000.0, 20.0, 50, 40))
        np.testing.assert_array_equal(await seen(camera), SHORT_IMAGE)
    finally:
        await camera.close()


async def test_a_set_up_of_blocks_that_no_type_has_is_refused_at_the_opening(setup: Setup) -> None:
    camera = GenTLCamera(settings_of(setup | {"Height": 300}), [GEOMETRY, SHORT])
    error = await refusal(camera.open())
    assert (error.code, error.detail) == ("camera.bad_image", "Height is 300, the station needs 448 or 200")
    camera = GenTLCamera(settings_of(setup | {"AcquisitionFrameCount": 9}), [GEOMETRY, SHORT])
    error = await refusal(camera.open())
    assert error.detail == "AcquisitionFrameCount is 9, a turn is 8 or 10 blocks"


def with_features(features: Features) -> ScanRecipe:
    return ScanRecipe(RECIPE.line_rate_hz, RECIPE.exposure_us, RECIPE.lines_per_block, RECIPE.blocks, features)


async def test_what_is_special_to_a_type_is_written_and_put_back_for_the_others(
    make_camera: MakeCamera, setup: Setup
) -> None:
    camera = make_camera(setup | {"Gain": 6, "BlackLevel": 2.5})
    await camera.open()
    for features, expected in (
        ((), (6.0, 2.5)),
        ((("Gain", 3), ("BlackLevel", 1.5)), (3.0, 1.5)),
        ((("Gain", 4),), (4.0, 2.5)),
        ((), (6.0, 2.5)),
    ):
        told = await camera.prepare(with_features(features))
        assert (told["Gain"], told["BlackLevel"]) == expected
    assert len(await one_turn(camera)) == 8


async def test_a_refused_feature_of_a_type_leaves_nothing_of_it_for_the_next(
    make_camera: MakeCamera, setup: Setup
) -> None:
    camera = make_camera(setup | {"Gain": 6, "BlackLevel": 2.5})
    await camera.open()
    error = await refusal(camera.prepare(with_features((("Gain", 3), ("BlackLevel", "dark")))))
    assert (error.code, error.detail) == ("camera.feature_refused", "BlackLevel = 'dark': the feature is a number")
    told = await camera.prepare(RECIPE)
    assert (told["Gain"], told["BlackLevel"]) == (6.0, 2.5)


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ((("Gain", 3),), "Gain of a part type: camera.setup does not say what others have"),
        ((("TriggerMode", "Off"),), "TriggerMode of a part type: write TriggerSelector before it"),
        (
            (("TriggerSelector", "LineStart"), ("TriggerMode", "Off")),
            "TriggerMode[LineStart] of a part type: camera.setup does not say what others have",
        ),
    ],
)
async def test_what_could_not_be_put_back_is_refused(
    make_camera: MakeCamera, setup: Setup, features: Features, words: str
) -> None:
    camera = make_camera(setup)
    await camera.open()
    error = await refusal(camera.prepare(with_features(features)))
    assert (error.code, error.detail) == ("camera.feature_refused", words)
    assert len(await one_turn(camera)) == 8
