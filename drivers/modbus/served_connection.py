"""One connection of the station's own server: frames in, answers out, one request after the other.

Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.3.
"""

import asyncio
import socket
import struct
from typing import Protocol

from drivers.modbus.callers import Caller

HEADER_BYTES, LONGEST_FRAME = 7, 300
"""A frame has 260 bytes at the most; one that asks for a little too much is read, so that it can be refused."""

_HEADER, _COUNTED_FROM = struct.Struct(">HHH"), 6
"""Transaction, protocol, and how many bytes follow."""


class Host(Protocol):
    """What a connection needs of the server."""

    def lets_through(self, connection: "ServedConnection") -> bool:
        """Whether this connection's next request is answered now; if not, it is told when its turn has come."""

    def answer(self, connection: "ServedConnection", unit: int, request: bytes) -> bytes:
        """The answer to a request; the connection counts as used."""

    def not_modbus(self, connection: "ServedConnection") -> None:
        """End a connection in which no frame can be told from the next any more."""

    def end(self, connection: "ServedConnection") -> None:
        """Close a connection; harmless when it is closed."""


class ServedConnection:
    """One connection: reads while it has no whole request, and answers before it reads on.

    Args:
        host: Whose connection it is.
        channel: Its socket.
        caller: Who is at the other end.

    Attributes:
        caller: As given.
        used_at_s: When the last request came, in the event loop's time.
    """

    def __init__(self, host: Host, channel: socket.socket, caller: Caller) -> None:
        self.caller = caller
        self._host = host
        self._socket = channel
        self._loop = asyncio.get_running_loop()
        self.used_at_s = self._loop.time()
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
            self._host.end(self)

    def _look(self) -> None:
        """Answer the whole requests that are there, as far as they are let through; read on when there is none."""
        while self._open and not self._unsent and (length := self._frame()):
            if length < 0:
                self._host.not_modbus(self)
            elif self._host.lets_through(self):
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
        self.used_at_s = self._loop.time()
        number, _, _, unit = struct.unpack_from(">HHHB", frame)
        answer = self._host.answer(self, unit, frame[HEADER_BYTES:])
        self._unsent = struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer
        self._send()

    def _send(self) -> None:
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._host.end(self)
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
