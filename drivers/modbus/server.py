"""A Modbus TCP server on a plant network: few connections, each request in its turn, and nobody who is not expected.

Whoever floods it waits longer, not the cell: so many requests a second are answered to the caller that commands, and as
many to all others together, one of each connection in turn; the rest stays in the network. A connection that is unused
for too long is closed, and the one unused longest makes room for a new one of its address, or of all. Some files are
always left for the station's own devices. What happens often is logged in sums.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, sections 3.1.3 (frames) and 4.2 (access control, pools of
connections of which some are never closed for others).
"""

import asyncio
import resource
import socket
import struct
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Protocol

from drivers.modbus.allowance import Allowance
from drivers.modbus.tally import Tally

HEADER_BYTES, LONGEST_FRAME = 7, 300
"""A frame has 260 bytes at the most; one that asks for a little too much is read, so that it can be refused."""
FILES_KEPT = 128
"""Files that connections leave to the rest of the process."""

_HEADER, _COUNTED_FROM = struct.Struct(">HHH"), 6
"""Transaction, protocol, and how many bytes follow."""
_ARRIVALS_PER_S, _ARRIVALS_AT_ONCE, _WAITING_ARRIVALS = 200, 50, 128
_REQUESTS_AT_ONCE = 8
"""Requests that are answered before whatever else waits in the event loop."""
_PAUSE_S = 0.01
_BUFFER_BYTES = 8192
"""What the network may hold of one connection, each way; a connection has it from the one that listens."""
_NO_FILES_PAUSE_S = 1.0
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """The other end of one connection."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


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


def plain_address(host: str) -> str:
    """An address as it is configured: without zone, and an IPv4 address that came in over IPv6 as what it is."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)


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
        self._connections: dict[Caller, _Connection] = {}  # the one unused longest first
        self._arrivals = Allowance(_ARRIVALS_PER_S, _ARRIVALS_AT_ONCE)
        self._turns = {
            commanding: _Turnstile(Allowance(limits.requests_per_s, max(1.0, limits.requests_per_s / 50)))
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
            return self._rest(listening, max(self._arrivals.wait_s, _PAUSE_S))
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
        self._connections[caller] = _Connection(self, arrived, caller)
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

    def _make_room(self, connections: Iterable["_Connection"]) -> bool:
        """Close the one of these that is unused longest, save for that of the caller who commands."""
        unused = next((one for one in connections if not self._service.commands(one.caller)), None)
        if unused is None:
            return False
        self._tally.count("plc_connections_closed", unused.caller.address, "a new one took its place")
        self.end(unused)
        return True

    def _sweep(self) -> None:
        """Close what is unused for too long, now and then again."""
        now_s = time.monotonic()
        for connection in tuple(self._connections.values()):
            if now_s - connection.used_at_s < self._limits.idle_s:
                break
            self._tally.count("plc_connections_closed", connection.caller.address, "no request for plc.idle_timeout_s")
            self.end(connection)
        loop = asyncio.get_running_loop()
        self._timers[self] = loop.call_later(min(self._limits.idle_s / 4, 1.0), self._sweep)

    def end(self, connection: "_Connection") -> None:
        """Close a connection; harmless when it is closed."""
        if self._connections.pop(connection.caller, None):
            connection.close()
            self._service.left(connection.caller)

    # ------------------------------------------------------------------ requests

    def lets_through(self, connection: "_Connection") -> bool:
        """Whether this connection's next request is answered now; if not, it is told when its turn has come."""
        return self._turns[self._service.commands(connection.caller)].lets_through(connection)

    def answer(self, connection: "_Connection", unit: int, request: bytes) -> bytes:
        """The answer to a request; the connection counts as used."""
        self._connections[connection.caller] = self._connections.pop(connection.caller)
        return self._service.answer(connection.caller, unit, request)

    def not_modbus(self, connection: "_Connection") -> None:
        """End a connection in which no frame can be told from the next any more."""
        self._tally.count("plc_connections_closed", connection.caller.address, "what came is not Modbus TCP")
        self.end(connection)


class _Connection:
    """One connection: reads while it has no whole request, and answers before it reads on."""

    def __init__(self, server: ModbusServer, channel: socket.socket, caller: Caller) -> None:
        self.caller = caller
        self.used_at_s = time.monotonic()
        self._server = server
        self._socket = channel
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._unsent = b""
        self._open = self._reads = True
        self._loop.add_reader(channel, self._read)

    def close(self) -> None:
        """Close the socket."""
        self._open = False
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()

    def go(self) -> None:
        """Its turn has come: answer one request, and whatever else is let through."""
        if self._open:
            self._serve()
            self._look()

    def _read(self) -> None:
        try:
            received = self._socket.recv(LONGEST_FRAME)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            received = b""
        if received:
            self._received += received
            self._look()
        else:
            self._server.end(self)

    def _look(self) -> None:
        """Answer the whole requests that are there, as far as they are let through; read on when there is none."""
        while self._open and not self._unsent and (length := self._frame()):
            if length < 0:
                self._server.not_modbus(self)
            elif self._server.lets_through(self):
                self._serve()
            else:
                self._read_on(go_on=False)
                return
        if self._open:
            self._read_on(go_on=not self._unsent)

    def _frame(self) -> int:
        """Length of the first frame; 0 while it is not whole, -1 for one that is none."""
        if len(self._received) < HEADER_BYTES:
            return 0
        _, protocol, rest = _HEADER.unpack_from(self._received)
        if protocol or not 2 <= rest <= LONGEST_FRAME - _COUNTED_FROM:
            return -1
        return rest + _COUNTED_FROM if len(self._received) >= rest + _COUNTED_FROM else 0

    def _serve(self) -> None:
        end = self._frame()
        frame = bytes(self._received[:end])
        del self._received[:end]
        self.used_at_s = time.monotonic()
        number, _, _, unit = struct.unpack_from(">HHHB", frame)
        answer = self._server.answer(self, unit, frame[HEADER_BYTES:])
        self._unsent = struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer
        self._send()

    def _send(self) -> None:
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._server.end(self)
            return
        if self._unsent:
            self._loop.add_writer(self._socket, self._send_on)

    def _send_on(self) -> None:
        """The network takes more of an answer."""
        self._loop.remove_writer(self._socket)
        self._send()
        self._look()

    def _read_on(self, *, go_on: bool) -> None:
        if go_on and not self._reads:
            self._loop.add_reader(self._socket, self._read)
        elif self._reads and not go_on:
            self._loop.remove_reader(self._socket)
        self._reads = go_on


class _Turnstile:
    """Lets requests through as its allowance permits, one of each connection in turn."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._waiting: deque[_Connection] = deque()
        self._next: asyncio.Handle | None = None

    def lets_through(self, connection: _Connection) -> bool:
        """Whether it is let through now; if not, it stands in the line, and goes when its turn has come."""
        if not self._waiting and self._allowance.take():
            return True
        self._waiting.append(connection)
        self._rest()
        return False

    def close(self) -> None:
        """Let nobody through any more."""
        self._waiting.clear()
        if self._next:
            self._next.cancel()

    def _go(self) -> None:
        self._next = None
        try:
            for _ in range(min(_REQUESTS_AT_ONCE, len(self._waiting))):
                if not self._allowance.take():
                    break
                self._waiting.popleft().go()
        finally:
            if self._waiting:
                self._rest()

    def _rest(self) -> None:
        """Go on when there is a turn again, and whatever else waits in the event loop has had its own."""
        loop, wait_s = asyncio.get_running_loop(), self._allowance.wait_s
        if self._next is None:
            self._next = loop.call_later(max(wait_s, _PAUSE_S), self._go) if wait_s else loop.call_soon(self._go)


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
