"""The station's heartbeat in the line PLC's registers, and what must be told between two beats."""

import asyncio
from collections.abc import Callable

import structlog

from drivers.modbus.heartbeat import HeartbeatOut
from drivers.plc.acceptance import Acceptance
from drivers.plc.writer import BlockWriter

log = structlog.get_logger(__name__)


class StationHeart:
    """Beats in the station's event loop, so that a station that hangs is seen to.

    Args:
        writer: Of the beats.
        acceptance: Says when the PLC must be told anew which part was accepted last.
        every_s: Time between two beats.
    """

    def __init__(self, writer: BlockWriter, acceptance: Acceptance, every_s: float) -> None:
        self._writer = writer
        self._acceptance = acceptance
        self._beats = HeartbeatOut(every_s)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def started(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._task is not None

    @property
    def stands_still(self) -> bool:
        """Whether it has stopped by itself, which it must not."""
        return self._task is not None and self._task.done()

    def start(self, number: int, on_end: Callable[[], None]) -> None:
        """Begin to beat.

        Args:
            number: The beat that the PLC saw last.
            on_end: Called when it has stopped by itself.
        """
        self._beats.number = number
        self._task = asyncio.create_task(self._beat(), name="plc heartbeat")
        self._task.add_done_callback(lambda task: self._on_done(task, on_end))

    async def stop(self) -> None:
        """Beat no more."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.wait([task])

    def notice(self) -> None:
        """Tell at once what must be told, if there is anything."""
        if self._acceptance.untold:
            self._wake.set()

    async def _beat(self) -> None:
        while True:
            try:
                async with asyncio.timeout_at(self._beats.due_s):
                    await self._wake.wait()
            except TimeoutError:
                await self._writer.tell({"heartbeat": self._beats.beat(asyncio.get_running_loop().time())})
            self._wake.clear()
            if self._acceptance.untold:
                self._acceptance.untold = False
                await self._writer.tell({"accepted_part": self._acceptance.accepted.sequence})

    @staticmethod
    def _on_done(task: asyncio.Task[None], on_end: Callable[[], None]) -> None:
        if not task.cancelled():
            log.error("plc_heartbeat_ended", error=repr(task.exception()))
            on_end()
