"""The line PLC behind its register map, in both roles: one connection, and the conversations over it.

    peer (client or server) ─▶ inbox ─▶ feed, requests, results    what the PLC says
    feed, requests, results, heart ─▶ writer ─▶ outbox, peer       what the station says

The registers are the same in both roles.
"""

import asyncio
import math
from contextlib import suppress

from drivers.modbus.register_map import RegisterMap
from drivers.plc.acceptance import NOTHING
from drivers.plc.client import PlcClient
from drivers.plc.defect_list import DefectList
from drivers.plc.feed import ModbusFeed
from drivers.plc.heart import StationHeart
from drivers.plc.inbox import PlcInbox
from drivers.plc.outbox import PlcOutbox
from drivers.plc.peer import Peer
from drivers.plc.requests import ModbusRequests
from drivers.plc.results import ModbusResults
from drivers.plc.server import PlcServer
from drivers.plc.writer import BlockWriter
from station.core.clock import Clock, SystemClock
from station.core.errors import FAULTS, PlcError
from station.core.part import Announcement
from station.core.settings import PlcSettings
from station.core.verdicts import Classes


class ModbusPlc:
    """The port `LineLink` over Modbus.

    Args:
        settings: Role, address and deadlines.
        registers: The PLC's map.
        table: Which places there are.
        accepted: What the station accepted last, which is not offered again. A PLC with its own registers tells its
            number itself; the station's server has forgotten it at a restart.
        clock: What deliveries are timed with.

    Attributes:
        feed: Parts that are announced, and whether they may be taken on.
        requests: Commands and acknowledgements of alarms.
        results: Results, defects and reports.
    """

    def __init__(
        self,
        settings: PlcSettings,
        registers: RegisterMap,
        table: Classes,
        accepted: Announcement = NOTHING,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._inbox = PlcInbox(registers, settings.stale_after_s, accepted)
        self._outbox = PlcOutbox(registers)
        self._outbox.put({"accepted_part": accepted.sequence})
        defects = DefectList(registers, table)
        talk = settings, registers, self._inbox, self._outbox, defects
        self._peer: Peer = PlcClient(*talk) if settings.role == "client" else PlcServer(*talk)
        writer = BlockWriter(self._outbox, self._peer)
        self._heart = StationHeart(writer, self._inbox.acceptance, settings.heartbeat_s)
        self.feed = ModbusFeed(self._inbox, self._peer, self._heart, writer, table.places)
        self.requests = ModbusRequests(self._inbox.requests, writer)
        self.results = ModbusResults(
            self._inbox, self._outbox, defects, writer, clock or SystemClock(), settings.result_timeout_s
        )
        self._inbox.on_news(self._notice)
        self._expiry: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        """TCP port: the PLC's, or the one that the station's server has got."""
        return self._peer.port

    async def connect(self) -> None:
        """Connect or listen, and show the station's heartbeat; harmless when that is done.

        As client this waits for a beat of the PLC, at most until it counts as stale.

        Raises:
            PlcError: `unreachable`, `wrong_map`; `port_in_use`, `port_not_permitted`, `cannot_listen`; nothing is left
                running.
        """
        if self._heart.started:
            return
        try:
            await self._peer.open()
        except PlcError as error:
            self._inbox.lose(error.fault)
            raise
        self._heart.start(self._outbox.number("heartbeat"), self._notice)
        if self._settings.role == "client":
            await self._first_beat()

    async def close(self) -> None:
        """Disconnect."""
        await self._heart.stop()
        await self._peer.close()
        self._inbox.lose(FAULTS["plc.unreachable"])
        if self._expiry:
            self._expiry.cancel()
            self._expiry = None

    async def _first_beat(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.stale_after_s):
                while self.feed.view.fault is FAULTS["plc.stale"]:
                    await self.feed.changed()

    def _notice(self) -> None:
        """Something was heard, or is over: everybody whom it concerns takes it in, in one go."""
        self.results.notice()
        self.requests.notice(self.feed.notice().fault)
        self._heart.notice()
        if self._expiry is None:
            self._expire_in_time()

    def _expire_in_time(self) -> None:
        """Look again when what is known now expires, for a PLC that falls silent tells nobody."""
        ends_s = self._inbox.trust.holds_until_s
        if ends_s < math.inf:
            self._expiry = asyncio.get_running_loop().call_at(ends_s, self._on_expiry)

    def _on_expiry(self) -> None:
        self._expiry = None
        self._notice()
