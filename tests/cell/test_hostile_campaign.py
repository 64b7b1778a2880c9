"""A hostile hour, shortened: network, clock, disk and outputs turn on a cell at work, and faults strike beside them.

The station serves the PLC's registers. At random moments it is flooded with connections or with valid reads, written to
by strangers and by a second master; its wall clock is set by years; what it shows goes to outputs and watchers that
fail; its disk is full, its data folder is moved away and back; its camera's process is killed, its connections are cut;
and beside every second of these one of the named faults strikes. The ten rules hold, and `status` is answered.

A failure names its seed; `STATION_CAMPAIGN="SEED PARTS" pytest -m slow tests/cell/test_hostile_campaign.py` plays it
again: the same troubles in the same order, at the moments that the computer makes of them.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sim.faults import NamedFault, Wish
from sim.ledger import Happening
from station.core.clock import SystemClock
from station.core.events import CellEvent
from station.core.outlet import Outlet
from tests.cell.bench import listening
from tests.cell.fault_bench import OF_THE_CELL, FaultBench, Truth, fault_bench
from tests.cell.hostile_programs import READER
from tests.cell.ten_rules import check_rules
from tests.cell.test_random_moments import BREAKS, goes_on
from tests.file_systems import mount, unmount
from tests.housings import TABLE

SLOW_PARTS = 500
ANSWERED_WITHIN_S = 1.0
LOOK_S, GRACE_S = 0.2, 2.0
LONGEST_S = 1.2
YEARS = timedelta(days=3650)
DISK_MB = 64
LEFT_BYTES = 60_000
VERDICTS = [verdict.name for verdict in TABLE.verdicts]
RECORDS: dict[str, object] = {
    "archive": VERDICTS, "keep_days": dict.fromkeys(VERDICTS, 1), "reserve_mb": 4, "low_mb": 8,
}  # fmt: skip
SEVERED = {"control.no_station", "control.no_answer"}
"""What a command is told while the data folder, and with it the control socket, is not there."""


class WrongClock(SystemClock):
    """The clocks of this machine, with a date that somebody sets."""

    lead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.lead


class WatchedTruth(Truth):
    """What truly happens, with a count of the faults that struck."""

    def __init__(self) -> None:
        super().__init__()
        self.struck: Counter[str] = Counter()

    def fault_struck(self, name: str, part_id: str | None) -> None:
        super().fault_struck(name, part_id)
        self.struck[name] += 1


@dataclass
class Answers:
    """What was answered to `status`: when asked (s), after how long (s), and the state or a refusal's code."""

    process: asyncio.subprocess.Process
    rows: list[tuple[float, float, str]] = field(default_factory=list)

    async def end(self) -> None:
        """No more questions."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.wait()

    @property
    def told(self) -> list[str]:
        """The states that were told."""
        return [said for _asked, _took, said in self.rows if said not in SEVERED]

    @property
    def worst_s(self) -> float:
        return max(took for _asked, took, _said in self.rows)

    def refused(self, away: list[tuple[float, float]]) -> list[tuple[float, float, str]]:
        """The refusals, without those while the data folder, or the station, was not there."""

        def is_excused(asked: float, took: float, said: str) -> bool:
            return said in SEVERED and any(gone <= asked + took and asked <= back + GRACE_S for gone, back in away)

        return [row for row in self.rows if "." in row[2] and not is_excused(*row)]


class Hostile:
    """The cell, and what is done to it.

    Attributes:
        chance: Gives every moment and measure; nothing else is left to chance.
        away: When the data folder, or the station yet, was not there, from and to (s, CLOCK_MONOTONIC).
    """

    def __init__(
        self, bench: FaultBench, truth: WatchedTruth, clock: WrongClock, network: asyncio.subprocess.Process, seed: int
    ) -> None:
        self.bench, self.truth, self.clock = bench, truth, clock
        self.chance = random.Random(seed)  # noqa: S311  # moments, not secrets
        self.away = [(0.0, time.monotonic())]
        self.asked_to_fail: list[list[CellEvent]] = []
        self._network = network

    async def meanwhile(self, shortest_s: float = 0.1) -> None:
        """The cell works on for a random time, and an operator does what he can."""
        end = time.monotonic() + self.chance.uniform(shortest_s, LONGEST_S)
        await self.bench._until(lambda: time.monotonic() >= end)

    async def attack(self, name: str, count: int) -> None:
        """A program on the network attacks for a random time."""
        port = self.bench.settings.plc.link.port
        assert self._network.stdin is not None
        assert self._network.stdout is not None
        self._network.stdin.write(f"{name} {port} {self.chance.uniform(0.1, LONGEST_S)} {count}\n".encode())
        answer = asyncio.create_task(self._network.stdout.readline())
        await self.bench.until(answer.done)
        assert answer.result() == b"done\n", answer.result()


Trouble = Callable[[Hostile], Awaitable[None]]


async def flood_of_connections(cell: Hostile) -> None:
    await cell.attack("connections", cell.chance.choice([40, 300, 1100]))


async def flood_of_reads(cell: Hostile) -> None:
    await cell.attack("reads", 0)


async def strangers(cell: Hostile) -> None:
    await cell.attack("stranger_writes", cell.chance.randrange(1, 60_000))


async def second_master(cell: Hostile) -> None:
    await cell.attack("second_master", cell.chance.randrange(1, 60_000))
    BREAKS["plc-cut"](cell.bench)  # when it is gone, the line's own PLC writes everything anew


async def wrong_clock(cell: Hostile) -> None:
    cell.clock.lead = cell.chance.uniform(-1, 1) * YEARS
    await cell.meanwhile()
    if cell.chance.random() < 0.5:
        cell.clock.lead = timedelta()


async def dead_output(cell: Hostile) -> None:
    with cell.chance.choice(FAILING_OUTPUTS)() as descriptor:
        own = os.dup(descriptor)
        outlet = Outlet("view", lambda data: os.write(own, data), end=lambda: os.close(own))
        outlet.write("begun\n")  # whose thread is there from now on, and ends with its descriptor

        def show(event: CellEvent) -> None:
            outlet.write(f"{type(event).__name__}\n" * 100)

        remove = cell.bench.watchers.add(show)
        await cell.meanwhile()
        remove()
    await asyncio.to_thread(outlet.close)


async def failing_watcher(cell: Hostile) -> None:
    asked = []

    def fail(event: CellEvent) -> None:
        asked.append(event)
        raise ValueError("a watcher's own fault")

    cell.asked_to_fail.append(asked)
    remove = cell.bench.watchers.add(fail)
    await cell.meanwhile()
    remove()


async def full_disk(cell: Hostile) -> None:
    ballast, left = cell.bench.folder / "ballast", cell.chance.randrange(LEFT_BYTES)
    _fill(ballast, left)
    await cell.meanwhile()
    ballast.unlink()


async def vanished_folder(cell: Hostile) -> None:
    data, elsewhere = cell.bench.folder / "data", cell.bench.folder / "elsewhere"
    gone = time.monotonic()
    data.rename(elsewhere)
    await cell.meanwhile()
    elsewhere.rename(data)
    cell.away.append((gone, time.monotonic()))


async def broken(cell: Hostile) -> None:
    BREAKS[cell.chance.choice(list(BREAKS))](cell.bench)
    await cell.meanwhile(0)


TROUBLES: tuple[Trouble, ...] = (
    flood_of_connections, flood_of_reads, strangers, second_master, wrong_clock, dead_output, failing_watcher,
    full_disk, vanished_folder, broken,
)  # fmt: skip


def _fill(ballast: Path, left: int) -> None:
    """Take all of a file system but so many bytes."""
    with ballast.open("wb") as file:
        while True:
            free = os.statvfs(ballast)
            try:
                os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_bsize - left))
            except OSError:  # a scan was archived in between
                continue
            return


@contextmanager
def reader_gone() -> Iterator[int]:
    """A pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@contextmanager
