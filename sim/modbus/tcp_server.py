"""Modbus TCP: a slave behind a listening socket."""

import asyncio
import errno
import socket
import struct

from sim.modbus.slave import ExceptionCode, Slave, answer, refuse
from station.core.errors import ConfigError

HEADER_BYTES = 7
LENGTH_MIN, LENGTH_MAX = 2, 254
ANY_UNIT = (0, 255)


def bind(key: str, host: str, port: int) -> socket.socket:
    """A listening socket, closed by whoever is given it.

    Args:
        key: Key of the configuration, for the error.
        host: Name or address to listen on.
        port: TCP port; 0 for a free one.

    Raises:
        ConfigError: Another program has the port, or the address is not one of this machine.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        code = "config.port_in_use" if error.errno == errno.EADDRINUSE else "config.invalid"
        raise ConfigError(code, f"{key} = {host}:{port}: {error.strerror}") from error


class TcpServer:
    """Serves one slave to any number of masters.

    Args:
        slave: The device.
        unit: Its unit id; requests to 0 and 255 are answered too, as the specification has it for TCP.
    """

    def __init__(self, slave: Slave, unit: int) -> None:
        self._slave = slave
        self._unit = unit
        self._server: asyncio.Server | None = None
        self._sessions: set[_Session] = set()

    async def serve(self, listening: socket.socket) -> None:
        """Serve from now on at a socket of `bind`, which is closed with the server."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Session(self._slave, self._unit, self._sessions), sock=listening
        )

    def disconnect(self) -> None:
        """Cut all connections; masters may connect again."""
        for session in tuple(self._sessions):
            session.abort()

    async def close(self) -> None:
        """Stop listening, and cut all connections."""
        if self._server:
            self._server.close()
            sessions = tuple(self._sessions)
            self.disconnect()
            for session in sessions:
                await session.ended.wait()
            await self._server.wait_closed()


class _Session(asyncio.Protocol):
    """One connection of a master."""

    def __init__(self, slave: Slave, unit: int, sessions: "set[_Session]") -> None:
        self._slave = slave
        self._units = (unit, *ANY_UNIT)
        self._sessions = sessions
        self._transport: asyncio.Transport
        self._buffer = b""
        self.ended = asyncio.Event()

    def abort(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport
        self._sessions.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._sessions.discard(self)
        self.ended.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= HEADER_BYTES:
            transaction, protocol, length, unit = struct.unpack(">HHHB", self._buffer[:HEADER_BYTES])
            if protocol != 0 or not LENGTH_MIN <= length <= LENGTH_MAX:
                self._transport.abort()
                return
            end = HEADER_BYTES - 1 + length
            if len(self._buffer) < end:
                return
            request, self._buffer = self._buffer[HEADER_BYTES:end], self._buffer[end:]
            known = unit in self._units
            response = answer(self._slave, request) if known else refuse(request[0], ExceptionCode.NO_SUCH_UNIT)
            self._transport.write(struct.pack(">HHHB", transaction, 0, len(response) + 1, unit) + response)
