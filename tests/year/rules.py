"""The ten rules, looked at with every step by the cell's own truth, and nothing of the station's code asked for it.

A rule is looked at when what it speaks of happens: a device is given an order, a part is laid down, the line PLC reads
a result; and once more when all parts are through, in the records.
"""

import sqlite3
import sys
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sim.cell import ArmPosition
from sim.faults import NAMED_FAULTS
from sim.ledger import Entry, Happening
from sim.ledger import Place as Seat
from sim.modbus.slave import ExceptionCode, RefusedError
from sim.wear import WEARS
from station.core.errors import FAULTS
from tests.cell.plc_words import DEFECT_FREE, PlcWords
from tests.year.disk import DATABASE
from tests.year.loop import OWNER

PASSED = "second_inspection"
PLACES = {
    1: "second_inspection",
    2: "bin_imprinted",
    3: "bin_pits",
    4: "bin_roll_marks",
    5: "bin_scratches",
    6: "bin_review",
}
NAMES = {1: "defect_free", 2: "imprinted", 3: "pits", 4: "roll_marks", 5: "scratches"}
BINS = frozenset(PLACES.values())


@dataclass
class Truth:
    """What truly became of the parts, by their ids.

    Attributes:
        labels: What their surfaces are.
        places: Where they are.
        laid: How often they were laid away.
        picked: Those that left the infeed, in order.
        seen: Those that passed under the camera, once and whole, since they were loaded.
    """

    labels: dict[str, str | None] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    laid: Counter[str] = field(default_factory=Counter)
    picked: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


