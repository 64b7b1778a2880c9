"""When a lost camera is opened again, how often, and when that is given up."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from drivers.camera.supervisor import SupervisedCamera
from station.core.camera_settings import CameraSettings
from station.core.errors import CameraError
from station.core.part import FeatureSnapshot, ScanRecipe
from station.core.ports.camera import Turn
from tests.virtual_time import BEGIN_S, in_virtual_time

RECIPE = ScanRecipe(line_rate_hz=20_000.0, exposure_us=25.0, lines_per_block=448, blocks=8)


class MortalCamera:
    """A camera that is lost on demand; `openings` says how each opening ends: None for well, else a fault's code."""

    def __init__(self, openings: Iterator[str | None]) -> None:
        self.openings = openings
        self.opened_at: list[float] = []
        self.lost = "camera.lost"

    @property
    def opened(self) -> int:
        return len(self.opened_at)

    async def open(self) -> None:
        self.opened_at.append(asyncio.get_running_loop().time() - BEGIN_S)
        if (code := next(self.openings)) is not None:
            self.lost = "camera.lost"
            raise CameraError(code, f"opening {self.opened}")
        self.lost = ""

    async def prepare(self, recipe: ScanRecipe) -> FeatureSnapshot:
        if self.lost:
            raise CameraError(self.lost, "unplugged")
        return {"AcquisitionLineRate": recipe.line_rate_hz}

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        raise CameraError("camera.lost", "in the turn")
        yield

    async def close(self) -> None:
        self.lost = "camera.lost"


async def supervised(*openings: str | None, **settings: Any) -> tuple[SupervisedCamera, MortalCamera]:
    """An open camera whose next openings end like this."""
    below = MortalCamera(iter((None, *openings)))
    document = {"max_line_rate_hz": 1, "reopen_attempts": 3, "reopen_window_s": 60, "reopen_pause_s": 7} | settings
    camera = SupervisedCamera(below, CameraSettings.model_validate(document))
    await camera.open()
    return camera, below


@pytest.mark.parametrize("code", ["camera.lost", "camera.process_died"])
@in_virtual_time
async def test_a_camera_that_was_lost_is_opened_again_before_the_next_part(code: str) -> None:
    camera, below = await supervised(None)
    below.lost = code
    assert await camera.prepare(RECIPE) == {"AcquisitionLineRate": RECIPE.line_rate_hz}
    assert below.opened_at == [0, 0]


@in_virtual_time
async def test_a_camera_that_answers_is_left_alone() -> None:
    camera, below = await supervised()
    await camera.prepare(RECIPE)
    assert below.opened_at == [0]


@in_virtual_time
async def test_a_camera_that_still_starts_up_is_waited_for() -> None:
    camera, below = await supervised("camera.not_found", "camera.process_died", None)
    below.lost = "camera.lost"
    await camera.prepare(RECIPE)
    assert below.opened_at == [0, 0, 7, 14]


@in_virtual_time
async def test_when_the_attempts_are_used_up_the_camera_is_told_not_to_be_back() -> None:
    camera, below = await supervised(*["camera.not_found"] * 3)
    below.lost = "camera.lost"
    with pytest.raises(CameraError) as error:
        await camera.prepare(RECIPE)
    assert error.value.code == "camera.not_back"
    assert error.value.detail == "camera.not_found: opening 4; opened again 3 times within 60 s"
    assert below.opened_at == [0, 0, 7, 14]


@in_virtual_time
async def test_a_camera_that_dies_with_every_part_is_given_up_too() -> None:
    camera, below = await supervised(*[None] * 9)
    for _ in range(3):
        below.lost = "camera.process_died"
        await camera.prepare(RECIPE)
    below.lost = "camera.process_died"
    with pytest.raises(CameraError) as error:
        await camera.prepare(RECIPE)
    assert error.value.code == "camera.not_back"
    assert "camera.process_died" in error.value.detail
    assert below.opened == 4


@in_virtual_time
async def test_an_operators_opening_gives_all_attempts_back() -> None:
    camera, below = await supervised(None, None, None, reopen_attempts=1)
    for _ in range(2):
        below.lost = "camera.lost"
        await camera.prepare(RECIPE)
        below.lost = "camera.lost"
        with pytest.raises(CameraError, match="opened again 1 times"):
            await camera.prepare(RECIPE)
        if below.opened == 2:
            await camera.open()
    assert below.opened == 4


@in_virtual_time
async def test_attempts_older_than_the_window_do_not_count() -> None:
    camera, below = await supervised(None, None, reopen_attempts=1)
    below.lost = "camera.lost"
    await camera.prepare(RECIPE)
    below.lost = "camera.lost"
    await asyncio.sleep(60.5)
    await camera.prepare(RECIPE)
    assert below.opened == 3


@pytest.mark.parametrize("code", ["camera.feature_refused", "camera.bad_image", "camera.no_producer"])
@in_virtual_time
async def test_what_opening_again_cannot_mend_is_raised_at_once(code: str) -> None:
    camera, below = await supervised(code)
    below.lost = "camera.lost"
    with pytest.raises(CameraError) as error:
        await camera.prepare(RECIPE)
    assert (error.value.code, below.opened_at) == (code, [0, 0])


@pytest.mark.parametrize("code", ["camera.feature_refused", "camera.timeout"])
@in_virtual_time
async def test_a_camera_that_is_there_but_refuses_is_not_opened_again(code: str) -> None:
    camera, below = await supervised()
    below.lost = code
    with pytest.raises(CameraError) as error:
        await camera.prepare(RECIPE)
    assert (error.value.code, below.opened) == (code, 1)


@in_virtual_time
async def test_no_attempt_is_made_where_none_is_allowed() -> None:
    camera, below = await supervised(reopen_attempts=0)
    below.lost = "camera.lost"
    with pytest.raises(CameraError, match="unplugged"):
        await camera.prepare(RECIPE)
    assert below.opened == 1


@in_virtual_time
async def test_a_failing_turn_and_a_closed_camera_open_nothing() -> None:
    camera, below = await supervised()
    with pytest.raises(CameraError, match="in the turn"):
        async with camera.turn():
            pass
    await camera.close()
    with pytest.raises(CameraError, match="unplugged"):
        await camera.prepare(RECIPE)
    assert below.opened == 1
