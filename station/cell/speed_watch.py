"""Watches the jig's speed while the part turns: too slow or too fast is no scan."""

import asyncio
from collections.abc import Awaitable

from station.core.errors import JigError
from station.core.part import PartType
from station.core.ports.devices import JigStatus, SpinJig

SPEED_TOLERANCE = 0.02
"""Share by which the measured speed may differ from the ordered one.

An assumption: no drive was measured for it. It is far above what the registers resolve (0.1 rpm, 0.05 % of the 191 rpm
of a part of 32 mm at 320 mm/s; 0.1 ms, 0.06 % of a turn of one of 18 mm): it judges the drive, not the rounding.

What it costs: the camera goes by its own clock. Of a turn that is slower by almost 2 % the last 72 of 3584 lines are
missing: 1.1 mm of the surface of a part of 18 mm, 2.0 mm of one of 32 mm. In a faster one as much is seen twice. What
this watch lets pass only the lines themselves tell: the proof of the seam found a turn too short by 4 lines in 20 of 20
scans under noise of up to 4 grey values, and one by 72 lines in 20 of 20 under up to 10
(`station/flow/turn/README.md`). Where `turn.proofs` leaves the seam out, so much of the surface may go unseen.
"""

FREE_S = 0.025
"""So long before the last line nothing is asked of the jig any more: what is asked at the last line need not wait then.

A look takes 39 bytes and a silence: 24 ms on a serial line of 19,200 baud, 6 ms of 115,200.
"""


class SpeedWatch:
    """Whether the jig keeps its speed during a scan; `error` is None while it does.

    What is known at the last line decides whether the turn may be passed, so the speed is watched while the part turns,
    and the turn's time is asked for when the last line is here, beside the scoring of the last two patches: the
    decision finds it answered, as no other question is on the line just then. Nothing is published before it. A check
    that came after the decision was published would be cheaper still, but then a turn at a wrong speed would read as
    passed on the PLC for some milliseconds.

    Args:
        jig: The jig.
        part_type: What turns, at which speed.
    """

    def __init__(self, jig: SpinJig, part_type: PartType) -> None:
        self._jig = jig
        self._speed_rpm = part_type.speed_rpm
        self._block_s = part_type.block_s
        self._patience_s = SPEED_TOLERANCE * part_type.turn_s
        self._pulses: int | None = None
        self._watching: asyncio.Task[None] | None = None
        self._nearing: asyncio.TimerHandle | None = None
        self.error: JigError | None = None

    def begin(self) -> None:
        """Watch from now on, until the last line is near."""
        self._watching = asyncio.create_task(self._watch(), name="speed watch")

    def last_block_begins(self) -> None:
        """The last block is being exposed: shortly before its end nothing is asked any more until `check_turn_time`."""
        wait_s = max(0.0, self._block_s - FREE_S)
        self._nearing = asyncio.get_running_loop().call_later(wait_s, self._leave_line_free)

    async def end(self) -> None:
        """Watch no more."""
        if self._nearing is not None:
            self._nearing.cancel()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def _leave_line_free(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
        self._jig.leave_line_free()

    async def _watch(self) -> None:
        """Compare the drive's own speed at every regular poll, until cancelled or until it was not kept."""
        while self.error is None:
            if (status := await self._seen(self._jig.next_status())) is not None:
                self._pulses = status.index_pulses
            await asyncio.sleep(0)

    async def check_turn_time(self) -> None:
        """Compare the time of the turn that is over, by the index pulses, which no erring drive can fake.

        Where this turn's pulse is not in yet, what the jig shows is the time of the turn before, which the run-up may
        have lengthened; it is waited for as long as a turn of tolerable speed would take.
        """
        loop = asyncio.get_running_loop()
        pulses, patience_s = self._pulses, loop.time() + self._patience_s
        while (status := await self._seen(self._jig.status())) is not None:
            if not status.index_period_ms or not self._off(60_000 / status.index_period_ms):
                return
            if status.index_pulses != pulses or loop.time() > patience_s:
                self.error = self._slipped("the index pulse", 60_000 / status.index_period_ms, status)
                return

    async def _seen(self, asked: Awaitable[JigStatus]) -> JigStatus | None:
        """The jig, or None when it fails or its drive does not keep the speed; then that is the error."""
        try:
            status = await asked
        except JigError as error:
            self.error = self.error or error
            return None
        if self._off(status.speed_rpm):
            self.error = self.error or self._slipped("the drive", status.speed_rpm, status)
            return None
        return status

    def _off(self, speed_rpm: float) -> bool:
        return abs(speed_rpm - self._speed_rpm) > SPEED_TOLERANCE * self._speed_rpm

    def _slipped(self, by: str, speed_rpm: float, status: JigStatus) -> JigError:
        seen = f"{speed_rpm:.1f} rpm by {by}, ordered {self._speed_rpm:.1f} rpm, drive fault {status.drive_fault}"
        return JigError("jig.slipped", seen)
