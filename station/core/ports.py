"""What the cell needs from the outside, as protocols; drivers, models and records implement them.

A contract suite per port runs on every implementation. Every wait has a deadline of the implementation's own,
taken from the settings; when it passes, the error says so. No call is repeated by an implementation if repeating
it could move something.
"""

from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from station.core.alarms import NO_ALARMS, Alarm, AlarmSummary
from station.core.errors import Fault
from station.core.geometry import Geometry
from station.core.judgement import Defect, Evidence, Journal, Published, Written
from station.core.part import (
    Announcement,
    Block,
    Device,
    EngineIdentity,
    FeatureSnapshot,
    Inspection,
    ModelIdentity,
    Order,
    PartType,
    Pixels,
    Probabilities,
    Receipt,
    ScanRecipe,
)
from station.core.records import JsonObject, ListedRecord, RecordFilter
from station.core.timeline import Delivery, SettleTimes
from station.core.verdicts import Place


class LineCamera(Protocol):
    """A line-scan camera that delivers one turn as numbered blocks, as the recipe has them."""

    async def open(self) -> None:
        """Connect, write the configured features and read them back.

        Raises:
            CameraError: No producer, no camera, or a feature was refused.
        """

    async def prepare(self, recipe: ScanRecipe) -> FeatureSnapshot:
        """Set the camera for the next part's type and return all configured features as read back.

        What the recipe before had special and this one has not is put back to the common set-up.

        Raises:
            CameraError: The camera is gone or a feature was refused.
        """

    def turn(self) -> AbstractAsyncContextManager["Turn"]:
        """Arm for the next index pulse; inside the context the blocks arrive, on leaving it the camera is disarmed.

        Raises:
            CameraError: The camera is gone or cannot be armed.
        """

    async def close(self) -> None:
        """Let the camera go; harmless when it is not open."""


class Turn(Protocol):
    """One armed turn."""

    def blocks(self) -> AsyncIterator[Block]:
        """Blocks as they arrive, at most one turn; ends early when the camera reports the end of the acquisition.

        Raises:
            CameraError: No block in time, a broken connection, or a foreign image format.
        """

    @property
    def discarded_blocks(self) -> int:
        """Blocks that were thrown away as incomplete so far."""


@dataclass(frozen=True, slots=True)
class JigStatus:
    """The spin jig as last seen.

    Attributes:
        last_order: Number of the last order it took; 0 after power-up.
        standstill: It does not turn, by its own measurement.
        at_speed: It turns at the ordered speed.
        speed_rpm: Measured speed.
        index_pulses: Index pulses since power-up, 16 bit, wrapping.
        part_seated: Its sensor sees a part in the chuck.
        drive_fault: The drive's fault number, 0 for none.
        index_period_ms: Time between the last two index pulses; 0 where it is not measured.
    """

    last_order: int
    standstill: bool
    at_speed: bool
    speed_rpm: float
    index_pulses: int
    part_seated: bool
    drive_fault: int
    index_period_ms: float


class SpinJig(Protocol):
    """The jig that turns the part under the camera."""

    async def connect(self) -> None:
        """Connect and check the register map.

        Raises:
            JigError: Unreachable, or another map.
        """

    async def status(self) -> JigStatus:
        """The jig as it is now: the answer to a request that was sent after this call.

        Raises:
            JigError: Unreachable.
        """

    async def next_status(self) -> JigStatus:
        """The jig at its next regular look; asks nothing by itself, so that watching it costs the line nothing.

        Raises:
            JigError: Unreachable.
        """

    async def spin(self, order: Order) -> Receipt:
        """Start to turn and return when the ordered speed is reached; `order.argument` is the speed in tenths of rpm.

        Raises:
            JigError: Unreachable, refused, fault, or not at speed in time.
        """

    async def stop(self, order: Order) -> Receipt:
        """Stop and return at standstill.

        Raises:
            JigError: Unreachable, refused, fault, or not at standstill in time.
        """

    async def close(self) -> None:
        """Disconnect. The jig stops by itself when its master is gone."""


@dataclass(frozen=True, slots=True)
class RobotStatus:
    """The robot as last seen.

    Attributes:
        last_order: Number of the last order it took; 0 after power-up.
        last_done: Number of the last order it finished; 0 after power-up.
        busy: An order is being carried out.
        in_safe_zone: The arm is outside the field of view and the jig's reach.
        holding: The gripper holds a part.
        fault: Its fault number, 0 for none.
    """

    last_order: int
    last_done: int
    busy: bool
    in_safe_zone: bool
    holding: bool
    fault: int


