"""Station and simulated cell in one process, over real sockets, terminal and producer, with quick deadlines.

The infeed never ends; parts are judged by the tiny network. A test lets a named fault strike one of the next parts and
then looks at what the station did, what it recorded, and what truly happened.
"""

import asyncio
import json
import tomllib
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import structlog

from config import bundled
from sim.faults import NAMED_FAULTS, UNTIL_CLEARED, NamedFault, Wish
from sim.ledger import Entry, Happening
from sim.report import Json, JsonReport
from sim.running import Plan, RunningCell, running_cell
from station.cell.desk import Desk
from station.cell.packml import Command, State
from station.core.choices import Speed
from station.core.errors import Fault
from station.core.events import CellEvent, PartDecided, StateChanged
from station.core.records import RecordFilter
from station.core.settings import Settings, parse_settings
from station.core.watchers import Watchers
from station.host.build import Station, open_station
from station.records.query import export_records
from station.records.reading import reading
from tests.bundles import CLOSE_GREYS, make_grey_bundle
from tests.cell.plc_words import PlcWords, ResultWords
from tests.free_port import free_port
from tests.housings import OUTPUTS, Verdict
from tests.told_at_once import ToldAtOnce
from tests.turned import turned

WIDTH_PX = 1024
ENDLESS = 1_000_000
PATIENCE_S = 25.0
QUICK: dict[str, dict[str, object]] = {
    "station": {"log_level": "error"},
    "robot": {"acknowledge_timeout_s": 0.5, "motion_timeout_s": 2.0},
    "jig": {"speed_timeout_s": 1.0, "stop_timeout_s": 1.0},
    "plc": {"heartbeat_s": 0.1, "stale_after_s": 0.8, "result_timeout_s": 0.8},
    "camera": {
        "width_px": WIDTH_PX,
        "block_timeout_s": 1.0,
        "late_block_s": 0.3,
        "reopen_pause_s": 1.5,
        "reopen_attempts": 20,
    },
}
QUICK_LINK = {"request_timeout_s": 0.3, "reconnect_s": 0.1, "poll_s": 0.005}
OPERATOR = {
    State.STOPPED: Command.RESET,
    State.IDLE: Command.START,
    State.HELD: Command.UNHOLD,
    State.ABORTED: Command.CLEAR,
}
"""What a person does who wants the cell to run."""