class Rules:
    """What is broken is told to the world.

    Attributes:
        world: Where it happens.
        truth: What truly became of the parts.
        exempt: Parts of which a good scan shows something else than they are, or nobody knows what they are.
        called: What the station calls a part that it took for another, where no station could have known better.
        words: What the line PLC has of the station.
        codes: Faults that the station showed.
        bugs_expected: How many bugs were planted, and are to be met.
        refusing: Devices that refuse their next order.
    """

    def __init__(self) -> None:
        self.world: Any = None
        self.truth = Truth()
        self.exempt: set[str] = set()
        self.called: dict[str, str] = {}
        self.words = PlcWords()
        self.codes: set[str] = set()
        self.bugs_expected = 0
        self.refusing: set[str] = set()
        self._state = _State()

    # ---- where it looks

    def watch(self, running: Any) -> None:
        """Look at the devices from now on."""
        self._running = running
        robot, jig, plc = running.robot, running.jig, running.plc
        write, turn, read, hear = robot.write, jig.write, plc.read, plc._hear

        def robot_write(address: int, words: list[int]) -> None:
            self._refuse("robot", words)
            before = robot._taken.last
            write(address, words)
            if robot._taken.last != before:
                self._ordered(robot._bank.label("order_verb"))

        def jig_write(address: int, words: list[int]) -> None:
            self._refuse("jig", words)
            before = jig._taken.last
            arm, busy = running.cell.arm, robot._busy
            turn(address, words)
            if jig._taken.last != before and jig._bank.label("order_verb") == "spin":
                self._spun(arm, busy=busy)

        def plc_read(kind: Any, address: int, count: int) -> list[int]:
            answer = read(kind, address, count)
            first = plc._map["part_sequence"].address
            if kind == "holding" and address <= first < address + count:
                self._state.looks.append(self._shown())
            return answer

        def plc_hear(address: int, words: list[int]) -> None:
            before = len(self.words.results)
            hear(address, words)
            self.words.wrote(address, words)
            for result in self.words.results[before:]:
                self._result(result)

        robot.write, jig.write, plc.read, plc._hear = robot_write, jig_write, plc_read, plc_hear
        self._watch_camera(running)

    def _watch_camera(self, running: Any) -> None:
        """Look at what passes under the camera."""
        turns = self.world.base.scene.turns
        passed = self.world.base.scene.passed

        def on_passed(*, whole: bool) -> None:
            passed(whole=whole)
            part_id = running.cell.part_id_at(Seat.JIG)
            if part_id is not None and turns[-1].whole:
                self.truth.seen.add(part_id)
            turns.clear()

        self.world.base.scene.passed = on_passed

    def _refuse(self, device: str, words: list[int]) -> None:
        """The device refuses its next order, where it is to."""
        if device in self.refusing and len(words) > 1 and any(words):
            self.refusing.discard(device)
            raise RefusedError(ExceptionCode.ILLEGAL_VALUE)

    def listening(self, ledger: Any) -> Any:
        """The ledger, that tells when an order is written down."""
        order = ledger.order
        state = self._state

        async def told(device: Any, verb: str, argument: int, inspection: Any) -> Any:
            given = await order(device, verb, argument, inspection)
            if verb == "load":
                state.looks, state.written = [], inspection.part.part_id
            return given

        async def told_and_looked_for(device: Any, verb: str, argument: int, inspection: Any) -> Any:
            given = await told(device, verb, argument, inspection)
            if device == "robot" and inspection is not None:
                self._recorded(given.number, verb, inspection.part.part_id)
            return given

        ledger.order = told_and_looked_for
        return ledger

    def _recorded(self, number: int, verb: str, part_id: str) -> None:
        """The robot is to be given an order of a part: it must stand in the records, where they belong."""
        loop, disk = self.world.base.loop, self.world.base.disk
        if getattr(OWNER.get(), "dead", False) or disk.away_since_s == loop.time():
            return
        written = None if disk.away_since_s is not None else self._written(number)
        if written != part_id:
            self.world.broken(2, f"the robot is ordered to {verb} {part_id}, of which is written: {written}")

    def _written(self, number: int) -> str | None:
        """Of which part the records say that the robot is to take this order."""
        try:
            with closing(self._opened()) as database:
                row = database.execute(ORDERED, (number,)).fetchone()
        except sqlite3.Error as error:
            return f"{error}"
        return row[0] if row else None

    def _opened(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.world.base.disk.folder / DATABASE}?mode=ro", uri=True)

    # ---- what happens

    def happened(self, entry: Entry) -> None:
        """The cell's truth has a new entry."""
        part_id = entry.part_id
        if entry.event is Happening.COLLISION:
            self.world.broken(3, f"the arm hit the turning jig, {part_id}")
        if part_id is None:
            return
        self.truth.labels[part_id] = entry.label
        self.truth.places[part_id] = (
            "floor" if entry.event in (Happening.DROPPED, Happening.REMOVED) else str(entry.place)
        )
        if (
            entry.event is Happening.PICKED
            and self.world.running.cell.part_at(Seat.INFEED) is None
            and part_id not in self.truth.picked
        ):
            self._picked(part_id)
        elif (
            entry.event is Happening.PLACED
            and entry.place == Seat.JIG
            and any(map(self._running.broken.present, WEARS))
        ):
            self.exempt.add(part_id)
        elif entry.event is Happening.PLACED and entry.place in BINS:
            self._laid(part_id, entry)

    def _picked(self, part_id: str) -> None:
        self.truth.picked.append(part_id)
        self.truth.seen.discard(part_id)
        expected, self._state.expected = self._state.expected, None
        if expected is not None and expected != part_id:
            self.called[part_id] = expected  # the line has put it there since, or announces what does not lie there

    def _laid(self, part_id: str, entry: Entry) -> None:
        self.truth.laid[part_id] += 1
        if self.truth.laid[part_id] > 1:
            self.world.broken(4, f"{part_id} was laid away {self.truth.laid[part_id]} times")
        if entry.place != PASSED or "robot-wrong-bin" in self._state.struck:
            self._state.struck.discard("robot-wrong-bin")
            return
        if part_id in self.exempt:
            return
        if entry.label != "defect_free":
            self.world.broken(1, f"{part_id} was passed and is {entry.label}")
        if part_id not in self.truth.seen:
            self.world.broken(7, f"{part_id} was passed and never was seen whole in one turn")

    def _ordered(self, verb: str) -> None:
        """The robot was given a new order."""
        cell = self._running.cell
        if verb in ("load", "unload") and not cell.spindle.standstill:
            self.world.broken(
                3, f"the robot was ordered to {verb} while the jig turns at {cell.spindle.speed_rpm:.0f} rpm"
            )
        if verb == "load":
            looks, part_id = self._state.looks, self._state.written
            if not looks:
                self._unlooked()
                looks = [self._shown()]
            self._state.expected = part_id
            # The order may be on its way for longer than the regular look after the last one takes.
            if not any(permitted and number and announced == part_id for (number, announced, _), permitted in looks):
                (number, announced, _kind), permitted = looks[-1]
                shown = f"announced was {announced}, number {number}, permitted {permitted}"
                self.world.broken(8, f"the robot was ordered to load {part_id}; {shown}")

    def _unlooked(self) -> None:
        """The robot was ordered to load, and what is announced was not read between its being written and its going."""
        self.world.broken(8, "the robot was ordered to load, and nobody looked again at what is announced")

    def _spun(self, arm: ArmPosition, *, busy: bool) -> None:
        if (arm is not ArmPosition.SAFE_ZONE or busy) and "robot-leaves-safe-zone" not in self._state.struck:
            self.world.broken(3, f"the jig was ordered to turn while the arm is in {arm.name}, busy {busy}")
        self._state.struck.discard("robot-leaves-safe-zone")

    def _shown(self) -> tuple[tuple[int, str, int], bool]:
        plc = self._running.plc
        bank = plc._bank
        announced = bank.count("part_sequence"), str(bank.value("next_part_id")), int(bank.count("next_part_type"))
        return announced, plc.permitted

    def _result(self, result: Any) -> None:
        """The line PLC has a result."""
        if (result.decision, result.complement) != (DEFECT_FREE, 0xFFFF - DEFECT_FREE):
            return
        truly = next((one for one, called in self.called.items() if called == result.part_id), result.part_id)
        if truly in self.exempt:
            return
        if self.truth.labels.get(truly) != "defect_free":
            self.world.broken(
                1, f"the PLC read that {result.part_id} is defect-free, it is {self.truth.labels.get(truly)}"
            )
        if truly not in self.truth.seen:
            self.world.broken(7, f"the PLC read that {result.part_id} is defect-free, and it never was seen whole")

    def struck(self, name: str, part_id: str | None) -> None:
        """A named fault strikes."""
        self._state.struck.add(name)
        if (NAMED_FAULTS[name].judged or NAMED_FAULTS[name].wears) and part_id is not None:
            self.exempt.add(part_id)

    def told(self, event: Any) -> None:
        """The station tells of something."""
        reason = getattr(event, "reason", None)
        decision = getattr(event, "decision", None)
        for fault in (getattr(reason, "fault", None), getattr(decision, "fault", None)):
            if fault is not None:
                self.codes.add(fault.code)
                if FAULTS.get(fault.code) is not fault or not fault.text:
                    self.world.broken(5, f"{fault.code} is not in the table of faults")

    def logged(self, said: dict[str, Any]) -> None:
        """The station logs something."""
        self.codes.update(str(said[key]) for key in ("fault", "code", "refused") if said.get(key) in FAULTS)
        if said["event"] == "command_answered" and said.get("refused"):
            self.codes.add("plc.illegal_command")
        if said["event"] == "bug_met" and self.bugs_expected:
            self.bugs_expected -= 1
        elif said["event"] in ("bug_met", "device_poller_ended"):
            self.world.broken(5, f"{said['event']}: {_raised() or said}")

    def all_closed(self) -> bool:
        """Whether nothing is open in the records."""
        if self.world.base.disk.away_since_s is not None:
            return False
        try:
            with closing(self._opened()) as database:
                (left,) = database.execute(UNFINISHED).fetchone()
        except sqlite3.Error:  # the log was taken away, and nobody has looked yet
            return False
        return not left

    # ---- what is in the records

    def close(self) -> None:
        """All parts are through, and the station was stopped: look at its records."""
        self._close_network()
        try:
            with closing(self._opened()) as database:
                database.row_factory = sqlite3.Row
                rows = [dict(row) for row in database.execute(RECORDS)]
                orders = [dict(row) for row in database.execute("SELECT * FROM orders ORDER BY order_id")]
        except sqlite3.Error as error:
            self.world.broken(2, f"there are no records: {error}")
            return
        for rule, how in (*self._records(rows), *self._orders(orders)):
            self.world.broken(rule, how)
        for row in rows:
            self.world.tell(
                "record",
                " ".join(
                    str(row[key])
                    for key in ("number", "inspection_id", "part_id", "state", "verdict", "reason", "confirmed_bin")
                ),
            )

    def _close_network(self) -> None:
        for one in self.world.base.network.strangers:
            self.world.broken(10, f"the station called {one}")
        for one in self.world.base.table.otherwise:
            self.world.broken(6, f"the table of judgements is wrong: {one}")

    def _records(self, rows: list[dict[str, Any]]) -> Iterator[tuple[int, str]]:
        of: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            if row["state"] == "withdrawn":
                if row["verdict"] is not None or row["confirmed_bin"] is not None:
                    yield 8, f"{row['part_id']} was withdrawn and is {row['verdict']} in {row['confirmed_bin']}"
            else:
                of[row["part_id"]].append(row)
        ids = Counter(row["inspection_id"] for row in rows)
        yield from ((4, f"inspection {one} is there {times} times") for one, times in ids.items() if times > 1)
        calls = Counter(self.called.get(part_id, part_id) for part_id in self.truth.picked)
        for part_id, times in calls.items():
            if len(of[part_id]) != times:
                yield 2, f"{part_id} entered {times} times and is recorded {len(of[part_id])} times"
        for part_id in set(of) - set(calls):
            yield from ((2, f"{part_id} is recorded as {row['state']}, and never entered") for row in of[part_id])
        for part_id in self.truth.picked:
            for row in of[self.called.get(part_id, part_id)][:1]:
                yield from self._record(part_id, row)

    def _record(self, part_id: str, row: dict[str, Any]) -> Iterator[tuple[int, str]]:
        place = self.truth.places[part_id]
        if row["state"] not in ("sorted", "lost"):
            yield 2, f"the record of {part_id} is {row['state']}, the part in {place}"
        elif row["state"] == "sorted" and row["confirmed_bin"] != place and len(self.called) == 0:
            yield 2, f"{part_id} is recorded in {row['confirmed_bin']}, and lies in {place}"
        if row["interrupted_at"] and row["verdict"] != "review":
            yield 4, f"{part_id} was interrupted and is {row['verdict']}"
        if place == PASSED and row["state"] == "sorted" and row["verdict"] != "defect_free" and row["reason"] is None:
            yield 1, f"{part_id} lies in {place}, and its record says {row['verdict']}"
        if row["algorithm1"] is not None:
            yield from _reproduced(part_id, row)
        whole = row["scan_fault"] is None and row["lines_delivered"] == row["lines_expected"]
        if row["verdict"] == "defect_free" and not whole:
            lines = f"{row['lines_delivered']} lines, {row['scan_fault']}"
            yield 1, f"{part_id} is recorded as defect-free on a scan of {lines}"

    def _orders(self, orders: list[dict[str, Any]]) -> Iterator[tuple[int, str]]:
        """Jig and robot were never ordered against each other."""
        given = Counter((row["device"], row["number"], row["issued_ns"]) for row in orders)
        yield from ((4, f"order {one} was given {times} times") for one, times in given.items() if times > 1)


