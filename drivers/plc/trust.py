"""Whether the line PLC is believed: it is heard, it has the map's constants, and its heart beats."""

import asyncio
import math
from collections.abc import Coroutine
from typing import Any

from drivers.modbus.heartbeat import Freshness
from drivers.plc.block import HeardBlock
from station.core.errors import FAULTS, Fault
from station.core.pulse import Pulse


class Trust:
    """What speaks against believing the PLC, at any time. Nothing here waits.

    Args:
        block: What was heard.
        stale_after_s: How long a heartbeat may stand still.
    """

    def __init__(self, block: HeardBlock, stale_after_s: float) -> None:
        self._block = block
        self._stale_after_s = stale_after_s
        self._freshness = Freshness(stale_after_s)
        self._link_fault: Fault | None = FAULTS["plc.unreachable"]
        self._known = False
        self._constants_at_s = -math.inf
        self._pulse = Pulse()

    def hear(self) -> None:
        """The block was filled with new words."""
        now_s = _now_s()
        self._link_fault = None
        if self._block.constants_fit:
            self._known, self._constants_at_s = True, now_s
        beaten = self._freshness.hear(self._block.value("plc_heartbeat"), now_s)
        if self._begins_anew(now_s):
            self._freshness.doubt()
        elif beaten:
            self._pulse.beat()

    def lose(self, fault: Fault) -> None:
        """The PLC is not heard, for this reason, until it is heard again."""
        self._link_fault = fault

    def beaten(self) -> Coroutine[Any, Any, None]:
        """Return at the first beat of the PLC after this call."""
        return self._pulse.changed()

    @property
    def fault(self) -> Fault | None:
        """Why nothing of what the PLC says can be believed, or None."""
        now_s = _now_s()
        if self._link_fault:
            return self._link_fault
        if self._begins_anew(now_s):
            return FAULTS["plc.stale"]
        if not self._block.constants_fit or self._block.value("permission") is None:
            return FAULTS["plc.wrong_map"]
        return None if now_s < self._freshness.fresh_until_s else FAULTS["plc.stale"]

    @property
    def holds_until_s(self) -> float:
        """Until when `fault` stays as it is where nothing more is heard, in the event loop's time."""
        now_s = _now_s()
        ends = (self._freshness.fresh_until_s, self._constants_at_s + self._stale_after_s)
        return min((end_s for end_s in ends if end_s > now_s), default=math.inf)

    def _begins_anew(self, now_s: float) -> bool:
        """Whether all constants are 0 and the heart does not beat, or, where they were right, has only just begun to.

        Then the registers are 0 and the program has not set them yet, or writes its half in parts and these are still
        to come: no wrong map, but one that passes.
        """
        if not self._block.constants_are_gone:
            return False
        just_begun = self._known and now_s < self._constants_at_s + self._stale_after_s
        return just_begun or self._block.number("plc_heartbeat") == 0


def _now_s() -> float:
    return asyncio.get_running_loop().time()
