"""PLC, robot and camera begin anew while announcements are swapped, cleared and withdrawn: every record is the part's.

The simulated cell knows which part lay at the infeed when the robot took it, and since when there was permission. The
PLC keeps its guarantee: what the station has accepted it changes no more, unless its program begins anew; only the
named faults break it, in the moment of the acceptance. Permission comes and goes at any time: withdrawn after the
station's last look it comes too late, so that a load within `WINDOW_S` after it is counted, and one later is a failure.

A failure names its seed; `STATION_CAMPAIGN="SEED RESTARTS" pytest -m slow tests/cell/test_announcements.py` plays it
again, and without the variable 200 restarts with each role of the PLC.
"""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sim.faults import NAMED_FAULTS, Moment, Wish
from sim.ledger import Entry, Happening, Place
from station.core.events import CellEvent, StepStarted
from tests.cell.fault_bench import FaultBench, Truth, fault_bench
from tests.cell.test_random_moments import goes_on
from tests.own_children import camera_processes
from tests.stopwatch import Stopwatch, stopwatch

WINDOW_S = 0.1
"""From the answer to the last look to the robot's gripper, some milliseconds on an idle computer; by the stopwatch, as
a busy one may keep the whole cell from running in between."""

LONGEST_WAIT_S = 0.6
"""Some parts go through in it, so that every step of a part is met."""

CHANGED_FIRST = 0.4
"""How often the announcement changes before the device begins anew, and not after."""


@dataclass
class Loads(Truth):
    """What the cell truly did when the robot took a part from the infeed.

    Attributes:
        wrong: (part that lay there, part that the station meant).
        unpermitted_s: Of each load without permission, how long ago it had been withdrawn.
        count: Loads in all.
        watch: Tells the time.
    """

    wrong: list[tuple[str | None, str]] = field(default_factory=list)
    unpermitted_s: list[float] = field(default_factory=list)
    count: int = 0
    withdrawn_at_s: float | None = None
    watch: Stopwatch = field(default_factory=Stopwatch)

    def __post_init__(self) -> None:
        super().__init__()
        self._meant = ""

    def told(self, event: CellEvent) -> None:
        if isinstance(event, StepStarted) and event.step == "load":
            self._meant = event.inspection.part.part_id

    def happened(self, entry: Entry) -> None:
        if entry.event is Happening.PICKED and self._lay_at_the_infeed(entry.part_id):
            self._loaded(entry.part_id)
        super().happened(entry)

    def _lay_at_the_infeed(self, part_id: str | None) -> bool:
        return [one.place for one in self.entries if one.part_id == part_id][-1] is Place.INFEED

    def _loaded(self, part_id: str | None) -> None:
        self.count += 1
        if part_id != self._meant:
            self.wrong.append((part_id, self._meant))
        if self.withdrawn_at_s is not None:
            self.unpermitted_s.append(self.watch.s - self.withdrawn_at_s)


class Line:
    """The line's side of the campaign: what begins anew, and what happens to announcements."""

    def __init__(self, bench: FaultBench, truth: Loads, chance: random.Random) -> None:
        self.bench, self.truth, self._chance = bench, truth, chance
        cell = bench.cell
        self._cell, self._plc, self._infeed = cell.cell, cell.plc, cell.infeed
        self.restarts: dict[str, Callable[[], None]] = {
            "plc": self.effect("plc-restarted"), "robot": self.robot_begins_anew, "camera": kill_camera,
        }  # fmt: skip
        self.changes: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
            "swapped": (lambda: self.swap(same_number=False), nothing),
            "renamed": (lambda: self.swap(same_number=True), nothing),
            "cleared": (self.clear, self._infeed.announce_again),
            "permission away": (lambda: self.permit("withdrawn"), lambda: self.permit("given")),
            "at accept": (self.arm, nothing),
            "none": (nothing, nothing),
        }

    def effect(self, name: str) -> Callable[[], None]:
        return self.bench.cell.broken._effects[name].begin

    def robot_begins_anew(self) -> None:
        self.bench.cell.robot.begin_anew()
        self.effect("robot-net-reset")()

    def swap(self, *, same_number: bool) -> None:
        if not self._is_accepted():
            self._infeed.exchange(same_number=same_number)

    def clear(self) -> None:
        if not self._is_accepted():
            self._plc.clear_announcement()

    def permit(self, permission: str) -> None:
        self.truth.withdrawn_at_s = self.truth.watch.s if permission == "withdrawn" else None
        self._plc.permit(permission)

    def arm(self) -> None:
        at_accept = [fault for fault in NAMED_FAULTS.values() if fault.moment is Moment.ACCEPT]
        fault = self._chance.choice([one for one in at_accept if one.name != "plc-permission-lost"])
        self.bench.cell.broken.arm([Wish(fault)])

    def _is_accepted(self) -> bool:
        return self._plc.accepted_part == self._plc.announced_number