class SortRobot(Protocol):
    """The arm that loads the jig and lays the part in its bin."""

    async def connect(self) -> None:
        """Connect and check the register map.

        Raises:
            RobotError: Unreachable, or another map.
        """

    async def status(self) -> RobotStatus:
        """The robot as it is now: the answer to a request that was sent after this call.

        Raises:
            RobotError: Unreachable.
        """

    async def load(self, order: Order) -> Receipt:
        """Bring the waiting part from the infeed onto the jig and return to the safe zone.

        Raises:
            RobotError: Unreachable, not acknowledged or not done in time, refused, fault, part lost.
        """

    async def unload(self, order: Order) -> Receipt:
        """Bring the part to the place `order.argument` (from the jig, or from the gripper) and return to the safe zone.

        The receipt's `confirmed` is the place that the robot reports; to compare it with the ordered one is up to the
        caller.

        Raises:
            RobotError: Unreachable, not acknowledged or not done in time, refused, fault, part lost.
        """

    async def home(self, order: Order) -> Receipt:
        """Return to the safe zone.

        Raises:
            RobotError: As for `load`.
        """

    async def close(self) -> None:
        """Disconnect."""


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
class LineCommand:
    """A command from the PLC.

    Attributes:
        sequence: Its change request, 1 to 65535.
        command: A PackML CntrlCmd, or any other number.
        peer: Address and port that it came from, for the record.
    """

    sequence: int
    command: int
    peer: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An operator at the PLC has seen an alarm.

    Attributes:
        sequence: Number of the request, 1 to 65535.
        fault_number: Number of the alarm's fault.
        peer: Address and port that it came from, for the record.
    """

    sequence: int
    fault_number: int
    peer: str = field(default="", compare=False)


class LinePlc(Protocol):
    """The line PLC, as Modbus server or as client of the station's own server; the registers are the same."""

    async def connect(self) -> None:
        """Connect (or listen) and check the register map.

        Raises:
            PlcError: Unreachable, port in use, or another map.
        """

    def permission(self) -> bool:
        """Whether the cell may take on another part: permission given and the heartbeat alive; never blocks."""

    def health(self) -> Fault | None:
        """What is wrong with the line, or None; never blocks."""

    def changed(self) -> Coroutine[Any, Any, None]:
        """Return when anything that the PLC says has changed since this call (not its await), its health included."""

    def waiting_part(self) -> Announcement | None:
        """The announced part that was not yet accepted, or None; never blocks."""

    def announced(self) -> Announcement | None:
        """What the PLC shows as waiting, accepted or not; None for nothing that can be used, never blocks."""

    async def look(self) -> None:
        """Return when all that the PLC says was said after this call; until then it is what was heard last.

        As client the station asks; as server it waits for the PLC's next beat, which proves that the PLC is there.

        Raises:
            PlcError: The PLC cannot be heard, or cannot be believed.
        """

    def full_bins(self) -> frozenset[Place]:
        """The places that can take no more parts; never blocks."""

    def next_command(self) -> LineCommand | None:
        """The oldest command that was not yet answered, or None; never blocks."""

    async def answer(self, command: LineCommand, refused: Fault | None) -> None:
        """Tell the PLC that a command was taken (None) or refused.

        Raises:
            PlcError: Unreachable.
        """

    def next_acknowledgement(self) -> Acknowledgement | None:
        """The oldest acknowledgement of an alarm that was not yet answered, or None; never blocks."""

    async def answer_acknowledgement(self, acknowledgement: Acknowledgement, refused: Fault | None) -> None:
        """Tell the PLC that an acknowledgement was taken (None) or refused.

        Raises:
            PlcError: Unreachable.
        """

    async def accept(self, inspection: Inspection) -> None:
        """Tell the PLC that the announced part is now the station's.

        Raises:
            PlcError: Unreachable.
        """

    async def give_back(self, inspection: Inspection) -> None:
        """Tell the PLC that a part is not the station's after all: what was accepted before it is shown again.

        What the PLC announces is offered again. A PLC that is away learns of it when it is back.
        """

    async def report(self, report: CellReport) -> None:
        """Publish the state of the cell.

        Raises:
            PlcError: Unreachable.
        """

    async def publish(self, result: Published) -> Delivery:
        """Write the result block, its sequence last; return when the PLC's registers have it.

        Raises:
            PlcError: Unreachable, or the result before was not acknowledged in time.
        """

    async def list_defects(self, inspection: Inspection, defects: Sequence[Defect]) -> None:
        """Show the defects of a part, the severest first, after its result was published; at most eight are shown.

        A PLC that is away, or has no registers for them, is none the worse: the records have them all.
        """

    async def close(self) -> None:
        """Disconnect."""


class PatchClassifier(Protocol):
    """The network. Blocking; called from one thread."""

    @property
    def model(self) -> ModelIdentity:
        """Which network this is."""

    @property
    def engine(self) -> EngineIdentity:
        """What runs it."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of its answers."""

    @property
    def geometry(self) -> Geometry:
        """What it takes, and from what scan that is cut."""

    def warm_up(self) -> None:
        """Run once on zeros, so that the first part is not slower than the others.

        Raises:
            ModelError: The engine fails.
        """

    def score(self, patches: Pixels) -> Probabilities:
        """Probabilities (patches, classes) float32 of one strip's patches, uint8 in the geometry's `patches_shape`.

        Each row sums to 1.

        Raises:
            ModelError: The engine fails or answers with no probabilities.
        """


@dataclass(frozen=True, slots=True)
class LedgerRoom:
    """What the ledger has of its disk, in bytes.

    Attributes:
        free: What may still be written.
        journal: What was written and not yet brought in where it belongs.
    """

    free: int
    journal: int


