"""The serial port in the event loop: all bytes, in order; a lost port is told; nothing is asked in between."""

import asyncio
import os
import pty
import threading
import tty
from collections.abc import AsyncIterator

import pytest
from pymodbus.client import AsyncModbusSerialClient

from drivers.modbus.serial_transport import EdgeTransport, listen_to_edges

PATIENCE_S = 60


class Ear(asyncio.Protocol):
    """What a port hears, and whether it was told that the port is lost."""

    def __init__(self) -> None:
        self.heard = bytearray()
        loop = asyncio.get_running_loop()
        self.made, self.lost = loop.create_future(), loop.create_future()
        self._more = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made.set_result(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)

    def data_received(self, data: bytes) -> None:
        self.heard += data
        self._more.set()

    async def hears(self, data: bytes) -> None:
        """Return when it has heard as many bytes, which must be these."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.heard) < len(data):
                self._more.clear()
                await self._more.wait()
        assert bytes(self.heard) == data
        self.heard.clear()


def at(device: str, ear: Ear) -> EdgeTransport:
    return EdgeTransport(asyncio.get_running_loop(), ear, device, 115200, 8, "N", 1, 0)


class Line:
    """A pseudo-terminal: the file of its other end, and the port at it."""

    def __init__(self) -> None:
        self.ours, theirs = pty.openpty()
        tty.setraw(theirs)
        self.ear = Ear()
        self.port = at(os.ttyname(theirs), self.ear)
        os.close(theirs)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    made = Line()
    made.port.setup()
    await made.ear.made
    yield made
    made.port.close()
    os.close(made.ours)


async def test_every_byte_comes_in_order_and_once_however_many_come_at_a_time(line: Line) -> None:
    for length in (1, 8, 1024, 1025, 3000, 1):
        sent = os.urandom(length)
        assert os.write(line.ours, sent) == length
        await line.ear.hears(sent)


async def test_what_the_kernel_does_not_take_at_once_is_sent_when_it_does(line: Line) -> None:
    sent = os.urandom(500_000)
    for begin in range(0, len(sent), 1000):
        line.port.write(sent[begin : begin + 1000])
    assert line.port.get_write_buffer_size(), "the kernel has taken it all, and the test shows nothing"
    taken = bytearray()

    def take() -> None:
        while len(taken) < len(sent):
            taken.extend(os.read(line.ours, 4096))

    taking = threading.Thread(target=take)
    taking.start()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.to_thread(taking.join)
    assert bytes(taken) == sent


async def test_the_event_loop_does_not_ask_the_port_itself(line: Line) -> None:
    """An empty port answers only when the kernel's worker is through with it, and the loop would stand meanwhile."""
    loop = asyncio.get_running_loop()
    line.port.write(b"asked")
    assert not loop.remove_reader(line.port.sync_serial.fileno())
    assert not loop.remove_writer(line.port.sync_serial.fileno())


async def test_a_port_whose_line_is_torn_out_is_told_as_lost_once(line: Line) -> None:
    os.close(line.ours)
    async with asyncio.timeout(PATIENCE_S):
        assert await line.ear.lost is not None
    line.ours = os.open(os.devnull, os.O_RDONLY)


async def test_what_is_written_to_a_port_that_is_torn_out_is_told_as_lost_once(line: Line) -> None:
    os.close(line.ours)
    line.port.write(b"nobody takes it")
    async with asyncio.timeout(PATIENCE_S):
        assert await line.ear.lost is not None
    line.ours = os.open(os.devnull, os.O_RDONLY)


async def test_a_port_that_is_closed_before_it_began_is_left_alone() -> None:
    line = Line()
    line.port.close()
    line.port.setup()
    assert not line.ear.made.done()
    os.close(line.ours)


async def test_a_client_opens_its_port_so_and_reaches_one_at_a_url_as_the_library_does() -> None:
    line = Line()
    client = listen_to_edges(AsyncModbusSerialClient(line.port.sync_serial.name))
    line.port.close()
    assert await client.connect()
    assert isinstance(client.ctx.transport, EdgeTransport)
    client.close()
    os.close(line.ours)
    at_url = AsyncModbusSerialClient("socket://127.0.0.1:1")
    opening = at_url.ctx.call_create
    assert listen_to_edges(at_url).ctx.call_create is opening
