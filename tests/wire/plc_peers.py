"""A line PLC written word by word, in both roles, for the tests of the driver."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
from pymodbus.client import AsyncModbusTcpClient

from drivers.plc.plc import ModbusPlc
from station.core.judgement import Published
from station.core.part import Announcement, Decision, Inspection, PartType
from station.core.ports.line import AcknowledgeWish, CommandWish, LineRequest
from station.core.pulse import first_of
from station.core.settings import PlcSettings, TcpLink
from tests.housings import Destination, Verdict
from tests.turned import GEOMETRY
from tests.wire.modbus_peer import Peer, TcpPeer

SMH = PartType("smh_690", 3, 690, 8, 6, 22.0, 320.0, 20.0, GEOMETRY)
ID_WORDS = [0x534D, 0x482D, 0x3030, 0x3432, 0, 0, 0, 0]  # "SMH-0042"
STALE_S = 0.5


def inspection(sequence: int = 17) -> Inspection:
    return Inspection("abc", 70000, Announcement(sequence, "SMH-0042", 3), SMH, datetime(2026, 1, 1, tzinfo=UTC))


def result(verdict: Verdict = Verdict.PITS, confirmed: Destination | None = None) -> Published:
    decision = Decision(verdict, verdict, None, "", 0.98765, 4, 2, np.zeros((16, 5), np.float32))
    return Published(inspection(), decision, 12.4, confirmed)


class Plc(Protocol):
    """The other side: what a PLC's program sees and does."""

    async def say(self, address: int, words: list[int]) -> None:
        """Set some of its own registers."""

    async def sees(self, address: int, count: int = 1) -> list[int]:
        """Look at registers."""


class ServingPlc:
    """A PLC whose registers the station polls."""

    def __init__(self) -> None:
        self.peer = Peer(beats=None)
        self.server = TcpPeer(self.peer)
        self.peer.holding[98:102] = [1, 0xA55A, 0, 1]

    async def say(self, address: int, words: list[int]) -> None:
        self.peer.holding[address : address + len(words)] = words

    async def sees(self, address: int, count: int = 1) -> list[int]:
        return self.peer.holding[address : address + count]


class AskingPlc:
    """A PLC that reads and writes the station's server."""

    def __init__(self) -> None:
        self.client: AsyncModbusTcpClient | None = None
        self.own = [0] * 25
        self.own[0:4] = [1, 0xA55A, 0, 1]

    async def meet(self, port: int, count: int = 9) -> None:
        """Connect and write so many registers from 98 on, and those of the announcement."""
        self.client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0, reconnect_delay=0, timeout=20)
        assert await self.client.connect()
        await self.say(98, self.own[:count])
        await self.say(110, self.own[12:22])

    async def say(self, address: int, words: list[int]) -> None:
        self.own[address - 98 : address - 98 + len(words)] = words
        if self.client:
            assert not (await self.client.write_registers(address, words)).isError()

    async def sees(self, address: int, count: int = 1) -> list[int]:
        assert self.client
        return list((await self.client.read_holding_registers(address, count=count)).registers)


def settings(role: str, port: int) -> PlcSettings:
    link = TcpLink(kind="tcp", port=port, request_timeout_s=1.0, reconnect_s=0.1, poll_s=0.005)
    return PlcSettings.model_validate(
        {
            "role": role,
            "link": link,
            "heartbeat_s": 0.02,
            "stale_after_s": STALE_S,
            "result_timeout_s": 20.0,
        }
    )


async def beat(plc: Plc) -> None:
    """Count up until cancelled, also where pymodbus loses the cancellation because an answer comes with it."""
    number, task = 0, asyncio.current_task()
    while task and not task.cancelling():
        number = number % 65535 + 1
        await plc.say(100, [number])
        await asyncio.sleep(0.01)


def commanded(sequence: int, number: int) -> LineRequest:
    """A command, as the station understands it."""
    return LineRequest(sequence, CommandWish(number))


def alarm_seen(sequence: int, fault_number: int) -> LineRequest:
    """An acknowledgement of an alarm, as the station understands it."""
    return LineRequest(sequence, AcknowledgeWish(fault_number))


async def until(plc: ModbusPlc, condition: Callable[[], object]) -> None:
    """Return when this holds of what the line says; whoever waits must be woken for it."""
    async with asyncio.timeout(20):
        while not condition():
            await first_of(plc.feed.changed(), plc.requests.changed())


async def seen(plc: Plc, address: int, condition: Callable[[list[int]], object]) -> None:
    """Wait as a PLC does: by looking."""
    async with asyncio.timeout(20):
        while not condition(await plc.sees(address, 3)):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
