"""The whole cell, once through: real sockets, the simulated camera, the network, the records; watched from inside.

It runs in a process of its own, which is as large as the station's and has nothing else to do.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

import structlog

from station.bench.apart import apart
from station.bench.cell_config import at_line_rate, private, write_config
from station.bench.ending import cancelled_by_request
from station.bench.housings import write_recording
from station.bench.loop_watch import WatchedSelector
from station.bench.resident import child_running, resident_mb
from station.core.choices import Speed
from station.core.errors import BugError, StationError
from station.core.events import (
    CellEvent,
    NetworkOverloaded,
    PartDecided,
    PartSorted,
    StateChanged,
    StepStarted,
    StripScored,
)
from station.core.priority import precedence
from station.core.settings import Settings
from station.core.timeline import ScanTimes
from station.core.watchers import Watchers
from station.host.service import serve
from station.host.simulated_cell import Event, SimulatedCell

Pace = Literal["line rate", "free"]
"""`line rate`: lines come at the camera's highest rate and other motions take no time; `free`: not even lines do."""

log = structlog.get_logger()

CAMERA_PROCESS = "drivers.camera.process.service"
RECORDING = "recording"
GIVING_UP = frozenset({"HOLDING", "ABORTING", "STOPPING"})
AFTER_THE_LAST_LINE = ("arrived", "scored", "decided", "plc_sent", "plc_acknowledged", "committed")
"""What follows a turn's last line, in this order; the first two are those of its last block."""


@dataclass(frozen=True, slots=True)
class Resident:
    """Resident memory in MiB when a part was sorted."""

    station: float
    camera: float


@dataclass(slots=True)
class CellRun:
    """What was seen.

    Attributes:
        blocks_per_turn: Of every part, for they are judged by one network.
        ledgers: Of each decided part its deadline ledger by name, as in its record; none of a free run.
        looks: Turns that were scanned; more than parts where one was scanned again.
        scored: Strips that were scored, over all turns.
        longest_pass_ms: The longest pass of the event loop between a turn's begin and the arrival of its decision.
        resident: When each part was sorted.
        reviews: Parts that went to review because of a fault.
        late: Of them those whose decision came after the deadline.
        overloads: Turns in which the network was slower than the lines.
    """

    blocks_per_turn: int
    ledgers: list[dict[str, int]] = field(default_factory=list)
    looks: int = 0
    scored: int = 0
    longest_pass_ms: float = 0.0
    resident: list[Resident] = field(default_factory=list)
    reviews: int = 0
    late: int = 0
    overloads: int = 0

    @property
    def blocks_lost(self) -> int:
        """Blocks of all turns that were not delivered, or not scored."""
        return self.blocks_per_turn * self.looks - self.scored

    @property
    def _whole_turns(self) -> list[dict[str, int]]:
        return [ledger for ledger in self.ledgers if f"block_{self.blocks_per_turn - 1}_last_line" in ledger]

    @property
    def decisions_ms(self) -> list[float]:
        """Of each part the time from its last line to the PLC's acknowledgement of its decision."""
        return [(ledger["plc_acknowledged"] - last_line_ns(ledger)) / 1e6 for ledger in self._whole_turns]

    @property
    def steps_ms(self) -> dict[str, list[float]]:
        """What each step after the last line took, part by part, of the parts that went through all of them."""
        moments = [after_last_line(ledger) for ledger in self._whole_turns]
        all_known = [known for known in moments if all(step in known for step in AFTER_THE_LAST_LINE)]
        steps = pairwise(("last_line", *AFTER_THE_LAST_LINE))
        return {done: [(known[done] - known[begun]) / 1e6 for known in all_known] for begun, done in steps}


