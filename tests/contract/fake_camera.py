"""A line-scan camera without process, producer or time: for tests of what stands above the port.

The contract suite in `test_camera_contract.py` holds it to what the real driver does.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto

from station.core.errors import CameraError
from station.core.part import Block, FeatureSnapshot, Pixels, ScanRecipe
from tests.lines import BLOCKS_PER_TURN, LINES_PER_BLOCK
from tests.virtual_time import loop_ns


class Mishap(Enum):
    """What happens to one block of one of the first turns after the camera was made."""

    LOST = auto()  # it never comes; its number is missing
    SHORT = auto()  # 100 lines come, and it passes for complete
    INCOMPLETE = auto()  # it is thrown away
    UNPLUGGED = auto()  # the cable is out, until the camera is opened again


SHORT_LINES = 100


@dataclass(frozen=True, slots=True)
class Misfortune:
    """A mishap and the block, 0 to 7, that it hits."""

    mishap: Mishap
    block: int


class FakeTurn:
    """One turn of the fake."""

    def __init__(self, camera: "FakeLineCamera", misfortune: Misfortune | None) -> None:
        self._camera = camera
        self._misfortune = misfortune
        self.discarded_blocks = 0
        self.over = False

    async def blocks(self) -> AsyncIterator[Block]:
        """The blocks of the image that is shown."""
        index = 0
        for frame_id in range(BLOCKS_PER_TURN):
            await asyncio.sleep(0)
            mishap = self._mishap_of(frame_id)
            if self.over:
                return
            if not self._camera.turning:
                raise CameraError("camera.timeout", "no index pulse")
            if mishap is Mishap.UNPLUGGED:
                self._camera.lost = True
                raise CameraError("camera.lost", "unplugged")
            if mishap is Mishap.INCOMPLETE:
                self.discarded_blocks += 1
            elif mishap is not Mishap.LOST:
                yield self._camera.block(index, frame_id, SHORT_LINES if mishap is Mishap.SHORT else LINES_PER_BLOCK)
                index += 1

    def _mishap_of(self, frame_id: int) -> Mishap | None:
        return self._misfortune.mishap if self._misfortune and self._misfortune.block == frame_id else None


class FakeLineCamera:
    """A `LineCamera` that shows an image (3584, width) uint8, with at most one mishap in its first turn.

    Attributes:
        image: What lies under the camera.
        turning: Whether the jig turns; if not, a turn times out.
        lost: Whether the cable is out.
        recipe: What the camera was last set to.
    """

    def __init__(self, image: Pixels, *misfortunes: Misfortune) -> None:
        self.image = image
        self.turning = True
        self.lost = False
        self.recipe: ScanRecipe | None = None
        self._misfortunes = list(misfortunes)
        self._open = False

    async def open(self) -> None:
        """Plug the cable in and connect."""
        self.lost = False
        self._open = True

    async def prepare(self, recipe: ScanRecipe) -> FeatureSnapshot:
        """Remember the recipe and tell of it."""
        self._check()
        self.recipe = recipe
        width = self.image.shape[1]
        return {
            "Width": width,
            "Height": LINES_PER_BLOCK,
            "PixelFormat": "Mono8",
            "AcquisitionLineRate": recipe.line_rate_hz,
            "ExposureTime": recipe.exposure_us,
            "DeviceModelName": "Fake",
        }

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[FakeTurn]:
        """One turn; it uses up one misfortune."""
        self._check()
        turn = FakeTurn(self, self._misfortunes.pop(0) if self._misfortunes else None)
        try:
            yield turn
        finally:
            turn.over = True

    async def close(self) -> None:
        """Disconnect."""
        self._open = False

    def block(self, index: int, frame_id: int, lines: int) -> Block:
        """One block of the image, black after `lines` lines."""
        pixels = self.image[frame_id * LINES_PER_BLOCK : (frame_id + 1) * LINES_PER_BLOCK].copy()
        pixels[lines:] = 0
        pixels.flags.writeable = False
        now = loop_ns()
        return Block(index, frame_id, pixels, lines, now, now)

    def _check(self) -> None:
        if self.lost or not self._open:
            raise CameraError("camera.lost", "unplugged" if self.lost else "it is not open")
