"""What comes in between a Modbus request and its answer: what of it the client may see, and what is told of the rest.

A request without an answer is often one whose answer was thrown away: it named another unit or transaction, an adapter
sent the request back, the line's rate or parity is another. That is worth knowing, so the fault's detail tells it.
"""

import struct
from typing import Protocol

from station.core.settings import RtuLink, TcpLink

_HEADER = struct.Struct(">HHHB")  # Source: MODBUS Messaging on TCP/IP V1.0b, section 3.1.3
_HEADER_COUNTS_FROM = 6
_LENGTHS = range(2, 255)
_READS, _WRITES, _IS_EXCEPTION = (1, 2, 3, 4, 23), (5, 6, 15, 16), 0x80
_LOOKED_THROUGH = 512  # two frames of the longest kind; what came before cannot be part of an answer any more
_SHOWN_BYTES, _SHOWN_ANSWERS = 8, 3


class Answers(Protocol):
    """The bytes of one connection, from one request to the next."""

    def sent(self, frame: bytes) -> None:
        """A request goes out."""

    def received(self, waiting: bytes) -> bytes:
        """Of the bytes that came since and that nobody has used yet, those that the client may see."""

    def trace(self) -> str:
        """What came that was no answer to the request, for the detail of a fault; empty when nothing did."""


def answers_of(settings: TcpLink | RtuLink) -> Answers:
    """For a connection with these settings."""
    return TcpAnswers() if isinstance(settings, TcpLink) else RtuAnswers(local_echo=settings.local_echo)


class TcpAnswers:
    """Modbus TCP: nothing is kept from the client, which skips other units' and transactions' answers."""

    def __init__(self) -> None:
        self._request = b""
        self._others: list[str] = []
        self._rest = b""

    def sent(self, frame: bytes) -> None:
        """A request goes out."""
        self._request, self._others, self._rest = frame, [], b""

    def received(self, waiting: bytes) -> bytes:
        """All of them."""
        self._rest = waiting
        while len(self._rest) > _HEADER.size:
            number, protocol, length, unit = _HEADER.unpack(self._rest[: _HEADER.size])
            end = _HEADER_COUNTS_FROM + length
            if protocol or length not in _LENGTHS or len(self._rest) < end:
                break
            self._look_at(number, unit)
            self._rest = self._rest[end:]
        return waiting

    def trace(self) -> str:
        """Whose answers came, and how many bytes that are none."""
        return _told(self._others, self._rest, "")

    def _look_at(self, number: int, unit: int) -> None:
        if len(self._request) < _HEADER.size:
            return
        asked_number, _, _, asked_unit = _HEADER.unpack(self._request[: _HEADER.size])
        if unit != asked_unit:
            self._others.append(f"an answer of unit {unit} instead of {asked_unit}")
        elif number != asked_number:
            self._others.append(f"an answer to transaction {number} instead of {asked_number}")


class RtuAnswers:
    """Modbus RTU: the client sees whole answers of the unit that was asked, without what stands before them.

    Args:
        local_echo: Whether the adapter sends back what is sent.
    """

    def __init__(self, *, local_echo: bool) -> None:
        self._local_echo = local_echo
        self._request = b""
        self._waiting = b""

    def sent(self, frame: bytes) -> None:
        """A request goes out."""
        self._request, self._waiting = frame, b""

    def received(self, waiting: bytes) -> bytes:
        """The answer, once it is whole: the frame that begins the bytes, or the one that was asked for behind others.

        The latter must have the size that was asked for: in part of a longer frame it has no room.
        """
        self._waiting = waiting
        if not self._request or (self._local_echo and self._request.startswith(waiting)):
            return b""
        if self._local_echo and waiting.startswith(self._request):
            waiting = waiting[len(self._request) :]
        first = _whole_frame(waiting)
        if first and first[0] == self._request[0]:
            return first
        behind = waiting[max(1, len(waiting) - _LOOKED_THROUGH) :]
        return next(filter(None, (self._wanted(behind[start:]) for start in range(len(behind)))), b"")

    def trace(self) -> str:
        """Whose answers came, an echo, or how many bytes that are none."""
        if self._waiting and self._waiting == self._request:
            known = "although that is dropped" if self._local_echo else "an adapter that echoes needs local_echo"
            return f"what was sent came back, and nothing else: {known}"
        others, rest = [], self._waiting.removeprefix(self._request)
        while (frame := _whole_frame(rest)) and frame[0] != self._request[0]:
            others.append(f"an answer of unit {frame[0]} instead of {self._request[0]}")
            rest = rest[len(frame) :]
        return _told(others, rest, ": check baud_rate, parity and stop_bits, and the wiring")

    def _wanted(self, data: bytes) -> bytes:
        """The answer to the request that these bytes begin with, or nothing."""
        if len(data) < len(_EXCEPTION_FRAME) or data[0] != self._request[0]:
            return b""
        function = self._request[1]
        begins = data[1] == function | _IS_EXCEPTION
        if data[1] == function:
            count = int.from_bytes(self._request[4:6], "big")
            begins = data[2] == 2 * count if function in _READS else data[2:6] == self._request[2:6]
        return _whole_frame(data) if begins else b""


_EXCEPTION_FRAME = bytes(5)


def _whole_frame(data: bytes) -> bytes:
    """The RTU answer that these bytes begin with, its checksum right, or nothing."""
    if len(data) < len(_EXCEPTION_FRAME):
        return b""
    function = data[1]
    if function & _IS_EXCEPTION:
        size = len(_EXCEPTION_FRAME)
    elif function in _READS and data[2]:
        size = 5 + data[2]
    else:
        size = 8 if function in _WRITES else 0
    frame = data[:size]
    return frame if size and len(frame) == size and frame[-2:] == _checksum(frame[:-2]) else b""


def _checksum(data: bytes) -> bytes:
    """Source: MODBUS over Serial Line V1.02, section 6.2.2."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register.to_bytes(2, "little")


def _told(others: list[str], rest: bytes, advice: str) -> str:
    told = list(dict.fromkeys(others))[:_SHOWN_ANSWERS]
    if rest:
        shown = rest[:_SHOWN_BYTES].hex(" ") + (" …" if len(rest) > _SHOWN_BYTES else "")
        bytes_that = "1 byte that is" if len(rest) == 1 else f"{len(rest)} bytes that are"
        told.append(f"{bytes_that} no whole answer ({shown}){advice}")
    return ", ".join(told)
