"""The line PLC, as the cell needs it: parts are announced, requests come, results go."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from station.core.alarms import NO_ALARMS, AlarmSummary
from station.core.errors import Fault
from station.core.judgement import Defect, Published
from station.core.part import (
    Announcement,
    Inspection,
)
from station.core.timeline import Delivery
from station.core.verdicts import Place


@dataclass(frozen=True, slots=True)
class CellReport:
    """What the PLC and people may know of the cell at any time.

    Attributes:
        state: PackML StateCurrent, 1 to 17.
        mode: PackML UnitModeCurrent: 1 production, 2 maintenance, 3 manual.
        reason: Why the cell left Execute, or None.
        processed: Parts sorted since the start.
        defective: Parts sorted as anything but defect-free since the start.
        alarms: The alarm list in numbers.
    """

    state: int
    mode: int
    reason: Fault | None
    processed: int
    defective: int
    alarms: AlarmSummary = NO_ALARMS


@dataclass(frozen=True, slots=True)
class LineView:
    """What the line PLC says, all of it at one moment; nothing but a fault where it is not believed.

    Attributes:
        fault: What is wrong with the line, a wrong announcement included, or None.
        permission: Whether the cell may take on another part: permission given and the heartbeat alive.
        announced: What it shows as waiting, accepted or not; None for nothing that can be used.
        waiting: The announced part where it was not accepted yet, or None.
        full: The places that can take no more parts.
    """

    fault: Fault | None = None
    permission: bool = False
    announced: Announcement | None = None
    waiting: Announcement | None = None
    full: frozenset[Place] = frozenset()


class PartFeed(Protocol):
    """Where parts come from: the line announces them and permits them to be taken on."""

    @property
    def view(self) -> LineView:
        """What the line says now, as heard last; never blocks."""

    def changed(self) -> Coroutine[Any, Any, None]:
        """Return at the next change of the view after this call, however late it is awaited."""

    async def read_now(self) -> LineView:
        """The view of what the line says after this call; until then it is what was heard last.

        As client the station asks; as server it waits for the PLC's next beat, which proves that the PLC is there.

        Raises:
            PlcError: The PLC cannot be heard, or cannot be believed.
        """

    async def accept(self, inspection: Inspection) -> None:
        """Tell the line that the announced part is now the station's.

        Raises:
            PlcError: Unreachable; the part is offered again.
        """

    async def give_back(self, inspection: Inspection) -> None:
        """Tell the line that a part is not the station's after all: what was accepted before it is shown again.

        What the line announces is offered again. A PLC that is away learns of it when it is back.
        """


@dataclass(frozen=True, slots=True)
class CommandWish:
    """Somebody wants the cell to change its state.

    Attributes:
        number: A PackML CntrlCmd, or any other number.
    """

    number: int


@dataclass(frozen=True, slots=True)
class AcknowledgeWish:
    """Somebody has seen an alarm.

    Attributes:
        fault_number: Number of the alarm's fault.
    """

    fault_number: int


@dataclass(frozen=True, slots=True)
class LineRequest:
    """One thing that the line wants of the station.

    Attributes:
        sequence: Number of the request, 1 to 65535; commands and acknowledgements count for themselves.
        wish: What is wanted.
        peer: Address and port that it came from, for the record.
    """

    sequence: int
    wish: CommandWish | AcknowledgeWish
    peer: str = field(default="", compare=False)


class LineRequests(Protocol):
    """What the line wants of the station, each answered once, in the order of its kind."""

    def pending(self) -> LineRequest | None:
        """The oldest request that was not yet answered, or None; never blocks."""

    def changed(self) -> Coroutine[Any, Any, None]:
        """Return at the next new request after this call, or when the line is lost or back."""

    async def answer(self, request: LineRequest, refused: Fault | None) -> None:
        """Tell the line that a request was taken (None) or refused; harmless where it was answered.

        Raises:
            PlcError: Unreachable; the request is pending still.
        """


class ResultSink(Protocol):
    """Where results and the state of the cell go: the line PLC's registers."""

    async def report(self, report: CellReport) -> None:
        """Publish the state of the cell.

        Raises:
            PlcError: Unreachable.
        """

    async def publish(self, result: Published) -> Delivery:
        """Write the result block, its sequence last; return when the PLC's registers have it.

        The place of an inspection that was published before keeps its number, and is not written a second time.

        Raises:
            PlcError: Unreachable, never heard yet, or the result before was not acknowledged in time.
        """

    async def confirm(self, result: Published) -> None:
        """Publish where a part lies, unless that is done, and return when the line has acknowledged it.

        Raises:
            PlcError: As for `publish`, or this one was not acknowledged in time.
        """

    async def list_defects(self, inspection: Inspection, defects: Sequence[Defect]) -> None:
        """Show the defects of a part, the severest first, after its result was published; at most eight are shown.

        A PLC that is away, or has no registers for them, is none the worse: the records have them all.
        """


class LineLink(Protocol):
    """The connection to the line PLC, and the three conversations over it; the registers are the same in both roles."""

    @property
    def feed(self) -> PartFeed:
        """Parts that are announced, and whether they may be taken on."""

    @property
    def requests(self) -> LineRequests:
        """Commands and acknowledgements of alarms."""

    @property
    def results(self) -> ResultSink:
        """Results, defects and reports."""

    async def connect(self) -> None:
        """Connect (or listen) and check the register map; harmless when that is done.

        Raises:
            PlcError: Unreachable, port in use, or another map; nothing is left running.
        """

    async def close(self) -> None:
        """Disconnect; from then on the feed's view has the fault `plc.unreachable`."""
