"""Whether the line PLC still holds what the station has written, how often that is looked at, and what follows.

A PLC whose program begins anew has forgotten everything and tells nobody; what is written at a change only would be
missing for good. So the station's block is read back at the pace of its heartbeat and written anew where it differs.
A PLC that does not keep a register gets the block at ever longer intervals and not at every look; but one that loses
the constants, which it had kept for long, has begun anew and gets it at once.
"""

import math
from collections.abc import Sequence

import structlog

from station.core.errors import FAULTS, Fault

log = structlog.get_logger(__name__)

CALM = 20
"""For how many looks the block must hold before it counts as kept; also the longest pause between two writings."""

TIMES = 3
"""At how many looks the constants are gone before the PLC counts as one that does not keep them."""

CONSTANTS = frozenset({"map_version", "magic"})
"""What no program clears that uses the block; other registers may be, as a handshake of the PLC's own."""


class Readback:
    """When the station's block is looked at and written anew.

    Args:
        every_s: Time between two looks.

    Attributes:
        every_s: As given.
        kept: Whether the constants were ever found there. Behind a gateway the registers that are read may be others
            than those that are written; of such a PLC nothing can be concluded, and it has what it always had.
    """

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s
        self.kept = False
        self._due_s = 0.0
        self._times = 0
        self._constants_lost = 0
        self._constants_lost_s = -math.inf
        self._lost_s = 0.0
        self._next_s = 0.0
        self._pause_s = every_s

    @property
    def fault(self) -> Fault | None:
        """`plc.overwritten` while the constants are lost again and again, or None."""
        return FAULTS["plc.overwritten"] if self.kept and self._constants_lost >= TIMES else None

    def due(self, now_s: float) -> bool:
        """Whether it is time to look."""
        return now_s >= self._due_s

    def written(self, now_s: float) -> None:
        """The whole block was written."""
        self._due_s = now_s + self.every_s

    def learn(self, differing: Sequence[str]) -> None:
        """Take which registers hold something else right after they were written."""
        self.kept = self.kept or CONSTANTS.isdisjoint(differing)

    def compared(self, differing: Sequence[str], now_s: float) -> bool:
        """Take what a comparison has found: the registers that hold something else. True: write the block anew now."""
        self._due_s = now_s + self.every_s
        begun_anew = self._has_begun_anew(differing, now_s)
        if not differing:
            self._calm_down(now_s)
            return False
        self._lost_s = now_s
        if now_s < self._next_s and not begun_anew:
            return False
        self._write_anew(differing, now_s)
        return True

    def _has_begun_anew(self, differing: Sequence[str], now_s: float) -> bool:
        """Whether the constants are lost now that had been kept for long."""
        kept = self._is_long_ago(self._constants_lost_s, now_s)
        if kept:
            self._constants_lost = 0
        self.learn(differing)
        if CONSTANTS.isdisjoint(differing):
            return False
        self._constants_lost += 1
        self._constants_lost_s = now_s
        return kept

    def _is_long_ago(self, then_s: float, now_s: float) -> bool:
        return now_s - then_s >= CALM * self.every_s

    def _calm_down(self, now_s: float) -> None:
        if self._times and self._is_long_ago(self._lost_s, now_s):
            log.info("plc_block_kept", written_anew=self._times)
            self._times = 0
            self._next_s = 0.0
            self._pause_s = self.every_s

    def _write_anew(self, differing: Sequence[str], now_s: float) -> None:
        self._times += 1
        self._next_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, CALM * self.every_s)
        if self._times & (self._times - 1) == 0:  # the first, second, fourth … time
            log.warning("plc_block_written_anew", times=self._times, differing=list(differing))