def make_recording(folder: Path) -> Path:
    """One scan of each class, told by its grey value."""
    folder.mkdir()
    rows = []
    for surface, picture in _pictures().items():
        (folder / f"{surface.name}.png").write_bytes(picture)
        row = {"file": f"{surface.name}.png", "part_id": f"P-{surface.code}", "part_type": "smh_385"}
        rows.append(json.dumps({**row, "label": surface.name}))
    (folder / "recording.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@cache
def _pictures() -> dict[Verdict, bytes]:
    """The scans as files, made once."""
    files = {}
    for surface in OUTPUTS.surfaces:
        image = np.zeros((3584, 405), np.uint8)
        image[:, 10:395] = turned(surface.code, 385, CLOSE_GREYS[surface.name])
        written, file = cv2.imencode(".png", image)
        assert written
        files[surface] = file.tobytes()
    return files


Tables = Mapping[str, Mapping[str, object]]
"""Keys of the configuration, by table."""


def quick_settings(folder: Path, plc_role: str = "client", changes: Tables | None = None) -> Settings:
    """The shipped simulation's configuration with short deadlines, free ports, a narrow sensor, and these changes."""
    document = tomllib.loads(bundled("simulate.toml").read_text(encoding="utf-8"))
    for table, keys in (*QUICK.items(), *(changes or {}).items()):
        document[table].update(keys)
    for table in ("robot", "jig", "plc"):
        document[table]["link"].update(QUICK_LINK)
    document["part_types"] = {"smh_385": document["part_types"]["smh_385"]}
    document["robot"]["link"]["port"] = document["plc"]["link"]["port"] = 0
    if plc_role == "server":
        document["plc"]["role"], document["plc"]["link"]["port"] = plc_role, free_port()
    document["jig"]["link"]["device"] = str(folder / "jig")
    features = {"SimScene": f"/station-test-{uuid.uuid4().hex[:12]}", "Width": WIDTH_PX}
    for row in document["camera"]["setup"]:
        row["value"] = features.get(row["feature"], row["value"])
    document["model"]["bundle"] = str(make_grey_bundle(folder / "tiny-1", CLOSE_GREYS, sharpness=0.1))
    return parse_settings(document, "test")


@dataclass
class Seen:
    """What was seen since a fault was armed.

    Attributes:
        codes: Fault codes that the station showed, anywhere.
        states: States that it came to.
        struck: Parts that were struck, in order; None for one that had no part.
        reports: What the PLC has read of the cell: (state_current, stop_reason).
        results: What the PLC has read of the struck part.
    """

    codes: set[str] = field(default_factory=set)
    states: list[str] = field(default_factory=list)
    struck: list[str | None] = field(default_factory=list)
    reports: list[tuple[int, int]] = field(default_factory=list)
    results: list[ResultWords] = field(default_factory=list)


class Truth(JsonReport):
    """What truly happens, kept for the test."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.seen = Seen()

    def happened(self, entry: Entry) -> None:
        self.entries.append(entry)

    def fault_struck(self, name: str, part_id: str | None) -> None:  # noqa: ARG002
        self.seen.struck.append(part_id)

    def told(self, event: CellEvent) -> None:
        """The station tells of what it does."""

    def _print(self, values: Json) -> None:
        """Nothing is printed."""


OF_THE_CELL = [fault for fault in NAMED_FAULTS.values() if not (fault.judged or fault.wears or fault.golden)]
"""What the station itself shows, or rides through, whatever a network says: here a tiny one judges, by grey values."""


class FaultBench:
    """One running station and its cell."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        truth: Truth,
        running: RunningCell,
        station: Station,
        log: list[Any],
        watchers: Watchers,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.truth = truth
        self.cell = running
        self.station = station
        self.log = log
        self.watchers = watchers
        self.words = overheard(running)

    @property
    def desk(self) -> Desk:
        return self.station.desk

    @property
    def fault(self) -> Fault | None:
        reason = self.desk.view.reason
        return reason.fault if reason else None

    def give(self, command: Command) -> None:
        """An operator commands."""
        self.desk.command(command, "an operator")

    async def strike(self, fault: NamedFault) -> tuple[Seen, str]:
        """Let a fault strike the next part but one, as an operator bring the cell back, wait until it runs well again.

        What was seen, and the id of the struck part.
        """
        seen = self.truth.seen = Seen()
        before, reports = len(self.log), len(self.words.reports)
        fed = sum(entry.event is Happening.FED for entry in self.truth.entries)
        self.cell.broken.arm([Wish(fault, str(fed + 1))])
        async with asyncio.timeout(PATIENCE_S):
            await self._until(lambda: bool(seen.struck))
            part_id = seen.struck[0]
            assert part_id is not None
            await self._until(lambda: self.record_of(part_id) is not None, then_clear=fault.name)
            if fault.lasts_s == UNTIL_CLEARED:
                self.cell.broken.clear(fault.name)
            await self._until(lambda: not self.cell.broken.present(fault.name), then_clear=fault.name)
            closed = self.closed_records()
            await self._until(lambda: self.closed_records() >= closed + 2, then_clear=fault.name)
        for entry in self.log[before:]:
            seen.codes.update(str(entry[key]) for key in ("fault", "reason", "refused") if entry.get(key))
        seen.reports, seen.results = self.words.reports[reports:], self.words.results_of(part_id)
        return seen, part_id

    async def strikes(self, fault: NamedFault, parts: int) -> list[str]:
        """Let a fault that strikes once strike so many parts on end; their ids, when the PLC has their last results."""
        seen = self.truth.seen = Seen()
        fed = sum(entry.event is Happening.FED for entry in self.truth.entries)
        self.cell.broken.arm([Wish(fault, str(fed + number)) for number in range(1, parts + 1)])
        async with asyncio.timeout(PATIENCE_S):
            await self._until(lambda: len(seen.struck) == parts)
            struck = [part_id for part_id in seen.struck if part_id is not None]
            await self._until(lambda: all(self._told(part_id) for part_id in struck))
        return struck

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds, and do meanwhile what an operator does."""
        async with asyncio.timeout(PATIENCE_S):
            await self._until(condition)

    def _told(self, part_id: str) -> bool:
        results = self.words.results_of(part_id)
        return bool(results and results[-1].confirmed)

    async def _until(self, condition: Callable[[], bool], then_clear: str | None = None) -> None:
        """Wait, and meanwhile do what an operator does."""
        while not condition():
            command = OPERATOR.get(self.desk.view.state)
            if command is not None:
                if then_clear is not None:
                    self.cell.broken.clear(then_clear)
                self.give(command)
            await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """Stop as an operator does, if it was not done yet."""
        if self.desk.view.state is not State.STOPPED:
            self.give(Command.STOP)
        async with asyncio.timeout(PATIENCE_S):
            await self.desk.reached(State.STOPPED)

    def taken_on(self) -> set[str | None]:
        """The parts that have left the infeed."""
        return {entry.part_id for entry in self.truth.entries if entry.event is Happening.PICKED}

    def place_of(self, part_id: str) -> str:
        """Where the part truly is, or `floor`."""
        last = [entry for entry in self.truth.entries if entry.part_id == part_id][-1]
        return "floor" if last.event is Happening.DROPPED else str(last.place)

    def label_of(self, part_id: str) -> str | None:
        return next(entry.label for entry in self.truth.entries if entry.part_id == part_id)

    def record_of(self, part_id: str) -> tuple[str, str | None] | None:
        """Verdict and confirmed place of a part whose record is closed; the place of a lost one is None."""
        closed = "SELECT verdict, confirmed_bin FROM inspections WHERE part_id = ? AND state IN ('sorted', 'lost')"
        with reading(self.folder / "data") as database:
            rows = database.execute(closed, (part_id,)).fetchall()
        assert len(rows) <= 1, "recorded twice"
        return tuple(rows[0]) if rows else None

    def closed_records(self) -> int:
        """How many records are closed."""
        with reading(self.folder / "data") as database:
            rows = database.execute("SELECT count(*) FROM inspections WHERE state IN ('sorted', 'lost')")
            return int(rows.fetchone()[0])

    def taken_records(self) -> list[dict[str, Any]]:
        """Records of parts that were loaded, oldest first; those of withdrawn ones are checked and left out."""
        rows = self.records()
        for row in rows:
            if row["state"] == "withdrawn":
                assert (row["verdict"], row["confirmed_bin"], row["reason"]) == (None, None, "part.withdrawn"), row
                assert [order for order in row["orders"] if order["done_at"]] == [], row
        return [row for row in rows if row["state"] != "withdrawn"]

    def records(self) -> list[dict[str, Any]]:
        """All records, oldest first."""
        chosen = RecordFilter()
        return list(json.loads("".join(export_records(self.folder / "data", chosen, "json"))))


def overheard(running: RunningCell) -> PlcWords:
    """The words that the simulated PLC takes or reads from the wire, from now on."""
    words, plc = PlcWords(), running.plc
    hear = plc._hear

    def overhear(address: int, values: list[int]) -> None:
        hear(address, values)
        words.wrote(address, values)

    plc._hear = overhear  # type: ignore[method-assign]
    return words


@asynccontextmanager
async def fault_bench(
    folder: Path, plc_role: str = "client", truth: Truth | None = None, changes: Tables | None = None
) -> AsyncIterator[FaultBench]:
    """A cell in Execute; it is stopped in order at the end."""
    settings = quick_settings(folder, plc_role, changes)
    truth = truth or Truth()

    def watch(event: CellEvent) -> None:
        truth.told(event)
        if isinstance(event, PartDecided) and event.decision.fault is not None:
            truth.seen.codes.add(event.decision.fault.code)
        elif isinstance(event, StateChanged):
            truth.seen.states.append(event.after)

    watchers = ToldAtOnce(watch)
    plan = Plan(make_recording(folder / "recording"), ENDLESS, Speed.MAX, None, breakable=True)
    with structlog.testing.capture_logs() as log:
        async with (
            watchers,
            running_cell(settings, plan, truth) as running,
            open_station(addressed(settings, running), folder / "data", watchers) as station,
        ):
            bench = FaultBench(folder, settings, truth, running, station, log, watchers)
            task = asyncio.create_task(station.operation.run())
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await bench._until(lambda: bench.closed_records() >= 1)
                yield bench
                await bench.stop()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


def addressed(settings: Settings, running: RunningCell) -> Settings:
    """The configuration with the ports that the cell has got."""
    changed = {}
    for name in ("robot", "jig", "plc"):
        where, device = getattr(running.where, name), getattr(settings, name)
        if isinstance(where, tuple):
            link = device.link.model_copy(update={"host": where[0], "port": where[1]})
            changed[name] = device.model_copy(update={"link": link})
    return settings.model_copy(update=changed)
