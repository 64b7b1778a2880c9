"""A serial port in the event loop, which never waits for it.

The library's own transport has the event loop ask the port after each event whether something more has come. Where it
is empty the kernel answers only when its worker is through with it, an ordinary thread: while the network computes in
real time on every core, the event loop would stand until the strip is scored
(`findings/a-poll-of-a-terminal-that-does-not-wait-waits.sh`). Here only the edges are listened to, which asks nothing
in between; and what is sent goes out at once, and not in the event loop's next round.
"""

import asyncio
import os
import select
from contextlib import suppress
from typing import cast

from pymodbus.client import AsyncModbusSerialClient
from pymodbus.transport.serialtransport import SerialTransport
from serial import SerialException

KERNELS_ROOM = 4096
"""Bytes that the kernel keeps for whoever reads a terminal. Source: Linux, drivers/tty/n_tty.c, N_TTY_BUF_SIZE."""


def listen_to_edges(client: AsyncModbusSerialClient) -> AsyncModbusSerialClient:
    """Have a client that is not connected yet open its port so; one that reaches it at a URL stays as it is."""
    told = client.ctx.comm_params
    if "://" not in told.host:

        async def open_port() -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
            loop = asyncio.get_running_loop()
            protocol = client.ctx.handle_new_connection()
            port = EdgeTransport(loop, protocol, *_line(client))
            loop.call_soon(port.setup)
            return port, protocol

        client.ctx.call_create = open_port
    return client


def _line(client: AsyncModbusSerialClient) -> tuple[str, int, int, str, int, float]:
    told = client.ctx.comm_params
    return told.host, told.baudrate, told.bytesize, told.parity, told.stopbits, told.timeout_connect


class EdgeTransport(SerialTransport):
    """The library's transport, but for how the event loop hears of what has come, and for when is sent."""

    _edges: select.epoll | None = None

    def setup(self) -> None:
        """Listen from now on."""
        if self.sync_serial is None:  # closed before it began
            return
        self._edges = select.epoll()
        self._edges.register(self.sync_serial.fileno(), select.EPOLLIN | select.EPOLLET)
        self.async_loop.add_reader(self._edges, self._comes, self._edges)
        self.async_loop.call_soon(self.intern_protocol.connection_made, self)

    def close(self, exc: Exception | None = None) -> None:
        """Listen no more, and close the port."""
        if self._edges is not None:
            self.async_loop.remove_reader(self._edges)
            self._edges.close()
            self._edges = None
        super().close(exc)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send; what the kernel does not take at once is sent, or is told to fail, in the loop's next rounds."""
        unsent = bytes(data)
        if not self.intern_write_buffer:
            with suppress(OSError):
                unsent = unsent[os.write(self.sync_serial.fileno(), unsent) :]
        if unsent:
            self.intern_write_buffer.append(unsent)
            self.async_loop.add_writer(self.sync_serial.fileno(), self.intern_write_ready)

    def _comes(self, edges: select.epoll) -> None:
        edges.poll(0)
        try:
            data = self.sync_serial.read(KERNELS_ROOM)
        except SerialException as error:
            self.close(exc=error)
            return
        if data:
            cast("asyncio.Protocol", self.intern_protocol).data_received(data)