UNFINISHED = "SELECT count(*) FROM inspections WHERE state IN ('open', 'judged')"
ORDERED = """SELECT i.part_id FROM orders o JOIN inspections i ON i.number = o.inspection
    WHERE o.device = 'robot' AND o.number = ? ORDER BY o.order_id DESC LIMIT 1"""
RECORDS = """SELECT i.number, i.inspection_id, i.part_id, i.state, i.verdict, i.reason, i.confirmed_bin,
    i.interrupted_at, j.algorithm1, j.probabilities, j.confidence, j.scan_fault, j.lines_expected, j.lines_delivered
    FROM inspections i LEFT JOIN judgements j ON j.inspection = i.number ORDER BY i.number"""


def _reproduced(part_id: str, row: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """Algorithm 1 once more, from the recorded scores, by its definition and not by the station's code."""
    scores = np.frombuffer(row["probabilities"], np.float32).reshape(-1, len(NAMES))
    classes = scores.argmax(axis=1)
    # Ties go to the defect, of these to the lowest number.
    ties = scores[:, 1:].max(axis=1) >= scores[:, 0]
    classes = np.where(ties, scores[:, 1:].argmax(axis=1) + 1, 0)
    if not classes.any():
        verdict = 0
    else:
        defects = np.flatnonzero(classes)
        verdict = int(classes[defects[scores[defects, classes[defects]].argmax()]])
    if NAMES[verdict + 1] != row["algorithm1"]:
        yield 6, f"the scores of {part_id} give {NAMES[verdict + 1]}, recorded is {row['algorithm1']}"


def _raised() -> str:
    """What is being handled."""
    kind, error, trace = sys.exc_info()
    if error is None:
        return ""
    return "".join(traceback.format_exception(kind, error, trace)[-4:])


class _State:
    """What was seen last."""

    def __init__(self) -> None:
        self.looks: list[tuple[tuple[int, str, int], bool]] = []
        self.written: str | None = None
        self.expected: str | None = None
        self.struck: set[str] = set()
