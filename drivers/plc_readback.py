"""Whether the line PLC still holds what the station has written, how often that is looked at, and what follows.

A PLC whose program begins anew has forgotten everything and tells nobody; what is written at a change only would be
missing for good. So the station's block is read back at the pace of its heartbeat and written anew where it differs.
A PLC that does not keep a register gets the block at ever longer intervals and not at every look.
"""

from collections.abc import Sequence

import structlog

from station.core.errors import FAULTS, Fault

log = structlog.get_logger(__name__)

CALM = 20
"""For how many looks the block must hold before it counts as kept; also the longest pause between two writings."""

TIMES = 3
"""How often the constants are lost before the PLC counts as one that does not keep them."""

CONSTANTS = frozenset({"map_version", "magic"})
"""What no program clears that uses the block; other registers may be, as a handshake of the PLC's own."""


class Readback:
    """When the station's block is looked at and written anew.

    Args:
        every_s: Time between two looks.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._due_s = 0.0
        self._times = 0
        self._constants_lost = 0
        self._lost_s = 0.0
        self._next_s = 0.0
        self._pause_s = every_s

    @property
    def fault(self) -> Fault | None:
        """`plc.overwritten` while the constants are lost again and again, or None."""
        return FAULTS["plc.overwritten"] if self._constants_lost >= TIMES else None

    def due(self, now_s: float) -> bool:
        """Whether it is time to look."""
        return now_s >= self._due_s

    def written(self, now_s: float) -> None:
        """The whole block was written."""
        self._due_s = now_s + self._every_s

    def looked(self, differing: Sequence[str], now_s: float) -> bool:
        """Take what a look has found: the registers that hold something else. True: write the block anew now."""
        self._due_s = now_s + self._every_s
        if not differing:
            if self._times and now_s - self._lost_s >= CALM * self._every_s:
                log.info("plc_block_kept", written_anew=self._times)
                self._forget()
            return False
        self._lost_s = now_s
        if now_s < self._next_s:
            return False
        self._write_anew(differing, now_s)
        return True

    def _write_anew(self, differing: Sequence[str], now_s: float) -> None:
        self._times += 1
        self._constants_lost += not CONSTANTS.isdisjoint(differing)
        self._next_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, CALM * self._every_s)
        if self._times & (self._times - 1) == 0:  # the first, second, fourth … time
            log.warning("plc_block_written_anew", times=self._times, differing=list(differing))

    def _forget(self) -> None:
        self._times = 0
        self._constants_lost = 0
        self._next_s = 0.0
        self._pause_s = self._every_s
