"""Who arrives at the station's server: so many a second, only who is expected, and never with the last files."""

import asyncio
import resource
import socket
import struct
from contextlib import suppress
from typing import Protocol

from drivers.modbus.allowance import Allowance
from drivers.modbus.callers import Caller, plain_address
from drivers.modbus.tally import Tally
from drivers.modbus.turnstile import PAUSE_S

FILES_KEPT = 128
"""Files that connections leave to the rest of the process."""

_ARRIVALS_PER_S, _ARRIVALS_AT_ONCE, _WAITING_ARRIVALS = 200, 50, 128
_BUFFER_BYTES = 8192
"""What the network may hold of one connection, each way; a connection has it from the one that listens."""
_NO_FILES_PAUSE_S = 1.0
_RESET = struct.pack("ii", 1, 0)


class House(Protocol):
    """Who lets in."""

    def admits(self, address: str) -> bool:
        """Whether this address may connect."""

    def crowded(self, caller: Caller) -> str:
        """Why there is no room for an arrival, or nothing; others may be closed for it."""

    def let_in(self, caller: Caller, arrived: socket.socket) -> None:
        """Serve this caller from now on."""


class Listener:
    """Listens at the addresses of a host; what is too much for it waits in the network.

    Args:
        house: Lets in.
        tally: Logs who is refused.
    """

    def __init__(self, house: House, tally: Tally) -> None:
        self._house = house
        self._tally = tally
        self._listening: list[socket.socket] = []
        self._arrivals = Allowance(_ARRIVALS_PER_S, _ARRIVALS_AT_ONCE)
        self._resting: dict[socket.socket, asyncio.TimerHandle] = {}

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
            self.close()
            raise
        for listening in self._listening:
            loop.add_reader(listening, self._accept, listening)
        return port

    def close(self) -> None:
        """Listen no more."""
        listening, self._listening = self._listening, []
        for one in listening:
            asyncio.get_running_loop().remove_reader(one)
            one.close()
        for timer in self._resting.values():
            timer.cancel()

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
        if reason := self._refusal(caller, arrived.fileno()):
            self._tally.count("plc_connections_refused", caller.address, reason)
            with suppress(OSError):
                arrived.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            arrived.close()
            return None
        with suppress(OSError):
            arrived.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._house.let_in(caller, arrived)
        return None

    def _rest(self, listening: socket.socket, pause_s: float) -> None:
        """Look for no more arrivals for a while; they wait in the network."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening)
        self._resting[listening] = loop.call_later(pause_s, loop.add_reader, listening, self._accept, listening)

    def _refusal(self, caller: Caller, file: int) -> str:
        """Why an arrival is not let in, or nothing, when there is room for it now."""
        if not self._house.admits(caller.address):
            return "neither in plc.commanders nor in plc.readers"
        if file >= _files() - FILES_KEPT:
            return "too few files are left, raise LimitNOFILE"
        return self._house.crowded(caller)


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
