"""The camera's clock against the station's: when a block's last line was exposed, on CLOCK_MONOTONIC."""

import time
from typing import Any

from drivers.camera.process.features import read_feature, write_feature

SAME_CLOCK_NS = 10_000_000_000


class DeviceClock:
    """Translates the time stamps of one turn.

    In this order: with a latched `offset_ns`, that is added. A stamp that lies less than ten seconds before its arrival
    is taken as CLOCK_MONOTONIC itself. Otherwise the smallest delay from stamp to arrival in this turn is taken as the
    difference of the clocks, so that the fastest block counts as having arrived at once.

    Args:
        offset_ns: CLOCK_MONOTONIC less the device's clock, or None where the device cannot be asked.
    """

    def __init__(self, offset_ns: int | None) -> None:
        self._offset_ns = offset_ns
        self._shortest_ns: int | None = None

    def monotonic_ns(self, stamp_ns: int | None, arrived_ns: int) -> int:
        """The stamp on CLOCK_MONOTONIC, never after the arrival; the arrival itself where there is no stamp."""
        if stamp_ns is None:
            return arrived_ns
        return min(stamp_ns + self._offset(arrived_ns - stamp_ns), arrived_ns)

    def _offset(self, delay_ns: int) -> int:
        if self._offset_ns is not None:
            return self._offset_ns
        if 0 <= delay_ns < SAME_CLOCK_NS:
            return 0
        self._shortest_ns = delay_ns if self._shortest_ns is None else min(delay_ns, self._shortest_ns)
        return self._shortest_ns


def latch_offset_ns(nodes: Any) -> int | None:
    """CLOCK_MONOTONIC less the device's clock, by SFNC's TimestampLatch; None where the camera has none.

    The uncertainty is half the time that the command takes.
    """
    if not (nodes.has_node("TimestampLatch") and nodes.has_node("TimestampLatchValue")):
        return None
    before_ns = time.monotonic_ns()
    write_feature(nodes, "TimestampLatch", True)
    middle_ns = (before_ns + time.monotonic_ns()) // 2
    latched = read_feature(nodes, "TimestampLatchValue")
    return middle_ns - latched if isinstance(latched, int) else None
