"""A robot and a jig written word by word, for the tests of their drivers."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest

from drivers.modbus.rhythm import Rhythm
from drivers.robot import ModbusRobot
from station.core.errors import StationError
from station.core.settings import RobotSettings, TcpLink
from tests.housings import modbus_robot
from tests.wire.modbus_peer import Peer, TcpPeer

MAP_WORDS = [1, 0xA55A, 0x47F1, 0x2000, 0x1234, 0x5678]
DONE, REFUSED, FAILED = 1, 2, 3


class RobotPeer(Peer):
    """A robot that takes every new number at once, and finishes it at once when told so."""

    def __init__(self, ends_with: int | None = DONE) -> None:
        super().__init__(on_write=self.take)
        self.input[0:6] = MAP_WORDS
        self.input[12] = 1  # in the safe zone
        self.motions: list[tuple[int, int]] = []
        self.takes = True
        self.ends_with = ends_with

    def take(self, address: int, words: tuple[int, ...]) -> None:
        if address != 0 or not self.takes:
            return
        verb, place, number = words
        if number in (0, self.input[20]):
            return
        self.motions.append((verb, place))
        self.input[20] = number
        if self.ends_with is not None:
            self.finish(self.ends_with, place)

    def finish(self, result: int, place: int = 0) -> None:
        self.input[21:24] = [self.input[20], result, place]


class JigPeer(Peer):
    """A jig that takes every new number, and reaches what was ordered at once when told so."""

    def __init__(self, *, obeys: bool = True) -> None:
        super().__init__(on_write=self.take)
        self.input[0:6] = MAP_WORDS
        self.input[11] = 1  # standstill
        self.input[17:19] = [1, 1000]  # stops when its master is silent for 1 s
        self.orders: list[tuple[int, int]] = []
        self.obeys = obeys

    def take(self, address: int, words: tuple[int, ...]) -> None:
        if address != 0 or words[2] in (0, self.input[20]):
            return
        self.orders.append(words[:2])
        self.input[20] = words[2]
        if self.obeys:
            self.reach(turning=words[0] == 1)

    def reach(self, *, turning: bool) -> None:
        self.input[11:13] = [int(not turning), int(turning)]
        self.input[15] = self.orders[-1][1]
        self.input[21:23] = [self.input[20], DONE]


REQUEST_S, ACKNOWLEDGE_S, DONE_S = 0.5, 3.0, 4.0
"""Deadlines that a device keeps on a busy computer as well; who wants to see one pass shortens it."""


def tcp(port: int) -> TcpLink:
    return TcpLink(kind="tcp", port=port, request_timeout_s=REQUEST_S, reconnect_s=0.1, poll_s=0.005)


def rhythm(heartbeat_s: float = 0.25, stale_after_s: float = 2.0, identity_s: float = 1.0) -> Rhythm:
    """The times of a link, beside the pause between polls those of the product."""
    return Rhythm(tcp(1).poll_s, heartbeat_s, stale_after_s, identity_s)


@asynccontextmanager
async def served_robot(peer: RobotPeer, rhythm: Rhythm | None = None) -> AsyncIterator[tuple[ModbusRobot, TcpPeer]]:
    """A driver, not yet connected, and the server that it finds."""
    server = TcpPeer(peer)
    await server.start()
    settings = RobotSettings(link=tcp(server.port), acknowledge_timeout_s=ACKNOWLEDGE_S, motion_timeout_s=DONE_S)
    robot = modbus_robot(settings, rhythm)
    yield robot, server
    await robot.close()
    await server.stop()


def order_writes(peer: Peer) -> list[tuple[int, ...]]:
    """The orders that were written; (0, 0, 0) is none, it clears the registers after one."""
    return [words for address, words in peer.writes if address == 0 and words != (0, 0, 0)]


async def refused_with(code: str, call: Awaitable[object]) -> StationError:
    with pytest.raises(StationError) as caught:
        await call
    assert caught.value.code == code, str(caught.value)
    return caught.value
