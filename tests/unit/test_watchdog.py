"""The supervisor hears that all is alive only while it is; a stepped wall clock is noted."""

import asyncio
import os
import socket
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from station.cell.compute import ComputeThread
from station.core.errors import RecordError
from station.core.settings import WatchdogSettings
from station.host import watchdog as module
from station.host.watchdog import Notifier, Watchdog
from tests.contract.fake_ledger import FakeLedger

START = datetime(2026, 5, 1, 6, tzinfo=UTC)


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

    async def hears(self, line: str) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            while (await loop.sock_recv(self._socket, 4096)).decode() != line:
                pass

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def supervisor(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Supervisor]:
    made = Supervisor(str(tmp_path / "notify") if request.param == "path" else f"@station-test-{uuid.uuid4().hex}")
    yield made
    made.close()


class SteppedClock:
    """Real monotonic time would do; here both clocks are set by hand."""

    def __init__(self) -> None:
        self.wall, self.monotonic_s = START, 100.0

    def monotonic_ns(self) -> int:
        return round(self.monotonic_s * 1e9)

    def now(self) -> datetime:
        return self.wall

    def go(self, seconds: float, drift_s: float = 0.0) -> None:
        self.monotonic_s += seconds
        self.wall += timedelta(seconds=seconds + drift_s)


@asynccontextmanager
async def watching(
    notifier: Notifier, clock: SteppedClock | None = None, ledger: FakeLedger | None = None, **probes: module.Probe
) -> AsyncIterator[Watchdog]:
    dog = Watchdog(probes, ledger or FakeLedger(), clock or SteppedClock(), WatchdogSettings())
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


async def test_the_supervisor_hears_that_all_is_alive_as_long_as_everything_answers(supervisor: Supervisor) -> None:
    notifier = Notifier.of({**supervisor.environment, "WATCHDOG_USEC": "20000"})
    asked = []

    async def answers() -> None:
        asked.append(1)

    async with watching(notifier, one=answers, other=answers):
        for _ in range(3):
            await supervisor.hears("WATCHDOG=1")
    assert len(asked) >= 6


async def test_nothing_is_heard_while_one_thread_hangs_and_again_when_it_answers(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ASK_AGAIN_S", 0.01)
    notifier = Notifier.of({**supervisor.environment, "WATCHDOG_USEC": "20000"})
    compute, gate, well = ComputeThread(0.1), threading.Event(), asyncio.Event()
    refused = []

    async def records() -> None:
        if not well.is_set():
            refused.append(1)
            raise RecordError("record.disk_failed", "not on the disk after 10 s")

    async with watching(notifier, compute=lambda: compute.submit(lambda: None), records=records):
        hung = compute.submit(gate.wait)
        await asyncio.wait([hung])
        assert isinstance(hung.exception(), Exception)
        while len(refused) < 3:  # noqa: ASYNC110  # the probe is the watchdog's
            await asyncio.sleep(0.005)
        assert supervisor.heard() == []
        well.set()
        await supervisor.hears("WATCHDOG=1")
    gate.set()
    compute.close()


@pytest.mark.parametrize(("step_s", "told"), [(3600.0, "+3600.000 s"), (-86_400.0, "-86400.000 s"), (2.5, "+2.500 s")])
async def test_a_stepped_wall_clock_is_noted_once(monkeypatch: pytest.MonkeyPatch, step_s: float, told: str) -> None:
    monkeypatch.setattr(module, "CLOCKS_COMPARED_S", 0.001)
    clock, ledger = SteppedClock(), FakeLedger()
    async with watching(Notifier(None, None), clock, ledger):
        await asyncio.sleep(0.01)
        clock.go(0.5, step_s)
        async with asyncio.timeout(5):
            while not ledger.events:  # noqa: ASYNC110  # the ledger has no event to wait for
                await asyncio.sleep(0.001)
        for _ in range(20):
            clock.go(0.5)
            await asyncio.sleep(0.001)
    assert ledger.events == [("clock_stepped", told)]


async def test_a_clock_that_is_slewed_is_not_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CLOCKS_COMPARED_S", 0.001)
    clock, ledger = SteppedClock(), FakeLedger()
    async with watching(Notifier(None, None), clock, ledger):
        for _ in range(50):
            clock.go(0.5, 0.3)
            await asyncio.sleep(0.002)
    assert ledger.events == []
