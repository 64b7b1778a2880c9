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

RECIPE = ScanRecipe(line_rate_hz=20_000.0, exposure_us=25.0, lines_per_block=448, blocks=8)


class MortalCamera:
    """A camera that is lost on demand; `openings` says how each opening ends: None for well, else a fault's code."""

    def __init__(self, openings: Iterator[str | None]) -> None:
        self.openings = openings
        self.opened = 0
        self.lost = "camera.lost"

    async def open(self) -> None:
        self.opened += 1
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


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were asked for; none of them takes time."""
    asked: list[float] = []

    async def pause(seconds: float) -> None:
        if seconds:
            asked.append(seconds)

    monkeypatch.setattr("drivers.camera.supervisor.asyncio.sleep", pause)
    return asked


async def supervised(*openings: str | None, **settings: Any) -> tuple[SupervisedCamera, MortalCamera]:
    """An open camera whose next openings end like this."""
    below = MortalCamera(iter((None, *openings)))
    document = {"max_line_rate_hz": 1, "reopen_attempts": 3, "reopen_window_s": 60, "reopen_pause_s": 7} | settings
    camera = SupervisedCamera(below, CameraSettings.model_validate(document))
    await camera.open()
    return camera, below


@pytest.mark.parametrize("code", ["camera.lost", "camera.process_died"])
async def test_a_camera_that_was_lost_is_opened_again_before_the_next_part(code: str, pauses: list[float]) -> None:
    camera, below = await supervised(None)
    below.lost = code
    assert await camera.prepare(RECIPE) == {"AcquisitionLineRate": RECIPE.line_rate_hz}
    assert (below.opened, pauses) == (2, [])


async def test_a_camera_that_answers_is_left_alone(pauses: list[float]) -> None:
    camera, below = await supervised()
    await camera.prepare(RECIPE)
    assert (below.opened, pauses) == (1, [])


async def test_a_camera_that_still_starts_up_is_waited_for(pauses: list[float]) -> None:
    camera, below = await supervised("camera.not_found", "camera.process_died", None)
    below.lost = "camera.lost"
    await camera.prepare(RECIPE)
    assert (below.opened, pauses) == (4, [7.0, 7.0])


async def test_when_the_attempts_are_used_up_the_camera_is_told_not_to_be_back(pauses: list[float]) -> None:
    camera, below = await supervised(*["camera.not_found"] * 3)
    below.lost = "camera.lost"
    with pytest.raises(CameraError) as error:
        await camera.prepare(RECIPE)
    assert error.value.code == "camera.not_back"
    assert error.value.detail == "camera.not_found: opening 4; opened again 3 times within 60 s"
    assert (below.opened, pauses) == (4, [7.0, 7.0])


async def test_a_camera_that_dies_with_every_part_is_given_up_too(pauses: list[float]) -> None:
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


async def test_an_operators_opening_gives_all_attempts_back(pauses: list[float]) -> None:
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


async def test_attempts_older_than_the_window_do_not_count(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, below = await supervised(None, None, reopen_attempts=1)
    loop = asyncio.get_running_loop()
    now_s = loop.time()
    below.lost = "camera.lost"
    await camera.prepare(RECIPE)
    below.lost = "camera.lost"
    monkeypatch.setattr(loop, "time", lambda: now_s + 61)
    await camera.prepare(RECIPE)
    assert below.opened == 3


@pytest.mark.parametrize("code", ["camera.feature_refused", "camera.bad_image", "camera.no_producer"])
async def test_what_opening_again_cannot_mend_is_raised_at_once(code: str, pauses: list[float]) -> None:
    camera, below = await supervised(code)
    below.lost = "camera.lost"
    with pytest.raises(CameraError) as error:
        await camera.prepare(RECIPE)
    assert (error.value.code, below.opened, pauses) == (code, 2, [])


@pytest.mark.parametrize("code", ["camera.feature_refused", "camera.timeout"])
async def test_a_camera_that_is_there_but_refuses_is_not_opened_again(code: str, pauses: list[float]) -> None:
    camera, below = await supervised()
    below.lost = code
    with pytest.raises(CameraError) as error:
        await camera.prepare(RECIPE)
    assert (error.value.code, below.opened) == (code, 1)


async def test_no_attempt_is_made_where_none_is_allowed(pauses: list[float]) -> None:
    camera, below = await supervised(reopen_attempts=0)
    below.lost = "camera.lost"
    with pytest.raises(CameraError, match="unplugged"):
        await camera.prepare(RECIPE)
    assert below.opened == 1


async def test_a_failing_turn_and_a_closed_camera_open_nothing(pauses: list[float]) -> None:
    camera, below = await supervised()
    with pytest.raises(CameraError, match="in the turn"):
        async with camera.turn():
            pass
    await camera.close()
    with pytest.raises(CameraError, match="unplugged"):
        await camera.prepare(RECIPE)
    assert below.opened == 1
