"""Modbus TCP: a master, for a PLC that reads and writes the station's own server."""

import asyncio
import contextlib
import struct
from typing import Self

from sim.modbus.slave import EXCEPTION_BIT, READ_HOLDING, WRITE_MANY


class LinkError(Exception):
    """The server refused a request, answered nonsense, or did not answer in time; the connection is of no more use."""


class TcpMaster:
    """One connection to a server; close it by leaving its context.

    Args:
        reader: What the server sends.
        writer: To the server.
        unit: The server's unit id.
        timeout_s: Deadline of one request.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, unit: int, timeout_s: float) -> None:
        self._reader, self._writer = reader, writer
        self._unit = unit
        self._timeout_s = timeout_s
        self._transaction = 0

    @classmethod
    async def connect(cls, host: str, port: int, unit: int, timeout_s: float) -> Self:
        """Connect to a server.

        Raises:
            OSError: Nobody listens there.
            TimeoutError: Nobody answers.
        """
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port)
        return cls(reader, writer, unit, timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def read_holding(self, address: int, count: int) -> list[int]:
        """The words of `count` holding registers, at most 125.

        Raises:
            LinkError: No answer, or a refusal.
        """
        data = await self._ask(struct.pack(">BHH", READ_HOLDING, address, count))
        if len(data) != 2 + 2 * count:
            raise LinkError(f"{len(data)} bytes in answer to {count} registers")
        return list(struct.unpack(f">{count}H", data[2:]))

    async def write_holding(self, address: int, words: list[int]) -> None:
        """Write neighbouring holding registers with one request, at most 123.

        Raises:
            LinkError: No answer, or a refusal.
        """
        count = len(words)
        await self._ask(struct.pack(f">BHHB{count}H", WRITE_MANY, address, count, 2 * count, *words))

    async def _ask(self, request: bytes) -> bytes:
        self._transaction = self._transaction % 0xFFFF + 1
        self._writer.write(struct.pack(">HHHB", self._transaction, 0, len(request) + 1, self._unit) + request)
        try:
            async with asyncio.timeout(self._timeout_s):
                header = await self._reader.readexactly(7)
                transaction, _, length, _ = struct.unpack(">HHHB", header)
                response = await self._reader.readexactly(length - 1)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            raise LinkError(f"no answer: {error!r}") from error
        if transaction != self._transaction or not response:
            raise LinkError("an answer to another request")
        if response[0] & EXCEPTION_BIT:
            raise LinkError(f"exception {response[1:].hex()} to function {request[0]}")
        return response
