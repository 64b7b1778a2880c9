"""How many parts are wanted."""

from station.cell.counters import Counters


class Quota:
    """After how many parts the cell is complete; never, until somebody says how many.

    Args:
        counters: How many parts are through.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._parts: int | None = None

    def limit(self, parts: int) -> None:
        """So many parts are wanted in all."""
        self._parts = parts

    @property
    def met(self) -> bool:
        """Whether all that are wanted are through."""
        return self._parts is not None and self._counters.processed >= self._parts
