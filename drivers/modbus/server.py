"""A Modbus TCP server on a plant network: few connections, each request in its turn, and nobody who is not expected.

Whoever floods it waits longer, not the cell: so many requests a second are answered to the caller that commands, and as
many to all others together, one of each connection in turn; the rest stays in the network. A connection that is unused
for too long is closed, and the one unused longest makes room for a new one of its address, or of all. Some files are
always left for the station's own devices. What happens often is logged in sums.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 4.2 (access control, pools of connections of
which some are never closed for others).
"""

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from drivers.modbus.allowance import Allowance
from drivers.modbus.callers import Caller
from drivers.modbus.listener import Listener
from drivers.modbus.served_connection import ServedConnection
from drivers.modbus.tally import Tally
from drivers.modbus.turnstile import Turnstile


class Service(Protocol):
    """What is served, and to whom. Nothing here waits."""

    def admits(self, address: str) -> bool:
        """Whether this address may connect."""

    def prefers(self, address: str) -> bool:
        """Whether a connection of this address is not closed to make room for another address."""

    def commands(self, caller: Caller) -> bool:
        """Whether this caller has the command: it is never closed to make room, and waits for no other."""

    def answer(self, caller: Caller, unit: int, request: bytes) -> bytes:
        """The answer to one request, function code first."""

    def left(self, caller: Caller) -> None:
        """The connection is closed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What strangers may take.

    Attributes:
        connections: In all.
        per_address: Of one address.
        idle_s: Time without a request after which a connection is closed.
        requests_per_s: Answered to the caller that commands, and to all others together.
    """

    connections: int
    per_address: int
    idle_s: float
    requests_per_s: float


class ModbusServer:
    """Listens, and lets a service answer.

    Args:
        service: Has the answers.
        limits: What is taken by strangers at the most.
        tally: Logs who is refused and closed.
    """

    def __init__(self, service: Service, limits: Limits, tally: Tally) -> None:
        self._service = service
        self._limits = limits
        self._connections: dict[Caller, ServedConnection] = {}  # the one unused longest first
        self._turns = {
            commanding: Turnstile(Allowance(limits.requests_per_s, max(1.0, limits.requests_per_s / 50)))
            for commanding in (True, False)
        }
        self._tally = tally
        self._listener = Listener(self, tally)
        self._next_sweep: asyncio.TimerHandle | None = None

    async def open(self, host: str, port: int) -> int:
        """Listen at every address of the host; the port.

        Args:
            host: Name or address.
            port: 0 for a free one.

        Raises:
            OSError: It cannot be listened there; nothing is left open.
        """
        port = await self._listener.open(host, port)
        self._sweep()
        return port

    async def close(self) -> None:
        """Stop listening and close every connection."""
        self._listener.close()
        if self._next_sweep:
            self._next_sweep.cancel()
        for connection in tuple(self._connections.values()):
            self.end(connection)
        for turnstile in self._turns.values():
            turnstile.close()

    # ------------------------------------------------------------------ connections

    def admits(self, address: str) -> bool:
        """Whether this address may connect."""
        return self._service.admits(address)

    def let_in(self, caller: Caller, arrived: socket.socket) -> None:
        """Serve this caller from now on."""
        self._connections[caller] = ServedConnection(self, arrived, caller)

    def crowded(self, caller: Caller) -> str:
        """Why there is no room for an arrival, or nothing; others may be closed for it."""
        all_of_them = list(self._connections.values())
        own = [one for one in all_of_them if one.caller.address == caller.address]
        if len(own) >= self._limits.per_address:
            return "" if self._make_room(own) else "plc.connections_per_address is reached"
        if len(all_of_them) < self._limits.connections:
            return ""
        others = [one for one in all_of_them if not self._service.prefers(one.caller.address)]
        preferred = all_of_them if self._service.prefers(caller.address) else []
        return "" if self._make_room(others) or self._make_room(preferred) else "plc.connections is reached"

    def _make_room(self, connections: Iterable[ServedConnection]) -> bool:
        """Close the one of these that is unused longest, save for that of the caller who commands."""
        unused = next((one for one in connections if not self._service.commands(one.caller)), None)
        if unused is None:
            return False
        self._tally.count("plc_connections_closed", unused.caller.address, "a new one took its place")
        self.end(unused)
        return True

    def _sweep(self) -> None:
        """Close what is unused for too long, now and then again."""
        now_s = asyncio.get_running_loop().time()
        for connection in tuple(self._connections.values()):
            if now_s - connection.used_at_s < self._limits.idle_s:
                break
            self._tally.count("plc_connections_closed", connection.caller.address, "no request for plc.idle_timeout_s")
            self.end(connection)
        loop = asyncio.get_running_loop()
        self._next_sweep = loop.call_later(min(self._limits.idle_s / 4, 1.0), self._sweep)

    def end(self, connection: ServedConnection) -> None:
        """Close a connection; harmless when it is closed."""
        if self._connections.pop(connection.caller, None):
            connection.close()
            self._service.left(connection.caller)

    # ------------------------------------------------------------------ requests

    def lets_through(self, connection: ServedConnection) -> bool:
        """Whether this connection's next request is answered now; if not, it is told when its turn has come."""
        return self._turns[self._service.commands(connection.caller)].lets_through(connection)

    def answer(self, connection: ServedConnection, unit: int, request: bytes) -> bytes:
        """The answer to a request; the connection counts as used."""
        self._connections[connection.caller] = self._connections.pop(connection.caller)
        return self._service.answer(connection.caller, unit, request)

    def not_modbus(self, connection: ServedConnection) -> None:
        """End a connection in which no frame can be told from the next any more."""
        self._tally.count("plc_connections_closed", connection.caller.address, "what came is not Modbus TCP")
        self.end(connection)