class CellRuns:
    """Runs of the cell, each made when it is first asked for; blocking.

    Args:
        settings: The configuration, with simulated devices.
        parts: How many parts go through in a run.
        say: Told what is being done.
    """

    def __init__(self, settings: Settings, parts: int, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._parts = parts
        self._say = say
        self._made: dict[Pace, CellRun] = {}

    def run(self, pace: Pace) -> CellRun:
        """All parts through the cell.

        Raises:
            StationError: The cell did not start, or was stopped by a fault.
        """
        if pace not in self._made:
            camera = self._settings.camera
            lines = f"{camera.width_px} px at {camera.max_line_rate_hz:.0f} lines/s" if pace != "free" else "free"
            self._say(f"the whole cell: {self._parts} parts, lines {lines}")
            with tempfile.TemporaryDirectory(prefix="station-bench-") as folder:
                write_recording(self._settings, Path(folder) / RECORDING)
                self._made[pace] = apart(run_cell, self._settings, self._parts, pace, Path(folder))
        return self._made[pace]

    def made(self) -> CellRun | None:
        """A run that there is already, one at the line rate before a free one; None where there is none."""
        return self._made.get("line rate", self._made.get("free"))


def run_cell(settings: Settings, parts: int, pace: Pace, folder: Path) -> CellRun:
    """Take parts through the cell, in this process; what the cell writes goes into the folder, its recording is there.

    Raises:
        StationError: The cell did not start, or was stopped by a fault.
        CancelledError: SIGTERM has come, and the cell was stopped.
    """
    selector = WatchedSelector()
    with precedence(), asyncio.Runner(loop_factory=selector.loop) as runner:
        return runner.run(cancelled_by_request(_serve(settings, parts, pace, folder, selector)))


async def _serve(settings: Settings, parts: int, pace: Pace, folder: Path, selector: WatchedSelector) -> CellRun:
    """`station run` on the simulated cell, until all parts are sorted or a fault has stopped it."""
    settings, config = private(at_line_rate(settings), folder), folder / "cell.toml"
    await asyncio.to_thread(write_config, settings, config)
    speed = Speed.MAX if pace == "free" else Speed.REAL
    seen = CellRun(settings.known_types[0].geometry.blocks_per_turn)
    watch = _Watch(selector, parts, seen, keeps_ledgers=pace != "free")
    async with SimulatedCell(config, folder / RECORDING, parts, speed, None, _ignore) as cell:
        data, ending = folder / "data", asyncio.create_task(watch.end_with(cell), name="simulated cell's end")
        watchers = Watchers()
        watchers.add(watch.take)
        try:
            await serve(cell.addressed(settings), data, watchers, auto_reset=True, until=watch.enough)
        finally:
            ending.cancel()
    if watch.trouble is not None:
        raise watch.trouble
    return watch.seen


class _Watch:
    """Counts what the cell tells, on a thread of its own.

    Args:
        selector: Watches the loop while a part is scored.
        parts: After how many sorted parts it is enough.
        seen: Where it counts.
        keeps_ledgers: Whether each part's times are wanted; where memory is, what the watch itself keeps is in the way.
    """

    def __init__(self, selector: WatchedSelector, parts: int, seen: CellRun, *, keeps_ledgers: bool) -> None:
        self._selector = selector
        self._parts = parts
        self._keeps_ledgers = keeps_ledgers
        self._camera: int | None = None
        self._sorted = 0
        self._loop = asyncio.get_running_loop()
        self.enough = asyncio.Event()
        self.trouble: StationError | None = None
        self.seen = seen

    def take(self, event: CellEvent) -> None:
        """What has happened; what the counting fails at ends the run."""
        try:
            self._take(event)
        except Exception as error:  # told by whoever has asked for the run
            log.exception("event_not_counted")
            self.trouble = BugError("station.bug", f"{type(error).__name__}: {error}")
            self._end()

    async def end_with(self, cell: SimulatedCell) -> None:
        """A simulated cell that ends before its time ends the run."""
        words = await cell.gone()
        self.trouble = self.trouble or StationError("config.simulator_gone", words)
        self.enough.set()

    def _take(self, event: CellEvent) -> None:
        seen = self.seen
        match event:
            case StepStarted(step="scan"):
                seen.looks += 1
                self._selector.noting = True
            case StripScored():
                seen.scored += 1
                self._selector.noting = event.scores.index < seen.blocks_per_turn - 1
            case NetworkOverloaded():
                seen.overloads += 1
            case PartDecided():
                self._selector.noting = False
                seen.longest_pass_ms = self._selector.longest_ms
                if self._keeps_ledgers:
                    seen.ledgers.append({**event.times.flat(), **event.settled.flat()})
            case PartSorted():
                self._take_sorted(event)
            case StateChanged() if event.after in GIVING_UP and event.reason is not None and not self.enough.is_set():
                self.trouble = StationError(event.reason.fault.code, event.reason.detail)
                self._end()
            case _:
                pass

    def _take_sorted(self, event: PartSorted) -> None:
        fault = event.decision.fault
        self._sorted += 1
        self.seen.reviews += event.decision.verdict.is_review and fault is not None
        self.seen.late += fault is not None and fault.code == "scan.late"
        station, camera = resident_mb(os.getpid()), self._camera_mb()
        if station is not None and camera is not None:
            self.seen.resident.append(Resident(station, camera))
        if self._sorted >= self._parts:  # what is seen of the last part is whole
            self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self.enough.set)

    def _camera_mb(self) -> float | None:
        found = resident_mb(self._camera) if self._camera is not None else None
        if found is None:
            self._camera = child_running(CAMERA_PROCESS)
            found = resident_mb(self._camera) if self._camera is not None else None
        return found


def last_line_ns(ledger: dict[str, int]) -> int:
    """End of the exposure of the last line that came, of a ledger with a block."""
    return max(at for name, at in ledger.items() if name.endswith("_last_line"))


def after_last_line(ledger: dict[str, int]) -> dict[str, int]:
    """A ledger's moments, and of the last block that came `last_line`, `arrived` and, where it was scored, `scored`."""
    last = ScanTimes.of(ledger).blocks[-1]
    scored = {} if last.scored_ns is None else {"scored": last.scored_ns}
    return {**ledger, "last_line": last.last_line_ns, "arrived": last.arrived_ns, **scored}


def _ignore(_event: Event) -> None:
    """The simulated cell's own tale: the station's is what counts."""
