"""A Modbus TCP server on a plant network: few connections, each request in its turn, and nobody who is not expected.

Whoever floods it waits longer, not the cell: so many requests a second are answered to the caller that commands, and as
many to all others together, one of each connection in turn; the rest stays in the network. A connection that is unused
for too long is closed, and the one unused longest makes room for a new one of its address, or of all. Some files are
always left for the station's own devices. What happens often is logged in sums.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 4.2 (access control, pools of connections of
which some are never closed for others).
"""

import asyncio
import resource
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from drivers.modbus.allowance import Allowance
from drivers.modbus.callers import Caller, plain_address
from drivers.modbus.served_connection import ServedConnection
from drivers.modbus.tally import Tally
from drivers.modbus.turnstile import PAUSE_S, Turnstile

FILES_KEPT = 128
"""Files that connections leave to the rest of the process."""

_ARRIVALS_PER_S, _ARRIVALS_AT_ONCE, _WAITING_ARRIVALS = 200, 50, 128
_BUFFER_BYTES = 8192
"""What the network may hold of one connection, each way; a connection has it from the one that listens."""
_NO_FILES_PAUSE_S = 1.0
_RESET = struct.pack("ii", 1, 0)


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
        self._listening: list[socket.socket] = []
        self._connections: dict[Caller, ServedConnection] = {}  # the one unused longest first
        self._arrivals = Allowance(_ARRIVALS_PER_S, _ARRIVALS_AT_ONCE)
        self._turns = {
            commanding: Turnstile(Allowance(limits.requests_per_s, max(1.0, limits.requests_per_s / 50)))
            for commanding in (True, False)
        }
        self._tally = tally
        self._timers: dict[object, asyncio.TimerHandle] = {}

    async def open(self, host: str, port: int) -> int:
        """Listen at every address of the host; the port.

        Args:
            host: Name or address.
            port: 0 for a free one.

        Raises:
            OSError: It cannot be listened there; nothing is left open.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            for family, _, _, _, (name, *_) in dict.fromkeys(found):
                self._listening.append(_listener(family, str(name), port))
                port = int(self._listening[-1].getsockname()[1])
        except OSError:
            await self.close()
            raise
        for listening in self._listening:
            loop.add_reader(listening, self._accept, listening)
        self._sweep()
        return port

    async def close(self) -> None:
        """Stop listening and close every connection."""
        listening, self._listening = self._listening, []
        for one in listening:
            asyncio.get_running_loop().remove_reader(one)
            one.close()
        for timer in self._timers.values():
            timer.cancel()
        for connection in tuple(self._connections.values()):
            self.end(connection)
        for turnstile in self._turns.values():
            turnstile.close()

    # ------------------------------------------------------------------ connections

    def _accept(self, listening: socket.socket) -> None:
        if not self._arrivals.take():
            return self._rest(listening, max(self._arrivals.wait_s, PAUSE_S))
        try:
            arrived, where = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionError):
            return None
        except OSError as error:
            self._tally.count("plc_connections_not_accepted", "", error.strerror or str(error))
            return self._rest(listening, _NO_FILES_PAUSE_S)
        arrived.setblocking(False)
        caller = Caller(plain_address(str(where[0])), int(where[1]))
        if reason := self._refused(caller, arrived.fileno()):
            self._tally.count("plc_connections_refused", caller.address, reason)
            with suppress(OSError):
                arrived.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            arrived.close()
            return None
        with suppress(OSError):
            arrived.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[caller] = ServedConnection(self, arrived, caller)
        return None

    def _rest(self, listening: socket.socket, pause_s: float) -> None:
        """Look for no more arrivals for a while; they wait in the network."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening)
        self._timers[listening] = loop.call_later(pause_s, loop.add_reader, listening, self._accept, listening)

    def _refused(self, caller: Caller, file: int) -> str:
        """Why an arrival is not let in, or nothing, when there is room for it now."""
        if not self._service.admits(caller.address):
            return "neither in plc.commanders nor in plc.readers"
        if file >= _files() - FILES_KEPT:
            return "too few files are left, raise LimitNOFILE"
        return self._crowded(caller)

    def _crowded(self, caller: Caller) -> str:
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
        self._timers[self] = loop.call_later(min(self._limits.idle_s / 4, 1.0), self._sweep)

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


def _listener(family: int, host: str, port: int) -> socket.socket:
    listening = socket.create_server((host, port), family=family, backlog=_WAITING_ARRIVALS)
    listening.setblocking(False)
    for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        listening.setsockopt(socket.SOL_SOCKET, buffer, _BUFFER_BYTES)
    return listening


def _files() -> int:
    """How many files this process may have open."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 1 << 30 if most == resource.RLIM_INFINITY else most
