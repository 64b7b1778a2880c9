"""Robot, jig and line PLC without wires, for tests of what stands above the ports.

The contract suites hold them to what the drivers do on the simulated devices.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from station.core.alarms import NO_ALARMS, AlarmSummary
from station.core.errors import FAULTS, Fault, JigError, PlcError, RobotError
from station.core.judgement import Defect, Published
from station.core.part import Announcement, Inspection, Order, Receipt
from station.core.ports.devices import JigStatus, RobotStatus
from station.core.ports.line import Acknowledgement, CellReport, LineCommand
from station.core.timeline import Delivery
from tests.housings import TABLE, Destination

COMMANDS = ("none", "reset", "start", "stop", "hold", "unhold", "suspend", "unsuspend", "abort", "clear", "complete")
STATES = {2: "stopped", 4: "idle", 5: "suspended", 6: "execute", 9: "aborted", 11: "held", 17: "complete"}


@dataclass
class Floor:
    """What lies where; robot and jig of one cell share it.

    Attributes:
        infeed, gripper, jig: The part there, or None.
        sorted_parts: (part id, place) in the order in which they were laid down.
        turning: The jig turns.
        arm_out: The arm is outside its safe zone.
        cut: No device answers.
    """

    infeed: str | None = None
    gripper: str | None = None
    jig: str | None = None
    sorted_parts: list[tuple[str, str]] = field(default_factory=list)
    turning: bool = False
    arm_out: bool = False
    cut: bool = False


def _receipt(order: Order, confirmed: int = 0) -> Receipt:
    now_ns = time.monotonic_ns()
    return Receipt(order, confirmed, now_ns, now_ns)


class FakeRobot:
    """The port `SortRobot`, in no time."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._last: Receipt | None = None
        self._last_number = 0
        self.fault = 0

    async def connect(self) -> None:
        self._reach()

    async def status(self) -> RobotStatus:
        self._reach()
        holding = self._floor.gripper is not None
        return RobotStatus(self._last_number, self._last_number, False, not self._floor.arm_out, holding, self.fault)

    async def load(self, order: Order) -> Receipt:
        return await self._perform(order, self._load)

    async def unload(self, order: Order) -> Receipt:
        return await self._perform(order, self._unload)

    async def home(self, order: Order) -> Receipt:
        return await self._perform(order, lambda _: 0)

    async def close(self) -> None:
        await asyncio.sleep(0)

    async def _perform(self, order: Order, motion: Callable[[Order], int]) -> Receipt:
        self._reach()
        await asyncio.sleep(0)
        if self._last is not None and order.number == self._last_number:
            return self._last
        self._last_number = order.number
        self._last = _receipt(order, motion(order))
        return self._last

    def _load(self, order: Order) -> int:
        floor = self._floor
        if floor.infeed is None or floor.gripper is not None or floor.jig is not None:
            raise RobotError("robot.refused", f"order {order.number} load")
        self._reach_into_jig(order)
        floor.jig, floor.infeed = floor.infeed, None
        return 0

    def _unload(self, order: Order) -> int:
        floor = self._floor
        part_id = floor.gripper or floor.jig
        if part_id is None or not order.argument:
            raise RobotError("robot.refused", f"order {order.number} unload")
        if floor.gripper is None:
            self._reach_into_jig(order)
        floor.gripper = floor.jig = None
        place = TABLE.place_of(order.argument)
        assert place is not None
        floor.sorted_parts.append((part_id, place.name))
        return order.argument

    def _reach_into_jig(self, order: Order) -> None:
        if self._floor.turning:
            self.fault, self._floor.arm_out = 1, True
            raise RobotError("robot.fault", f"order {order.number} {order.verb}: fault 1")

    def _reach(self) -> None:
        if self._floor.cut:
            raise RobotError("robot.unreachable", "cut")


LOOK_S = 0.005
"""Between two regular looks at the jig: without it, whoever watches it would take the interpreter from the judging."""


