"""The station's own Modbus server in virtual time: its sockets are ends of connections of a network in memory.

PLC ─▶ tests.year.network.Link ─▶ Channel, in place of a socket ─▶ drivers.modbus.server, as ever
"""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from drivers.modbus.callers import Caller
from drivers.modbus.listener import House
from drivers.modbus.tally import Tally
from tests.year.loop import YearLoop
from tests.year.network import Network


class LineLoop(YearLoop):
    """A loop that also tells whoever reads a channel that something is there."""

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        """Call this whenever the channel has something to read."""
        fd.look = lambda: callback(*args)
        fd.poke()

    def remove_reader(self, fd: Any) -> bool:
        """No more."""
        had, fd.look = fd.look is not None, None
        return had

    def add_writer(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:
        """Never: a channel takes everything at once."""
        raise AssertionError(f"{fd} was full for {callback}{args}")

    def remove_writer(self, _fd: Any) -> bool:
        """Nobody waits to write."""
        return False


class Channel(asyncio.Protocol):
    """The server's end of a connection, as a socket that does not block.

    Args:
        arrive: Called when it is connected.

    Attributes:
        look: Reads it, while somebody wants to.
    """

    def __init__(self, arrive: Callable[["Channel"], None]) -> None:
        self._arrive = arrive
        self._transport: Any = None
        self._received = b""
        self._ended = self._closed = self._poked = False
        self.look: Callable[[], object] | None = None

    # ---- what the network tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = transport
        self._arrive(self)

    def data_received(self, data: bytes) -> None:
        """Something has come."""
        self._received += data
        self.poke()

    def connection_lost(self, _error: Exception | None) -> None:
        """The other end is gone."""
        self._ended = True
        self.poke()

    def poke(self) -> None:
        """Have whoever reads look, if there is something."""
        if self.look and not self._poked and (self._received or self._ended):
            self._poked = True
            asyncio.get_running_loop().call_soon(self._read)

    def _read(self) -> None:
        self._poked = False
        if self.look and (self._received or self._ended):
            self.look()
            self.poke()

    # ---- what a socket does

    @property
    def address(self) -> tuple[str, int]:
        """Of the other end."""
        host, port = self._transport.get_extra_info("peername")
        return str(host), int(port)

    def recv(self, most: int) -> bytes:
        """So many bytes at the most; none when the connection is over."""
        if not self._received and not self._ended:
            raise BlockingIOError
        data, self._received = self._received[:most], self._received[most:]
        return data

    def send(self, data: bytes) -> int:
        """How many bytes were taken."""
        if self._ended or self._closed:
            raise ConnectionResetError
        self._transport.write(bytes(data))
        return len(data)

    def close(self) -> None:
        """Close it."""
        if not self._closed:
            self._closed = True
            self._transport.close()


class MemoryListener:
    """In place of `drivers.modbus.listener.Listener`: who arrives comes over the network's link to the PLC."""

    def __init__(self, house: House, tally: Tally) -> None:
        self._house = house
        self._tally = tally
        self._make: Callable[[], asyncio.Protocol] | None = None
        self._link: Any = None

    async def open(self, _host: str, port: int) -> int:
        """Listen."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LineLoop)
        assert isinstance(loop.network, Network)
        self._link, self._make = loop.network.links["plc"], lambda: Channel(self._arrived)
        self._link.make, self._link.context = self._make, copy_context()
        return port

    def close(self) -> None:
        """Listen no more; whoever listens there by now goes on."""
        if self._link is not None and self._link.make is self._make:
            self._link.make = None

    def _arrived(self, channel: Channel) -> None:
        caller = Caller(*channel.address)
        if not self._house.admits(caller.address) or self._house.crowded(caller):
            self._tally.count("plc_connections_refused", caller.address, "not admitted, or crowded")
            channel.close()
            return
        self._house.let_in(caller, channel)  # type: ignore[arg-type]  # as far as a server needs a socket