class PartLedger(Protocol):
    """The durable book of inspections. Every method returns when its change is on the disk.

    Raises:
        RecordError: From every method: disk full, not writable, damaged.
    """

    async def enter(self, part: Announcement, part_type: PartType) -> Inspection:
        """Open an inspection."""

    async def order(self, device: Device, verb: str, argument: int, inspection: Inspection | None) -> Order:
        """Give out the device's next order number and write down the intent, before the order goes out."""

    async def adopt_order_number(self, device: Device, last: int) -> None:
        """Go on after the number that the device took last, so that a new order is never mistaken for an old one.

        A ledger that is ahead of the device stays ahead; 0 means that the device has taken none since power-up.
        """

    async def receipt(self, receipt: Receipt) -> None:
        """Write down how an order ended."""

    async def judged(self, inspection: Inspection, evidence: Evidence) -> None:
        """Write down the decision and all it rests on, and archive the scan where the settings say so."""

    async def interrupted(self, inspection: Inspection, fault: Fault, detail: str) -> None:
        """Turn the verdict of an inspection that is not closed into REVIEW, for this reason.

        What was recorded of its judgement, if anything, stays: scores and Algorithm 1's verdict among it.
        """

    async def sorted(self, inspection: Inspection, confirmed: Place, settled: SettleTimes | None = None) -> None:
        """Close an inspection with the place that the robot confirmed, and what is known of the times since then."""

    async def lost(self, inspection: Inspection, fault: Fault, detail: str) -> None:
        """Close an inspection whose part could not be brought to a confirmed place."""

    async def withdrawn(self, inspection: Inspection, fault: Fault, detail: str) -> None:
        """Close an inspection whose part the PLC took back before it was loaded: without a verdict, without a place."""

    async def open_inspections(self) -> Sequence[Inspection]:
        """Inspections that are not closed, oldest first: what was in flight at a stop."""

    async def journal(self, inspection: Inspection) -> Journal:
        """What is written of an inspection: how far it came before a stop."""

    async def last_order(self, device: Device) -> Written | None:
        """The order that was given to the device last, or None."""

    async def last_taken_on(self) -> Announcement | None:
        """The announcement that was taken on last and not withdrawn, or None."""

    async def last_model(self) -> ModelIdentity | None:
        """The network that judged the last part, or None before the first."""

    async def keep_alarm(self, alarm: Alarm) -> None:
        """Write down an alarm as it stands now: raised, raised again, cleared or acknowledged.

        A fault stands on the list once; what went off it stays written.
        """

    async def listed_alarms(self) -> Sequence[Alarm]:
        """The alarms that stand on the list, the one raised last at the end."""

    async def note(self, event: str, detail: str) -> None:
        """Write down an event of the cell: a state change with its reason, a fault, a command."""

    async def answers(self) -> None:
        """Return when what was asked before is done: a sign of life, which writes nothing."""

    async def look(self) -> None:
        """Make sure that what is written lies in its place, also while nothing is to be written."""

    async def prune(self) -> int:
        """Remove archived scans whose time is over, as many as may go today, and return how many; records stay.

        Called every hour or more often.
        """

    async def room(self) -> LedgerRoom:
        """How much room there is on its disk, and how much it has taken for its journal."""

    async def readers(self) -> str:
        """Who else reads it now, so that its journal cannot be brought in; in words, empty where nobody is known."""

    async def close(self) -> None:
        """Finish writing and close the file; harmless when it is closed."""


class RecordReader(Protocol):
    """What the records hold, as plain data: JSON's names and values, moments in UTC. Blocking; changes nothing.

    It sees the records as they are at its question, whatever is written meanwhile.

    Raises:
        RecordError: From every method: no records, damaged, of a newer version, or the disk failed.
    """

    def records(self, chosen: RecordFilter, limit: int) -> list[ListedRecord]:
        """The newest inspections, at most `limit`, newest first; with neither verdict nor reason they are in work.

        Raises:
            ConfigError: A verdict is asked for that is neither configured nor recorded.
        """

    def record(self, inspection_id: str) -> JsonObject:
        """Everything that is recorded of one inspection, with the type and the configuration that it was judged by.

        Args:
            inspection_id: The id, or a beginning that only one id has.

        Raises:
            RecordError: `record.unknown` when no id, or more than one, begins so.
        """

    def export(self, chosen: RecordFilter, form: Literal["csv", "json"]) -> Iterator[str]:
        """The inspections, oldest first, as pieces of one text: CSV of the flat columns, or JSON of whole records.

        Raises:
            ConfigError: A verdict is asked for that is neither configured nor recorded.
        """

    def alarms(self) -> list[JsonObject]:
        """The alarms on the list, the newest first."""

    def alarm_history(self, limit: int) -> list[JsonObject]:
        """All alarms that there ever were, at most `limit`, the newest first."""

    def stops(self, limit: int) -> list[JsonObject]:
        """Every time that the cell left Execute, at most `limit`, the newest first: when, for which state, and why."""
