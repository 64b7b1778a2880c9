"""The line-scan camera, as the cell needs it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from station.core.part import (
    Block,
    FeatureSnapshot,
    ScanRecipe,
)


class LineCamera(Protocol):
    """A line-scan camera that delivers one turn as numbered blocks, as the recipe has them."""

    async def open(self) -> None:
        """Connect, write the configured features and read them back.

        Raises:
            CameraError: No producer, no camera, or a feature was refused.
        """

    async def prepare(self, recipe: ScanRecipe) -> FeatureSnapshot:
        """Set the camera for the next part's type and return all configured features as read back.

        What the recipe before had special and this one has not is put back to the common set-up.

        Raises:
            CameraError: The camera is gone or a feature was refused.
        """

    def turn(self) -> AbstractAsyncContextManager["Turn"]:
        """Arm for the next index pulse; inside the context the blocks arrive, on leaving it the camera is disarmed.

        Raises:
            CameraError: The camera is gone or cannot be armed.
        """

    async def close(self) -> None:
        """Let the camera go; harmless when it is not open."""


class Turn(Protocol):
    """One armed turn."""

    def blocks(self) -> AsyncIterator[Block]:
        """Blocks as they arrive, at most one turn; ends early when the camera reports the end of the acquisition.

        Raises:
            CameraError: No block in time, a broken connection, or a foreign image format.
        """

    @property
    def discarded_blocks(self) -> int:
        """Blocks that were thrown away as incomplete so far."""
