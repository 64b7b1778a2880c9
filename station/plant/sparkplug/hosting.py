"""The host application that must be online before anything is published: what it says of itself."""

import asyncio
import json

from station.plant.sparkplug.node import host_topic


class PrimaryHostGoneError(Exception):
    """It said that it is offline: the node ends its connection, and waits for it in the next."""


class PrimaryHost:
    """One host application, in one connection.

    Args:
        name: Its host id; empty: none is needed.

    Attributes:
        topic: Where it says whether it is there; empty where none is needed.
        online: Set while it is there.
    """

    def __init__(self, name: str) -> None:
        self.topic = host_topic(name) if name else ""
        self.online = asyncio.Event()
        self._at_ms = -1
        if not name:
            self.online.set()

    def hear(self, data: bytes) -> None:
        """What was said on its topic; what is older than what was heard before, or no such message, says nothing.

        Raises:
            PrimaryHostGoneError: It is offline, and was online.

        Source: Eclipse Sparkplug 3.0.0, section 5.4, tck-id-message-flow-edge-node-birth-publish-phid-offline.
        """
        try:
            said = json.loads(data)
            online, at_ms = said["online"], said["timestamp"]
        except (ValueError, KeyError, TypeError):
            return
        if not isinstance(online, bool) or not isinstance(at_ms, int) or at_ms < self._at_ms:
            return
        self._at_ms = at_ms
        if online:
            self.online.set()
        elif self.online.is_set():
            raise PrimaryHostGoneError
