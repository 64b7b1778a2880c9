"""A camera that comes back by itself: opened again when it was lost, as often as the settings allow.

    prepare ──▶ camera answers ──▶ features
       │ lost, or its process died
       └──▶ open again ──▶ prepare ──▶ features
               │ failed: pause, then the next attempt
               └──▶ attempts of the window used up ──▶ camera.not_back, and the cell is Held

Only `prepare` opens again: before the next part is taken on, or before the part on the jig is scanned once more. An
attempt starts a new camera process, which writes every configured feature and reads it back. Attempts are counted over
all recoveries, so a camera that dies with every part is given up too. What no new attempt can mend, a refused feature
for example, is raised at once.
"""

import asyncio
from collections import deque
from contextlib import AbstractAsyncContextManager

import structlog

from station.core.camera_settings import CameraSettings
from station.core.errors import CameraError
from station.core.part import FeatureSnapshot, ScanRecipe
from station.core.ports.camera import LineCamera, Turn

log = structlog.get_logger(__name__)

GONE = frozenset({"camera.lost", "camera.process_died"})
"""Faults after which a camera answers nothing until it is opened again."""

MAY_PASS = GONE | {"camera.not_found", "camera.timeout"}
"""Faults of an opening that may be gone with the next one: a camera that is still starting up is not found."""


class SupervisedCamera:
    """A `LineCamera` that opens the one below it again.

    Args:
        camera: Opens with one attempt and does not come back by itself.
        settings: How often, in which time, and with which pause.
    """

    def __init__(self, camera: LineCamera, settings: CameraSettings) -> None:
        self._camera = camera
        self._settings = settings
        self._attempts: deque[float] = deque()
        self._wanted = False

    async def open(self) -> None:
        """Connect, with one attempt, and forget what was before; see `LineCamera.open`."""
        self._attempts.clear()
        await self._camera.open()
        self._wanted = True

    async def prepare(self, recipe: ScanRecipe) -> FeatureSnapshot:
        """Set the camera, a lost one after opening it again; see `LineCamera.prepare`.

        May take the attempts' time: each at most `open_timeout_s`, with a pause after one that failed.

        Raises:
            CameraError: The attempts are used up, or what is wrong is not mended by opening again.
        """
        while True:
            try:
                return await self._camera.prepare(recipe)
            except CameraError as error:
                if error.code not in GONE or not self._wanted:
                    raise
                await self._open_again(error)

    def turn(self) -> AbstractAsyncContextManager[Turn]:
        """Arm; see `LineCamera.turn`. A camera that fails here is opened again by the next `prepare`."""
        return self._camera.turn()

    async def close(self) -> None:
        """Let the camera go; from now on it is not opened again."""
        self._wanted = False
        await self._camera.close()

    async def _open_again(self, cause: CameraError) -> None:
        log.warning("camera_lost", fault=cause.code, detail=cause.detail)
        pause_s = 0.0
        while True:
            attempt = self._next_attempt(cause)
            await asyncio.sleep(pause_s)
            try:
                await self._camera.open()
            except CameraError as error:
                log.warning("camera_open_failed", attempt=attempt, fault=error.code, detail=error.detail)
                if error.code not in MAY_PASS:
                    raise
                cause, pause_s = error, self._settings.reopen_pause_s
            else:
                log.warning("camera_opened_again", attempt=attempt)
                return

    def _next_attempt(self, cause: CameraError) -> int:
        """Count an attempt and say which one of the window it is.

        Raises:
            CameraError: It would be one too many.
        """
        now_s = asyncio.get_running_loop().time()
        while self._attempts and now_s - self._attempts[0] > self._settings.reopen_window_s:
            self._attempts.popleft()
        if len(self._attempts) >= self._settings.reopen_attempts:
            tried = f"opened again {len(self._attempts)} times within {self._settings.reopen_window_s:g} s"
            raise CameraError("camera.not_back", f"{cause.code}: {cause.detail}; {tried}")
        self._attempts.append(now_s)
        return len(self._attempts)