def kill_camera() -> None:
    for pid in camera_processes():
        os.kill(pid, signal.SIGKILL)


def nothing() -> None:
    """No change."""


async def begun_anew_at_random(folder: Path, role: str, restarts: int, seed: int) -> str:
    """So many restarts at random moments, most with a change of the announcement around them."""
    chance = random.Random(seed)  # noqa: S311  # moments, not secrets
    done = Counter[str]()
    with stopwatch() as watch:
        truth = Loads(watch=watch)
        async with fault_bench(folder, role, truth) as bench:
            line = Line(bench, truth, chance)
            for number in range(restarts):
                restart, change = chance.choice(list(line.restarts)), chance.choice(list(line.changes))
                told = f"{role}, seed {seed}, restart {number}: {restart}, {change}"
                await one_restart(line, restart, change, chance)
                await goes_on(bench, told)
                assert truth.wrong == [], told
                assert [late for late in truth.unpermitted_s if late > WINDOW_S] == [], told
                done.update((restart, change))
            await bench.stop()
            check_records(bench, f"{role}, seed {seed}")
            ended = Counter(row["state"] for row in bench.records())
    late = f"{len(truth.unpermitted_s)} of them up to {max(truth.unpermitted_s, default=0) * 1000:.0f} ms too late"
    return f"{role}, seed {seed}: {dict(done)}, {dict(ended)}, {truth.count} loads, {late}"


def check_records(bench: FaultBench, told: str) -> None:
    """Every part that was loaded has one record that is not withdrawn, and it tells where the part is.

    A robot that begins anew tells no more what it did: a part that it had is lost to the station, wherever it was laid
    as ordered; one whose load order it may have had lies at the infeed yet and comes again.
    """
    rows = bench.taken_records()
    left = [row for row in rows if row["state"] == "lost" and "began anew" in row["detail"]]
    counted = Counter(row["part_id"] for row in rows if row not in left)
    assert [part for part, times in counted.items() if times > 1] == [], told
    assert bench.taken_on() == set(counted), told
    assert [entry for entry in bench.truth.entries if entry.event is Happening.COLLISION] == [], told
    for row in rows:
        if row["state"] == "lost":
            assert row in left or bench.place_of(row["part_id"]) == row["destination"], f"{told}: {row}"
        else:
            assert (row["state"], bench.place_of(row["part_id"])) == ("sorted", row["confirmed_bin"]), f"{told}: {row}"
        if row["verdict"] != "review":
            assert row["verdict"] == bench.label_of(row["part_id"]), f"{told}: {row}"


async def one_restart(line: Line, restart: str, change: str, chance: random.Random) -> None:
    """A device begins anew, and up to half a second before or after it an announcement changes for a while."""
    begin, end = line.changes[change]
    acts = [line.restarts[restart], begin]
    if chance.random() < CHANGED_FIRST:
        acts.reverse()
    await asyncio.sleep(chance.uniform(0, LONGEST_WAIT_S))
    acts[0]()
    await asyncio.sleep(chance.uniform(0, LONGEST_WAIT_S))
    acts[1]()
    await asyncio.sleep(chance.uniform(0, LONGEST_WAIT_S))
    end()


@pytest.mark.timeout(170)
@pytest.mark.parametrize("role", ["client", "server"])
async def test_a_dozen_restarts_among_changing_announcements_take_no_part_for_another(
    tmp_path: Path, role: str
) -> None:
    assert "withdrawn" in await begun_anew_at_random(tmp_path, role, 12, seed=3)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("role", ["client", "server"])
async def test_two_hundred_restarts_among_changing_announcements_take_no_part_for_another(
    tmp_path: Path, role: str
) -> None:
    seed, restarts = os.environ.get("STATION_CAMPAIGN", "1 200").split()
    print(await begun_anew_at_random(tmp_path, role, int(restarts), int(seed)))  # noqa: T201
