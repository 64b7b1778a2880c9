"""Watchers of whom a test is the first: what it has seen is what has happened."""

from station.core.events import CellEvent, Watcher
from station.core.watchers import Watchers


class ToldAtOnce(Watchers):
    """Tells the test on the loop, and everybody else as ever."""

    def __init__(self, watch: Watcher) -> None:
        super().__init__()
        self._first = watch

    def tell(self, event: CellEvent) -> None:
        """Tell the test, then whoever else is there."""
        self._first(event)
        super().tell(event)
