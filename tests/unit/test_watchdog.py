"""The supervisor hears that all is alive only while it is; a stepped wall clock is noted."""

import asyncio
import os
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from station.cell.compute import ComputeThread
from station.core.clock import Clock
from station.core.errors import ModelError, RecordError
from station.core.settings import WatchdogSettings
from station.host.watchdog import ASK_AGAIN_S, CLOCKS_COMPARED_S, Notifier, Probe, Watchdog
from tests.contract.fake_ledger import FakeLedger
from tests.thread_jobs import Hang
from tests.virtual_time import LoopClock, in_virtual_time


class Supervisor:
    """systemd's end of the socket."""

    def __init__(self, address: str) -> None:
        self.environment = {"NOTIFY_SOCKET": address}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        lines = []
        try:
            while True:
                lines.append(self._socket.recv(4096).decode())
        except BlockingIOError:
            return lines

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def supervisor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(str(tmp_path / "notify") if request.param == "path" else f"@station-test-{uuid.uuid4().hex}")
    yield made
    made.close()


class SlewedClock(LoopClock):
    """Its date gains a little all the time, as while a time server corrects it; far more than one ever does."""

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=0.6 * self.elapsed_s)


@asynccontextmanager
async def watching(
    notifier: Notifier, clock: Clock | None = None, ledger: FakeLedger | None = None, **probes: Probe
) -> AsyncIterator[Watchdog]:
    dog = Watchdog(probes, ledger or FakeLedger(), clock or LoopClock(), WatchdogSettings())
    task = asyncio.create_task(dog.run(notifier))
    yield dog
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


def test_the_supervisor_is_told_what_the_protocol_says(supervisor: Supervisor) -> None:
    notifier = Notifier.of(supervisor.environment)
    notifier.ready()
    notifier.status("held: The camera\nwas not found.")
    notifier.alive()
    notifier.stopping()
    assert supervisor.heard() == ["READY=1", "STATUS=held: The camera was not found.", "WATCHDOG=1", "STOPPING=1"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_time_that_the_supervisor_allows_is_its_own(environment: dict[str, str], expected: float | None) -> None:
    assert Notifier.of({"NOTIFY_SOCKET": "/run/notify", **environment}).watchdog_s == expected
    assert Notifier.of(environment).watchdog_s is None


@pytest.mark.parametrize("address", ["", "vsock:2:1", "/no/such/socket"])
def test_a_supervisor_that_is_not_there_is_no_fault(address: str) -> None:
    notifier = Notifier.of({"NOTIFY_SOCKET": address} if address else {})
    notifier.ready()
    notifier.alive()


@in_virtual_time
async def test_the_supervisor_hears_twice_in_its_time_that_all_is_alive(supervisor: Supervisor) -> None:
    notifier = Notifier.of({**supervisor.environment, "WATCHDOG_USEC": "30000000"})
    asked: list[float] = []
    loop = asyncio.get_running_loop()

    async def answers() -> None:
        asked.append(loop.time())

    async with watching(notifier, one=answers, other=answers):
        began_s = loop.time()
        for _minute in range(60):
            await asyncio.sleep(59)
            assert supervisor.heard() == ["WATCHDOG=1"] * 4
            await asyncio.sleep(1)
    assert [at_s - began_s for at_s in asked[::2]] == [15.0 * number for number in range(240)] == [
        at_s - began_s for at_s in asked[1::2]
    ]  # fmt: skip


@in_virtual_time
async def test_nothing_is_heard_while_one_thread_hangs_and_again_when_it_answers(supervisor: Supervisor) -> None:
    notifier = Notifier.of({**supervisor.environment, "WATCHDOG_USEC": "30000000"})
    compute, hang, refused = ComputeThread(20.0), Hang(), list[float]()
    loop = asyncio.get_running_loop()

    async def records() -> None:
        if loop.time() < well_again_s:
            refused.append(loop.time())
            raise RecordError("record.disk_failed", "not on the disk after 10 s")

    began_s, well_again_s = loop.time(), loop.time() + 100.5
    hung = compute.submit(hang)
    async with watching(notifier, compute=lambda: compute.submit(lambda: None), records=records):
        await asyncio.sleep(100)
        assert isinstance(hung.exception(), ModelError)
        assert [at_s - began_s for at_s in refused[:3]] == [0, 20 + ASK_AGAIN_S, 20 + 2 * ASK_AGAIN_S]
        assert supervisor.heard() == []
        await asyncio.sleep(15.9)
        assert supervisor.heard() == ["WATCHDOG=1"], "a second after the last refusal"
    hang.end()
    compute.close()


@pytest.mark.parametrize(("step_s", "told"), [(3600.0, "+3600.000 s"), (-86_400.0, "-86400.000 s"), (2.5, "+2.500 s")])
@in_virtual_time
async def test_a_stepped_wall_clock_is_noted_once(step_s: float, told: str) -> None:
    clock, ledger = LoopClock(), FakeLedger()
    async with watching(Notifier(None, None), clock, ledger):
        await asyncio.sleep(600.2)
        clock.step(step_s)
        assert ledger.events == []
        await asyncio.sleep(CLOCKS_COMPARED_S)
        assert ledger.events == [("clock_stepped", told)]
        await asyncio.sleep(600)
    assert ledger.events == [("clock_stepped", told)]


@in_virtual_time
async def test_a_clock_that_is_slewed_is_not_noted() -> None:
    ledger = FakeLedger()
    async with watching(Notifier(None, None), SlewedClock(), ledger):
        await asyncio.sleep(600)
    assert ledger.events == []
