"""The link to one Modbus device, which is connected again whenever a request finds it broken.

One connection and one lock: requests go out one after the other and none is sent twice by itself. Every new
connection is greeted by its driver before anything else is sent. The greeting's first request has another shape than
every other request, so that on a serial line a late answer to one of those does not pass for it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from drivers.modbus.connection import ModbusConnection, link_name
from drivers.modbus.family import Family
from drivers.modbus.register_map import Kind, Run
from drivers.modbus.requests import WRITE_MOST
from station.core.errors import DeviceError
from station.core.settings import RtuLink, TcpLink

Answer = TypeVar("Answer")


class Exchange(Protocol):
    """Reading and writing a device's registers."""

    async def read(self, kind: Kind, address: int, count: int) -> list[int]:
        """The words from `address` on.

        Raises:
            DeviceError: As for `ModbusLink.read`.
        """

    async def write(self, run: Run) -> None:
        """Write neighbouring holding registers.

        Raises:
            DeviceError: As for `ModbusLink.write`.
        """


Greeting = Callable[[Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """How the requests of a link went.

    Attributes:
        failures: Requests and attempts to connect that got no good answer since the last one that did.
        detail: What the last of these was; empty after a good answer.
    """

    failures: int = 0
    detail: str = ""


class ModbusLink:
    """The only way to a device: reads with function 3 or 4, writes with function 16, reconnects.

    A connection that has answered is replaced at once when it breaks; one that has not only after `reconnect_s`,
    until when requests fail without waiting.

    Args:
        settings: Address, unit, deadlines.
        family: Of the device.
        greeting: What is done first on every new connection, for example checking the map.
        write_most: Registers that the device takes in one request.
    """

    def __init__(
        self,
        settings: TcpLink | RtuLink,
        family: Family,
        greeting: Greeting | None = None,
        write_most: int = WRITE_MOST,
    ) -> None:
        self.health = LinkHealth()
        self._settings = settings
        self._family = family
        self._greeting = greeting
        self._write_most = write_most
        self._lock = asyncio.Lock()
        self._connection: ModbusConnection | None = None
        self._next_attempt_s = 0.0
        self._failed: DeviceError | None = None
        self._closed = False

    @property
    def connected(self) -> bool:
        """Whether a greeted connection is open."""
        return self._connection is not None and self._connection.open

    def has_answered(self, error: DeviceError) -> bool:
        """Whether a device that counts as unreachable has said itself that it cannot just now."""
        return self._family.means("unreachable", error) and self.connected

    async def connect(self) -> None:
        """Open the connection now and greet the device; harmless when it is open.

        Raises:
            DeviceError: It cannot be opened, or the greeting failed.
        """
        async with self._lock:
            self._closed = False
            self._next_attempt_s = 0.0
            await self._ready()
            self._next_attempt_s = 0.0

    async def read(self, kind: Kind, address: int, count: int) -> list[int]:
        """The words from `address` on, `count` of them, 1 to 125.

        Raises:
            DeviceError: `unreachable` without a good answer in time; `wrong_map` when the device refuses to answer.
        """
        async with self._lock:
            connection = await self._ready()
            words = await self._counted(connection.read(kind, address, count))
            self._next_attempt_s = 0.0
            return words

    async def write(self, run: Run) -> None:
        """Write neighbouring holding registers, in as few requests as the device takes them.

        Raises:
            DeviceError: `unreachable` when it is unknown whether the device has taken it, or when it has not because it
                was busy (`connected` stays true then); `refused` (of a PLC `wrong_map`) when the device says that it
                will not.
        """
        async with self._lock:
            connection = await self._ready()
            await self._counted(connection.write(run))
            self._next_attempt_s = 0.0

    async def converse(self, talk: Greeting) -> None:
        """Send several requests that no other comes between.

        Raises:
            DeviceError: As for `read` and `write`, and what `talk` raises.
        """
        async with self._lock:
            connection = await self._ready()
            await self._counted(talk(connection))
            self._next_attempt_s = 0.0

    async def close(self) -> None:
        """Close the connection; a request that waits for its answer fails at once, and further ones are refused."""
        self._closed = True
        if self._connection:
            self._connection.abandon()
        async with self._lock:
            if self._connection:
                self._connection.drop()
            self._connection = None
        await asyncio.sleep(0)  # the event loop closes the socket in its next turn

    async def _ready(self) -> ModbusConnection:
        if self._closed:
            raise self._family.unreachable(f"{link_name(self._settings)} was closed by the station")
        if self._connection and self._connection.open:
            return self._connection
        now_s = asyncio.get_running_loop().time()
        if now_s < self._next_attempt_s:
            raise self._not_yet()
        self._next_attempt_s = now_s + self._settings.reconnect_s
        try:
            self._connection = await self._counted(self._open())
        except DeviceError as error:
            self._failed = error
            raise
        self._failed = None
        return self._connection

    def _not_yet(self) -> DeviceError:
        """Why there is no connection until the next attempt: what the last one met, a wrong map for example."""
        if self._failed:
            return self._family.again(self._failed)
        return self._family.unreachable(self.health.detail or f"{link_name(self._settings)} is not connected")

    async def _open(self) -> ModbusConnection:
        connection = ModbusConnection(self._settings, self._family, self._write_most)
        try:
            await connection.establish()
            if self._greeting:
                await self._greeting(connection)
        except BaseException:
            connection.drop()
            raise
        return connection

    async def _counted(self, request: Awaitable[Answer]) -> Answer:
        try:
            answer = await request
        except DeviceError as error:
            self.health = LinkHealth(self.health.failures + 1, error.detail)
            raise
        self.health = LinkHealth()
        return answer
