"""Robot, jig and line PLC without wires, for tests of what stands above the ports.

The contract suites hold them to what the drivers do on the simulated devices.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from station.core.errors import FAULTS, Fault, JigError, PlcError, RobotError
from station.core.judgement import Defect, Published
from station.core.part import Announcement, Inspection, Order, Receipt
from station.core.ports.devices import JigStatus, RobotStatus
from station.core.ports.line import (
    AcknowledgeWish,
    CellReport,
    CommandWish,
    LineRequest,
    LineView,
)
from station.core.pulse import Pulse
from station.core.timeline import Delivery
from tests.housings import TABLE, Destination
from tests.virtual_time import loop_ns

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
    now_ns = loop_ns()
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

    def leave_line_free(self) -> None:
        """Nothing is asked of this one but what somebody asks."""

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


UNREACHABLE = FAULTS["plc.unreachable"]
UNREPORTED = CellReport(0, 0, None, 0, 0)
"""What the line sees before the station has said anything."""


class FakeLine:
    """The line's side of the PLC: what a person or a program there does and sees."""

    def __init__(self) -> None:
        self.permitted = True
        self.part: Announcement | None = None
        self.full: frozenset[Destination] = frozenset()
        self.accepted = [0]
        self.pending: deque[LineRequest] = deque()
        self.answers: dict[type, tuple[int, str]] = {}
        self.published: list[Published] = []
        self.defects: list[tuple[int, tuple[Defect, ...]]] = []
        self.report = UNREPORTED
        self.fault: Fault | None = None
        self._requested: Counter[type] = Counter()
        self._pulse = Pulse()

    @property
    def cut(self) -> bool:
        """Whether it cannot be talked with."""
        return self.fault is UNREACHABLE

    @cut.setter
    def cut(self, cut: bool) -> None:
        self.fault = UNREACHABLE if cut else None

    # ---- what it does

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
        return self._ask(CommandWish(COMMANDS.index(command)))

    def acknowledge(self, fault_number: int) -> int:
        return self._ask(AcknowledgeWish(fault_number))

    def disconnect(self) -> None:
        self.fault = UNREACHABLE
        self.notice()

    # ---- what it sees

    @property
    def accepted_part(self) -> int:
        return self.accepted[-1]

    @property
    def results(self) -> list[tuple[int, str]]:
        return [(number, result.decision.verdict.name) for number, result in enumerate(self.published, 1)]

    @property
    def confirmed(self) -> int:
        last = self.published[-1] if self.published else None
        return last.confirmed.code if last and last.confirmed else 0

    def alarms(self) -> tuple[int, int, int]:
        alarms = self.report.alarms
        return alarms.active, alarms.unacknowledged, alarms.newest.number if alarms.newest else 0

    def state(self) -> str:
        return STATES.get(self.report.state, str(self.report.state))

    def command_answer(self) -> tuple[int, str]:
        return self.answers.get(CommandWish, (0, "none"))

    def acknowledgement_answer(self) -> tuple[int, str]:
        return self.answers.get(AcknowledgeWish, (0, "none"))

    # ---- the wire

    def view(self) -> LineView:
        """What it says, as the station hears it."""
        if self.cut:
            return LineView(UNREACHABLE)
        waiting = self.part if self.part and self.part.sequence != self.accepted_part else None
        return LineView(self.fault, self.permitted, self.part, waiting, self.full)

    def reach(self) -> None:
        if self.cut:
            raise PlcError("plc.unreachable", "cut")

    def notice(self) -> None:
        """Wake whoever waits for a change."""
        self._pulse.beat()

    def changed(self) -> Coroutine[Any, Any, None]:
        return self._pulse.changed()

    def _ask(self, wish: CommandWish | AcknowledgeWish) -> int:
        self._requested[type(wish)] += 1
        request = LineRequest(self._requested[type(wish)], wish)
        self.pending.append(request)
        self.notice()
        return request.sequence


class FakeFeed:
    """The port `PartFeed`."""

    def __init__(self, line: FakeLine) -> None:
        self._line = line

    @property
    def view(self) -> LineView:
        return self._line.view()

    def changed(self) -> Coroutine[Any, Any, None]:
        return self._line.changed()

    async def read_now(self) -> LineView:
        await asyncio.sleep(0)
        self._line.reach()
        return self.view

    async def accept(self, inspection: Inspection) -> None:
        self._line.reach()
        if self._line.accepted_part != inspection.part.sequence:
            self._line.accepted.append(inspection.part.sequence)
        self._line.notice()

    async def give_back(self, inspection: Inspection) -> None:
        if self._line.accepted_part == inspection.part.sequence:
            self._line.accepted.pop()
            self._line.notice()


class FakeRequests:
    """The port `LineRequests`."""

    def __init__(self, line: FakeLine) -> None:
        self._line = line

    def pending(self) -> LineRequest | None:
        return self._line.pending[0] if self._line.pending else None

    def changed(self) -> Coroutine[Any, Any, None]:
        return self._line.changed()

    async def answer(self, request: LineRequest, refused: Fault | None) -> None:
        self._line.reach()
        if request in self._line.pending:
            self._line.pending.remove(request)
        self._line.answers[type(request.wish)] = (request.sequence, "refused" if refused else "taken")


class FakeResults:
    """The port `ResultSink`; the line acknowledges every result at once."""

    def __init__(self, line: FakeLine) -> None:
        self._line = line
        self._places: set[int] = set()

    async def report(self, report: CellReport) -> None:
        self._line.reach()
        self._line.report = report

    async def publish(self, result: Published) -> Delivery:
        self._line.reach()
        sent_ns = loop_ns()
        if result.confirmed is None or result.inspection.number not in self._places:
            self._line.published.append(result)
        if result.confirmed is not None:
            self._places.add(result.inspection.number)
        return Delivery(sent_ns, loop_ns())

    async def confirm(self, result: Published) -> None:
        await self.publish(result)

    async def list_defects(self, inspection: Inspection, defects: Sequence[Defect]) -> None:
        self._line.defects.append((inspection.number, tuple(defects)))


class FakeLineLink:
    """The port `LineLink` to a line without a wire."""

    def __init__(self, line: FakeLine) -> None:
        self._line = line
        self.feed = FakeFeed(line)
        self.requests = FakeRequests(line)
        self.results = FakeResults(line)

    async def connect(self) -> None:
        self._line.reach()

    async def close(self) -> None:
        self._line.disconnect()
