"""Watches the jig's speed while the part turns: too slow or too fast is no scan."""

import asyncio
from collections.abc import Awaitable

from station.core.errors import JigError
from station.core.part import PartType
from station.core.ports.devices import JigStatus, SpinJig

SPEED_TOLERANCE = 0.02
"""Share by which the measured speed may differ; at 2 % a turn's last line lies by 2 % of the turn beside its place."""


class SpeedWatch:
    """Whether the jig keeps its speed during a scan; `trouble` is None while it does.

    What is known at the last line decides whether the turn may be passed, so the looks go on while the part turns and
    a last one is asked for when the last line is here, beside the scoring of the last two patches: the decision finds
    it answered. Nothing is published before it. A check that came after the decision was published would be cheaper
    still, but then a turn at a wrong speed would read as passed on the PLC for some milliseconds.

    Args:
        jig: The jig.
        part_type: What turns, at which speed.
    """

    def __init__(self, jig: SpinJig, part_type: PartType) -> None:
        self._jig = jig
        self._speed_rpm = part_type.speed_rpm
        self._patience_s = SPEED_TOLERANCE * part_type.turn_s
        self._pulses: int | None = None
        self.trouble: JigError | None = None

    async def look_on(self) -> None:
        """Compare the drive's own speed at every regular look, until cancelled or until it was not kept."""
        while self.trouble is None:
            if (status := await self._seen(self._jig.next_status())) is not None:
                self._pulses = status.index_pulses
            await asyncio.sleep(0)

    async def look_back(self) -> None:
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
                self.trouble = self._slipped("the index pulse", 60_000 / status.index_period_ms, status)
                return

    async def _seen(self, look: Awaitable[JigStatus]) -> JigStatus | None:
        """The jig, or None when it fails or its drive does not keep the speed; then that is the trouble."""
        try:
            status = await look
        except JigError as error:
            self.trouble = self.trouble or error
            return None
        if self._off(status.speed_rpm):
            self.trouble = self.trouble or self._slipped("the drive", status.speed_rpm, status)
            return None
        return status

    def _off(self, speed_rpm: float) -> bool:
        return abs(speed_rpm - self._speed_rpm) > SPEED_TOLERANCE * self._speed_rpm

    def _slipped(self, by: str, speed_rpm: float, status: JigStatus) -> JigError:
        seen = f"{speed_rpm:.1f} rpm by {by}, ordered {self._speed_rpm:.1f} rpm, drive fault {status.drive_fault}"
        return JigError("jig.slipped", seen)
