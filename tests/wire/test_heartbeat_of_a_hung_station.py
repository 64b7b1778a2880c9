"""The station's heartbeat beats in its event loop: when the loop hangs, the PLC sees it stand still, in both roles."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from drivers.plc.plc import ModbusPlc
from tests.housings import line_plc
from tests.wire.plc_peers import ServingPlc, settings

HUNG_S = 0.6
READ_HEARTBEAT = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, 10, 1)


class Elsewhere:
    """An event loop on a thread of its own: the PLC's side, which goes on when the station's loop hangs."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    loop = Elsewhere()
    yield loop
    loop.end()


async def beats(plc: ServingPlc, more: int) -> None:
    """Return when the heartbeat has gone on by so many."""
    wanted = plc.peer.holding[10] + more
    async with asyncio.timeout(20):
        while plc.peer.holding[10] < wanted:  # noqa: ASYNC110  # the registers are the other loop's
            await asyncio.sleep(0.005)


async def test_a_plc_with_its_own_registers_sees_no_beat_while_the_loop_hangs(elsewhere: Elsewhere) -> None:
    plc = ServingPlc()
    elsewhere.do(plc.server.start())
    driver: ModbusPlc = line_plc(settings("client", plc.server.port))
    try:
        await driver.connect()
        await beats(plc, 3)
        before = plc.peer.holding[10]
        time.sleep(HUNG_S)  # noqa: ASYNC251  # the loop hangs: thirty beats are missed
        assert plc.peer.holding[10] - before <= 1
        await beats(plc, 3)
    finally:
        await driver.close()
        elsewhere.do(plc.server.stop())


async def test_a_plc_that_asks_the_station_hears_nothing_while_the_loop_hangs() -> None:
    driver: ModbusPlc = line_plc(settings("server", 0))
    await driver.connect()
    answers: list[float] = []

    def ask() -> None:
        with socket.create_connection(("127.0.0.1", driver.port), timeout=20) as plc:
            for _ in range(2):
                plc.sendall(READ_HEARTBEAT)
                assert len(plc.recv(64)) == 11
                answers.append(time.monotonic())
                asked.set()
                hung.wait(20)

    asked, hung = threading.Event(), threading.Event()
    asking = threading.Thread(target=ask)
    try:
        asking.start()
        assert await asyncio.to_thread(asked.wait, 20)
        hung.set()
        since = time.monotonic()
        time.sleep(HUNG_S)  # noqa: ASYNC251  # the loop hangs
        await asyncio.to_thread(asking.join, 20)
        assert len(answers) == 2
        assert answers[1] - since >= HUNG_S
    finally:
        await driver.close()