class FakeJig:
    """The port `SpinJig`, in no time."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._last: Receipt | None = None
        self._speed_rpm = 0.0
        self._turns = 0

    async def connect(self) -> None:
        self._reach()

    async def status(self) -> JigStatus:
        self._reach()
        turning = self._floor.turning
        self._turns += turning
        last = self._last.order.number if self._last else 0
        speed_rpm = self._speed_rpm if turning else 0.0
        seated, period_ms = self._floor.jig is not None, 60_000 / speed_rpm if speed_rpm else 0.0
        return JigStatus(last, not turning, turning, speed_rpm, self._turns, seated, 0, period_ms)

    async def next_status(self) -> JigStatus:
        await asyncio.sleep(LOOK_S)
        return await self.status()

    async def spin(self, order: Order) -> Receipt:
        self._reach()
        await asyncio.sleep(0)
        if self._last is None or self._last.order.number != order.number:
            if self._floor.arm_out:
                raise JigError("jig.refused", f"order {order.number} spin")
            self._floor.turning, self._speed_rpm = True, order.argument / 10
            self._last = _receipt(order)
        return self._last

    async def stop(self, order: Order) -> Receipt:
        self._reach()
        await asyncio.sleep(0)
        if self._last is None or self._last.order.number != order.number:
            self._floor.turning = False
            self._last = _receipt(order)
        return self._last

    async def close(self) -> None:
        self._floor.turning = False

    def _reach(self) -> None:
        if self._floor.cut:
            raise JigError("jig.unreachable", "cut")


class FakeLine:
    """The line's side of the PLC: what a person or a program there does and sees."""

    def __init__(self) -> None:
        self.permitted = True
        self.part: Announcement | None = None
        self.full: frozenset[Destination] = frozenset()
        self.accepted_part = self.accepted_before = 0
        self.commands: list[LineCommand] = []
        self.acknowledgements: list[Acknowledgement] = []
        self.results: list[tuple[int, str]] = []
        self.confirmed = 0
        self.defects: list[tuple[int, tuple[Defect, ...]]] = []
        self.cut = False
        self._command_sequence = 0
        self._answer = self._ack_answer = (0, "none")
        self._ack_sequence = 0
        self._alarms = NO_ALARMS
        self._state = "undefined"
        self._pulse = asyncio.Event()

    def permit(self, permission: str) -> None:
        self.permitted = permission == "given"
        self.notice()

    def fill(self, places: Iterable[int]) -> None:
        self.full = frozenset(place for place in TABLE.places if place.code in set(places))
        self.notice()

    def announce(self, part_id: str, type_code: int) -> int:
        sequence = (self.part.sequence if self.part else 0) % 0xFFFF + 1
        self.part = Announcement(sequence, part_id, type_code)
        self.notice()
        return sequence

    def command(self, command: str) -> int:
        self._command_sequence += 1
        self.commands.append(LineCommand(self._command_sequence, COMMANDS.index(command)))
        self.notice()
        return self._command_sequence

    def acknowledge(self, fault_number: int) -> int:
        self._ack_sequence += 1
        self.acknowledgements.append(Acknowledgement(self._ack_sequence, fault_number))
        self.notice()
        return self._ack_sequence

    def alarms(self) -> tuple[int, int, int]:
        newest = self._alarms.newest
        return self._alarms.active, self._alarms.unacknowledged, newest.number if newest else 0

    def acknowledgement_answer(self) -> tuple[int, str]:
        return self._ack_answer

    def hear_acknowledgement_answer(self, sequence: int, answer: str) -> None:
        self._ack_answer = (sequence, answer)

    def hear_alarms(self, alarms: AlarmSummary) -> None:
        self._alarms = alarms

    def state(self) -> str:
        return self._state

    def command_answer(self) -> tuple[int, str]:
        return self._answer

    def hear_answer(self, sequence: int, answer: str) -> None:
        self._answer = (sequence, answer)

    def hear_state(self, state: int) -> None:
        self._state = STATES.get(state, str(state))

    def disconnect(self) -> None:
        self.cut = True
        self.notice()

    def notice(self) -> None:
        """Wake whoever waits for a change."""
        self._pulse.set()
        self._pulse = asyncio.Event()

    def changed(self) -> Coroutine[Any, Any, None]:
        return _set(self._pulse)


async def _set(event: asyncio.Event) -> None:
    await event.wait()


class FakePlc:
    """The port `LinePlc`; the line acknowledges every result at once."""

    def __init__(self, line: FakeLine) -> None:
        self._line = line

    async def connect(self) -> None:
        self._reach()

    def permission(self) -> bool:
        return self._line.permitted and not self._line.cut

    def health(self) -> Fault | None:
        return FAULTS["plc.unreachable"] if self._line.cut else None

    def changed(self) -> Coroutine[Any, Any, None]:
        return self._line.changed()

    def waiting_part(self) -> Announcement | None:
        part = self._line.part
        return part if part and part.sequence != self._line.accepted_part and not self._line.cut else None

    def announced(self) -> Announcement | None:
        return None if self._line.cut else self._line.part

    async def look(self) -> None:
        await asyncio.sleep(0)
        self._reach()

    def full_bins(self) -> frozenset[Destination]:
        return frozenset() if self._line.cut else self._line.full

    def next_command(self) -> LineCommand | None:
        return self._line.commands[0] if self._line.commands else None

    async def answer(self, command: LineCommand, refused: Fault | None) -> None:
        self._reach()
        self._line.commands.remove(command)
        self._line.hear_answer(command.sequence, "refused" if refused else "taken")

    def next_acknowledgement(self) -> Acknowledgement | None:
        return self._line.acknowledgements[0] if self._line.acknowledgements else None

    async def answer_acknowledgement(self, acknowledgement: Acknowledgement, refused: Fault | None) -> None:
        self._reach()
        self._line.acknowledgements.remove(acknowledgement)
        self._line.hear_acknowledgement_answer(acknowledgement.sequence, "refused" if refused else "taken")

    async def accept(self, inspection: Inspection) -> None:
        self._reach()
        if self._line.accepted_part != inspection.part.sequence:
            self._line.accepted_before, self._line.accepted_part = self._line.accepted_part, inspection.part.sequence
        self._line.notice()

    async def give_back(self, inspection: Inspection) -> None:
        if self._line.accepted_part == inspection.part.sequence:
            self._line.accepted_part, self._line.accepted_before = self._line.accepted_before, 0
            self._line.notice()

    async def report(self, report: CellReport) -> None:
        self._reach()
        self._line.hear_state(report.state)
        self._line.hear_alarms(report.alarms)

    async def list_defects(self, inspection: Inspection, defects: Sequence[Defect]) -> None:
        self._line.defects.append((inspection.number, tuple(defects)))

    async def publish(self, result: Published) -> Delivery:
        self._reach()
        sent_ns = time.monotonic_ns()
        self._line.results.append((len(self._line.results) + 1, result.decision.verdict.name))
        self._line.confirmed = result.confirmed.code if result.confirmed else 0
        return Delivery(sent_ns, time.monotonic_ns())

    async def close(self) -> None:
        await asyncio.sleep(0)

    def _reach(self) -> None:
        if self._line.cut:
            raise PlcError("plc.unreachable", "cut")
