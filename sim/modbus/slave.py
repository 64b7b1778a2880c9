"""What a Modbus slave answers to one request: functions 3, 4, 6 and 16, and the exceptions to everything else."""

import struct
from enum import IntEnum
from typing import Protocol

from drivers.modbus.register_map import Kind

READ_MAX = 125
WRITE_MAX = 123
EXCEPTION_BIT = 0x80

READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY = 3, 4, 6, 16
_KINDS: dict[int, Kind] = {READ_HOLDING: "holding", READ_INPUT: "input"}


class ExceptionCode(IntEnum):
    """Why a request is refused. Source: Application Protocol, section 7."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    BUSY = 6
    NO_SUCH_UNIT = 11


class RefusedError(Exception):
    """The device refuses a request; nothing has changed.

    Args:
        code: What the master is told.
    """

    def __init__(self, code: ExceptionCode) -> None:
        super().__init__(code.name.lower())
        self.code = code


class Slave(Protocol):
    """A device behind a Modbus address. Never blocks; one request is one call, so its registers change together."""

    def read(self, kind: Kind, address: int, count: int) -> list[int]:
        """The words from this address on.

        Raises:
            RefusedError: Some of them are not there.
        """

    def write(self, address: int, words: list[int]) -> None:
        """Take the words into the holding registers from this address on.

        Raises:
            RefusedError: Some of them are not there, cannot be written or have no such value, or the device is busy.
        """


def answer(slave: Slave, request: bytes) -> bytes:
    """The response to a request, both without unit id and checksum."""
    function = request[0]
    try:
        if function in _KINDS:
            return _read(slave, function, request)
        if function in (WRITE_ONE, WRITE_MANY):
            return _write(slave, function, request)
    except RefusedError as refusal:
        return refuse(function, refusal.code)
    return refuse(function, ExceptionCode.ILLEGAL_FUNCTION)


def refuse(function: int, code: ExceptionCode) -> bytes:
    """The response that refuses a function."""
    return bytes((function | EXCEPTION_BIT, code))


def _read(slave: Slave, function: int, request: bytes) -> bytes:
    if len(request) != 5:
        raise RefusedError(ExceptionCode.ILLEGAL_VALUE)
    address, count = struct.unpack(">HH", request[1:])
    if not 1 <= count <= READ_MAX:
        raise RefusedError(ExceptionCode.ILLEGAL_VALUE)
    words = slave.read(_KINDS[function], address, count)
    return struct.pack(f">BB{count}H", function, 2 * count, *words)


def _write(slave: Slave, function: int, request: bytes) -> bytes:
    if len(request) < 5:
        raise RefusedError(ExceptionCode.ILLEGAL_VALUE)
    address = int.from_bytes(request[1:3], "big")
    slave.write(address, _words(function, request))
    return request[:5]


def _words(function: int, request: bytes) -> list[int]:
    if function == WRITE_ONE:
        count, data = 1, request[3:]
    else:
        count, data = int.from_bytes(request[3:5], "big"), request[6:]
    consistent = len(data) == 2 * count and (function == WRITE_ONE or request[5:6] == bytes((2 * count & 0xFF,)))
    if not 1 <= count <= WRITE_MAX or not consistent:
        raise RefusedError(ExceptionCode.ILLEGAL_VALUE)
    return list(struct.unpack(f">{count}H", data))
