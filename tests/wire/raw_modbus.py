"""Modbus TCP byte by byte, from any loopback address, for tests of the station's own server."""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager


class RawMaster:
    """One connection; frames are typed in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None) -> None:
        self._reader, self._writer = reader, writer
        self._number = 0

    @classmethod
    async def connect(cls, port: int, address: str = "127.0.0.1") -> "RawMaster":
        """Connect to the server from this address; one that is turned away at once counts as closed."""
        try:
            return cls(*await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)))
        except ConnectionResetError:
            closed = asyncio.StreamReader()
            closed.feed_eof()
            return cls(closed, None)

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        if self._writer:
            self._writer.write(data)

    async def receive(self) -> bytes:
        """The next frame; empty when the server has closed the connection."""
        async with asyncio.timeout(20):
            try:
                header = await self._reader.readexactly(6)
                return header + await self._reader.readexactly(int.from_bytes(header[4:]))
            except (asyncio.IncompleteReadError, ConnectionError):
                return b""

    async def ask(self, request: bytes, unit: int = 1) -> bytes:
        """Send a request, function code first; its answer, or empty when the connection was closed."""
        self._number = self._number % 0xFFFF + 1
        self.send(frame(self._number, request, unit))
        answer = await self.receive()
        assert answer[:2] == self._number.to_bytes(2) or not answer
        return answer[7:]

    async def write(self, address: int, *words: int) -> bytes:
        """Write registers with function 16; the answer."""
        count = len(words)
        return await self.ask(struct.pack(f">BHHB{count}H", 16, address, count, 2 * count, *words))

    async def is_let_in(self) -> bool:
        """Whether the server answers a read of the constant at address 1."""
        return await self.ask(READ_MAGIC) == MAGIC

    def close(self) -> None:
        """Hang up."""
        if self._writer:
            self._writer.close()


REFUSED_WRITE = b"\x90\x01"
READ_MAGIC = b"\x03\x00\x01\x00\x01"
MAGIC = b"\x03\x02\xa5\x5a"


def frame(number: int, request: bytes, unit: int = 1) -> bytes:
    """A frame of Modbus TCP."""
    return struct.pack(">HHHB", number, 0, len(request) + 1, unit) + request


async def connected(port: int, addresses: Iterable[str]) -> list[RawMaster]:
    """Connections from these addresses, one after the other."""
    return [await RawMaster.connect(port, address) for address in addresses]


class Master:
    """A PLC's program on one connection, with its own copy of what it writes."""

    def __init__(self, raw: RawMaster, beat: int = 0) -> None:
        self.raw = raw
        self.own = [1, 0xA55A, beat, 1] + [0] * 5
        self.part = [0] * 10

    async def beat(self, times: int = 1) -> None:
        """Write all of its registers, with a new heartbeat."""
        for _ in range(times):
            self.own[2] = self.own[2] % 65535 + 1
            assert await self.raw.write(98, *self.own) != REFUSED_WRITE
            assert await self.raw.write(110, *self.part) != REFUSED_WRITE

    async def command(self, command: int, number: int) -> None:
        """Command with a number, without a beat."""
        self.own[4:6] = [command, number]
        await self.raw.write(102, command, number)

    async def acknowledge(self, fault: int, number: int) -> None:
        """Acknowledge an alarm, without a beat."""
        self.own[7:9] = [fault, number]
        await self.raw.write(105, fault, number)


@asynccontextmanager
async def master(port: int, address: str = "127.0.0.1", beat: int = 0) -> AsyncIterator[Master]:
    """A program that connects from this address, with its heartbeat at this number."""
    raw = await RawMaster.connect(port, address)
    try:
        yield Master(raw, beat)
    finally:
        raw.close()
        await asyncio.sleep(0)
