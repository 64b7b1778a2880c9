"""What the line PLC says, told to whoever watches: permission, full places, what it announces."""

from station.core.broadcast import Broadcast
from station.core.events import LineChanged
from station.core.ports.line import PartFeed


class Hearing:
    """Tells every change of what the line says.

    Args:
        feed: What the line says.
        broadcast: Is told.
    """

    def __init__(self, feed: PartFeed, broadcast: Broadcast) -> None:
        self._feed = feed
        self._broadcast = broadcast

    async def serve(self) -> None:
        """Tell what the line says now, and whenever it says something else, until cancelled."""
        while True:
            told = self._feed.view
            self._broadcast.tell(LineChanged(told))
            while self._feed.view == told:
                await self._feed.changed()
