"""What a Modbus server answers: the few functions that a register block needs, and a refusal for every other.

A refusal carries the request's own function code. Source: MODBUS Application Protocol V1.1b3, sections 6 and 7.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from typing import Protocol

EXCEPTION = 0x80
READ_MOST, WRITE_MOST, WRITE_MOST_WITH_READ = 125, 123, 121
"""Registers of one request. Source: the same, sections 6.3, 6.12 and 6.17."""

_DEVICE_IDENTIFICATION = 14
_CONFORMITY = 0x82
"""Regular identification, as a stream and one by one. Source: the same, section 6.21."""
_LAST_OBJECT_OF = {1: 0x02, 2: 0x06, 3: 0x06}


class ExceptionCode(IntEnum):
    """Why a request is refused."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    NO_SUCH_UNIT = 11


class Registers(Protocol):
    """The holding registers that one caller meets."""

    def read(self, address: int, count: int) -> Sequence[int] | ExceptionCode:
        """The words of neighbouring registers, or why there are none."""

    def write(self, address: int, words: Sequence[int]) -> ExceptionCode | None:
        """Take neighbouring words, all of them or none; None, or why they were not taken."""


def answer(request: bytes, registers: Registers, identity: Mapping[int, str]) -> bytes:
    """The answer to a request, both without unit and checksum; `request` has one byte at least.

    Args:
        request: Function code and data.
        registers: The holding registers.
        identity: The objects of function 43/14 by number, 0 (vendor), 1 (product code) and 2 (revision) at least.
    """
    function, data = request[0], request[1:]
    serve = _FUNCTIONS.get(function)
    if function == 43:
        body: bytes | ExceptionCode = _identify(data, identity)
    else:
        body = serve(data, registers) if serve else ExceptionCode.ILLEGAL_FUNCTION
    return refusal(function, body) if isinstance(body, ExceptionCode) else request[:1] + body


def refusal(function: int, code: ExceptionCode) -> bytes:
    """The answer that refuses a request with this function code."""
    return bytes((function | EXCEPTION, code))


def _read(data: bytes, registers: Registers) -> bytes | ExceptionCode:
    if len(data) != 4:
        return ExceptionCode.ILLEGAL_VALUE
    address, count = struct.unpack(">HH", data)
    if not 1 <= count <= READ_MOST:
        return ExceptionCode.ILLEGAL_VALUE
    words = registers.read(address, count)
    return words if isinstance(words, ExceptionCode) else _counted(words)


def _write_one(data: bytes, registers: Registers) -> bytes | ExceptionCode:
    if len(data) != 4:
        return ExceptionCode.ILLEGAL_VALUE
    address, word = struct.unpack(">HH", data)
    return registers.write(address, [word]) or data


def _write_many(data: bytes, registers: Registers) -> bytes | ExceptionCode:
    words = _words_after(data, 4, WRITE_MOST)
    if isinstance(words, ExceptionCode):
        return words
    return registers.write(int.from_bytes(data[:2]), words) or data[:4]


def _mask(data: bytes, registers: Registers) -> bytes | ExceptionCode:
    if len(data) != 6:
        return ExceptionCode.ILLEGAL_VALUE
    address, kept, put = struct.unpack(">HHH", data)
    words = registers.read(address, 1)
    if isinstance(words, ExceptionCode):
        return words
    return registers.write(address, [words[0] & kept | put & ~kept & 0xFFFF]) or data


def _write_and_read(data: bytes, registers: Registers) -> bytes | ExceptionCode:
    """Write, then read; nothing is written where what is to be read does not exist."""
    words = _words_after(data, 8, WRITE_MOST_WITH_READ)
    if isinstance(words, ExceptionCode):
        return words
    address, count, write_address = struct.unpack(">HHH", data[:6])
    if not 1 <= count <= READ_MOST:
        return ExceptionCode.ILLEGAL_VALUE
    if isinstance(before := registers.read(address, count), ExceptionCode):
        return before
    return registers.write(write_address, words) or _read(data[:4], registers)


_FUNCTIONS: dict[int, Callable[[bytes, Registers], bytes | ExceptionCode]] = {
    3: _read,
    6: _write_one,
    16: _write_many,
    22: _mask,
    23: _write_and_read,
}


def _words_after(data: bytes, place: int, most: int) -> list[int] | ExceptionCode:
    """The words to write behind their number of bytes at `place`, whose number of registers stands before that."""
    if len(data) <= place:
        return ExceptionCode.ILLEGAL_VALUE
    count = int.from_bytes(data[place - 2 : place])
    if not 1 <= count <= most or not data[place] == 2 * count == len(data) - place - 1:
        return ExceptionCode.ILLEGAL_VALUE
    return list(struct.unpack(f">{count}H", data[place + 1 :]))


def _counted(words: Sequence[int]) -> bytes:
    return struct.pack(f">B{len(words)}H", 2 * len(words), *words)


def _identify(data: bytes, identity: Mapping[int, str]) -> bytes | ExceptionCode:
    """Function 43/14; the objects are short enough for one answer."""
    if data[:1] != bytes((_DEVICE_IDENTIFICATION,)):
        return ExceptionCode.ILLEGAL_FUNCTION
    if len(data) != 3:
        return ExceptionCode.ILLEGAL_VALUE
    access, first = data[1], data[2]
    if access == 4:
        if first not in identity:
            return ExceptionCode.ILLEGAL_ADDRESS
        numbers = [first]
    elif access in _LAST_OBJECT_OF:
        within = [number for number in sorted(identity) if number <= _LAST_OBJECT_OF[access]]
        numbers = [number for number in within if number >= first] if first in within else within
    else:
        return ExceptionCode.ILLEGAL_VALUE
    objects = b"".join(bytes((number, len(text))) + text for number in numbers if (text := identity[number].encode()))
    return bytes((_DEVICE_IDENTIFICATION, access, _CONFORMITY, 0, 0, len(numbers))) + objects