def full_pipe() -> Iterator[int]:
    """A pipe that is full, and whose reader reads nothing until he goes."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    while True:
        try:
            os.write(writing, b"x" * 4096)
        except BlockingIOError:
            break
    os.set_blocking(writing, True)
    yield writing
    os.close(reading)
    os.close(writing)


@contextmanager
def device_full() -> Iterator[int]:
    """A file on a full disk."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


FAILING_OUTPUTS = (reader_gone, full_pipe, device_full)


@asynccontextmanager
async def program(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """One of the programs beside the station; it is ended with its input."""
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.cell.hostile_programs", *arguments, cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)}, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


@asynccontextmanager
async def asked_all_the_time(data: Path) -> AsyncIterator[Answers]:
    """Another process asks for the station's status, whether there is one or not."""
    async with program("status", str(data)) as process:
        answers = Answers(process)

        async def listen() -> None:
            assert process.stdout is not None
            async for line in process.stdout:
                answers.rows.append(tuple(json.loads(line)))

        listener = asyncio.create_task(listen())
        try:
            yield answers
        finally:
            await answers.end()
            await asyncio.wait([listener])


@dataclass(frozen=True)
class Campaign:
    """What a campaign came to, in words, and the answers to `status`."""

    told: str
    answers: Answers


async def hostile_campaign(folder: Path, parts: int, seed: int, gap: int, monkeypatch: pytest.MonkeyPatch) -> Campaign:
    """Take so many parts through, with a trouble after every few of them.

    Args:
        folder: A folder of its own; a small file system is mounted in it, where that is allowed.
        parts: How many, at the least.
        seed: What is left to chance follows from it.
        gap: So many parts go through between two troubles, at the most.
        monkeypatch: Gives the station a clock that can be set.
    """
    with small_disk(folder / "disk") as (disk, troubles):
        return await _campaign(disk, troubles, parts, seed, gap, monkeypatch)


@contextmanager
def small_disk(folder: Path) -> Iterator[tuple[Path, tuple[Trouble, ...]]]:
    """A small file system, and the troubles that are possible; where none can be mounted the disk is never full."""
    folder.mkdir()
    with ExitStack() as stack:
        troubles = TROUBLES
        if mount(folder, "-o", f"size={DISK_MB}m"):
            stack.callback(unmount, folder)
        else:
            troubles = tuple(trouble for trouble in TROUBLES if trouble is not full_disk)
        yield folder, troubles


async def _campaign(
    folder: Path, troubles: tuple[Trouble, ...], parts: int, seed: int, gap: int, monkeypatch: pytest.MonkeyPatch
) -> Campaign:
    clock, truth, met = WrongClock(), WatchedTruth(), Counter[str]()
    monkeypatch.setattr("station.host.build.SystemClock", lambda: clock)
    changes = {"records": RECORDS, "plc": {"readers": [READER]}}
    async with (
        program("network") as network,
        asked_all_the_time(folder / "data") as answers,
        fault_bench(folder, "server", truth, changes) as bench,
        listening(bench.desk, folder / "data", LOOK_S),
    ):
        cell, order = Hostile(bench, truth, clock, network, seed), list[Trouble]()
        while bench.closed_records() < parts:
            order = order or cell.chance.sample(troubles, len(troubles))
            trouble = order.pop()
            fault = cell.chance.choice([None, cell.chance.choice(OF_THE_CELL)])
            told = f"seed {seed}, trouble {met.total() + 1}: {trouble.__name__}, {fault.name if fault else 'no fault'}"
            with noted(told):
                await goes_on(bench, f"before {told}", cell.chance.randint(0, gap))
                await strike(cell, trouble, fault)
                await goes_on(bench, told, 1)
            met[trouble.__name__] += 1
        await bench.until(lambda: bool(answers.told))
        await answers.end()
        await bench.stop()
    check_rules(bench, f"seed {seed}")
    assert [row for row in bench.records() if row["part_id"] == "FALSE"] == [], f"seed {seed}"
    asked = [len(one) for one in cell.asked_to_fail]
    assert max(asked, default=0) <= 1, "nobody was asked again"
    assert sum(entry["event"] == "watcher_dropped" for entry in bench.log) == sum(asked), f"seed {seed}"
    assert answers.refused(cell.away) == [], f"seed {seed}"
    stops = Counter(entry["reason"] for entry in bench.log if entry["event"] == "state_changed" and entry["reason"])
    return Campaign(
        f"seed {seed}: {bench.closed_records()} parts, {met.total()} troubles of {len(met)} kinds, "
        f"{truth.struck.total()} faults of {len(truth.struck)} kinds; {len(answers.rows)} answers to `status`, "
        f"the slowest after {answers.worst_s:.3f} s; changes of state for {dict(stops.most_common())}",
        answers,
    )


async def strike(cell: Hostile, trouble: Trouble, fault: NamedFault | None) -> None:
    """This trouble befalls the cell, and the fault, where there is one, one of the parts that come then."""
    bench, struck = cell.bench, cell.truth.struck.total()
    if fault:
        fed = sum(entry.event is Happening.FED for entry in cell.truth.entries)
        bench.cell.broken.arm([Wish(fault, str(fed + 1))])
    await trouble(cell)
    if fault:
        closed = bench.closed_records()
        await bench.until(lambda: cell.truth.struck.total() > struck or bench.closed_records() >= closed + 3)
        await cell.meanwhile()
        bench.cell.broken.clear(fault.name)


@contextmanager
def noted(told: str) -> Iterator[None]:
    """What fails here says when it was."""
    try:
        yield
    except Exception as error:
        error.add_note(told)
        raise


@pytest.mark.timeout(170)
async def test_a_hostile_minute_breaks_no_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    print((await hostile_campaign(tmp_path, 20, 96, 0, monkeypatch)).told)  # noqa: T201


@pytest.mark.slow
@pytest.mark.timeout(5400)
async def test_a_hostile_hour_breaks_no_rule_and_every_command_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed, parts = os.environ.get("STATION_CAMPAIGN", f"1 {SLOW_PARTS}").split()
    campaign = await hostile_campaign(tmp_path, int(parts), int(seed), 8, monkeypatch)
    print(campaign.told)  # noqa: T201
    assert campaign.answers.worst_s <= ANSWERED_WITHIN_S, campaign.told
