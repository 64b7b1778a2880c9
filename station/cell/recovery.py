"""Taking up after a stop, a fault or a power loss: what was in flight is ended by a stated rule, once.

    the robot had its unload order        the order's own receipt closes the record with the confirmed place
    the part is on the jig, unjudged      it is scanned anew, under the same inspection
    the part is on the jig or in the      its verdict becomes REVIEW, and it goes there; also when it was judged before:
      gripper otherwise                     nobody saw what happened to it since
    the robot never took its load order   it is loaded and scanned, under the same inspection, if the PLC still
                                            announces and permits it; else it is closed as withdrawn
    the part is nowhere to be seen        the record is closed as lost, for a person to find it

What the PLC announces is compared in the last moment before the load (`station.cell.announcement`), as for every part:
here it may not even be connected. A robot that has no last order began anew and may have taken the load order before,
so a part that is not announced any more then counts as lost.

An order that may still be in the robot's hands is asked for by its number; asking moves nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
import structlog

from station.cell.motion import Motion
from station.core.errors import FAULTS, Fault, PartError, RobotError
from station.core.judgement import Journal, Published, Written
from station.core.part import Decision, Inspection
from station.core.ports.devices import RobotStatus
from station.core.ports.records import PartLedger
from station.core.timeline import Delivery
from station.core.verdicts import Classes, Place, Verdict
from station.flow.sort import check_place

log = structlog.get_logger()

NO_SCORES = np.zeros((0, 0), np.float32)


class Stage(Enum):
    """Where an inspection is taken up again."""

    LOAD = auto()
    LOAD_IN_DOUBT = auto()
    SCAN = auto()


@dataclass(frozen=True, slots=True)
class Resumed:
    """An inspection that goes on, and where."""

    inspection: Inspection
    stage: Stage


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of the newest inspection when the cell was cleared.

    Attributes:
        on_jig: A part sits in the chuck.
        in_gripper: The gripper holds one.
        taken: Number of the order that the robot had taken last; 0 for none since it began.
        given: The order that it was given last, or None.
    """

    on_jig: bool
    in_gripper: bool
    taken: int
    given: Written | None


NOT_FOUND = Found(on_jig=False, in_gripper=False, taken=0, given=None)
"""Of an inspection that others have followed."""


@dataclass(frozen=True, slots=True)
class Closed:
    """An inspection that recovery has closed; `confirmed` is None when its part was lost."""

    inspection: Inspection
    decision: Decision
    confirmed: Place | None


class Recovery:
    """Ends or takes up what was in flight.

    Args:
        motion: Jig and robot.
        ledger: What is written.
        publish: Sends a result to the PLC.
        room_for: Returns when a place can take a part.
        on_closed: Told of every inspection that recovery closes.
        table: Which verdicts and places there are.
        judged: Whether parts of the type of this name can be judged: the configuration may have lost it since.
    """

    def __init__(
        self,
        motion: Motion,
        ledger: PartLedger,
        publish: Callable[[Published], Awaitable[Delivery]],
        room_for: Callable[[Place], Awaitable[None]],
        on_closed: Callable[[Closed], None],
        table: Classes,
        judged: Callable[[str], bool],
    ) -> None:
        self._motion = motion
        self._ledger = ledger
        self._publish = publish
        self._room_for = room_for
        self._on_closed = on_closed
        self._table = table
        self._judged = judged

    async def clear(self) -> Resumed | None:
        """Bring jig and robot to rest and end what was in flight; what goes on is returned.

        Raises:
            StationError: A device failed, or a part that nobody knows is in the cell.
        """
        await self._motion.stand_still()
        _jig, before = await self._motion.look()
        given = await self._ledger.last_order("robot")
        await self._hear_out(before, given)
        await self._motion.home()
        jig, robot = await self._motion.look()
        unfinished = list(await self._ledger.open_inspections())
        if (jig.part_seated or robot.holding) and not unfinished:
            raise PartError("part.unexpected", "on the jig" if jig.part_seated else "in the gripper")
        found = Found(jig.part_seated and not robot.holding, robot.holding, before.last_order, given)
        resumed = None
        for inspection in unfinished:
            resumed = await self._end(inspection, found if inspection is unfinished[-1] else NOT_FOUND)
        return resumed

    async def _hear_out(self, robot: RobotStatus, last: Written | None) -> None:
        """Wait for the end of an order that the robot has taken and whose end nobody has written down."""
        if last is None or last.confirmed is not None or robot.last_order != last.order.number:
            return
        try:
            await self._motion.hear_out(last.order)
        except RobotError as error:
            await self._ledger.note("order_ended_badly", f"{last.order.verb} {last.order.number}: {error}")

    async def _end(self, inspection: Inspection, found: Found) -> Resumed | None:
        journal = await self._ledger.journal(inspection)
        unload = journal.robot_order("unload")
        confirmed = self._table.place_of(unload.confirmed or 0) if unload is not None else None
        if confirmed is not None and journal.decision is not None:
            await self._close(inspection, journal.decision, confirmed)
            return None
        stage = _stage(journal, found)
        if stage is not None and self._judged(inspection.part_type.name):
            return self._resume(inspection, stage)
        if found.on_jig or found.in_gripper:
            await self._send_to_review(inspection, journal)
        elif stage is Stage.LOAD:
            await self._withdraw(inspection)
        else:
            await self.lose(inspection, "neither on the jig nor in the gripper when the cell was cleared")
        return None

    async def _withdraw(self, inspection: Inspection) -> None:
        """Close what was not loaded, of a type that the configuration has no more."""
        detail = f"the type {inspection.part_type.name} is not configured any more"
        await self._ledger.withdrawn(inspection, FAULTS["part.unknown_type"], detail)
        log.warning("part_withdrawn", part_id=inspection.part.part_id, detail=detail)

    def _resume(self, inspection: Inspection, stage: Stage) -> Resumed:
        log.warning("inspection_resumed", part_id=inspection.part.part_id, stage=stage.name)
        return Resumed(inspection, stage)

    async def _send_to_review(self, inspection: Inspection, journal: Journal) -> None:
        fault = FAULTS["part.interrupted"]
        decision = review(self._table.review, fault, "left in the cell by a stop or a fault", journal.decision)
        await self._ledger.interrupted(inspection, fault, decision.detail)
        await self._publish(Published(inspection, decision, journal.ms_after_last_line, None))
        await self._room_for(decision.destination)
        receipt = await self._motion.unload(inspection, decision.destination)
        await self._close(inspection, decision, self._confirmed(decision.destination, receipt.confirmed))

    def _confirmed(self, ordered: Place, code: int) -> Place:
        place = self._table.place_of(code)
        if place is None:
            raise RobotError("robot.wrong_bin", f"ordered {ordered.name}, confirmed place code {code}")
        return place

    async def _close(self, inspection: Inspection, decision: Decision, confirmed: Place) -> None:
        await self._ledger.sorted(inspection, confirmed)
        await self._publish(Published(inspection, decision, None, confirmed))
        self._on_closed(Closed(inspection, decision, confirmed))
        log.warning("inspection_recovered", part_id=inspection.part.part_id, bin=confirmed.name)
        check_place(decision.destination, confirmed)

    async def lose(self, inspection: Inspection, detail: str) -> None:
        """Close an inspection whose part a person must find."""
        fault = FAULTS["part.interrupted"]
        await self._ledger.lost(inspection, fault, detail)
        self._on_closed(Closed(inspection, review(self._table.review, fault, detail), None))
        log.warning("part_lost", part_id=inspection.part.part_id, detail=detail)


def _stage(journal: Journal, found: Found) -> Stage | None:
    """Where an inspection can be taken up; None for one that cannot."""
    if found.on_jig or found.in_gripper:
        return Stage.SCAN if found.on_jig and journal.decision is None else None
    return None if found is NOT_FOUND else _stage_at_the_infeed(journal, found)


def _stage_at_the_infeed(journal: Journal, found: Found) -> Stage | None:
    """How a part is loaded that has not left the infeed, as far as is known; None for one that has.

    That the robot never took the load order is proven only by an older one that it took last.
    """
    load = journal.robot_order("load")
    if journal.decision is not None:
        return None
    if load is None:
        return Stage.LOAD
    if load.confirmed is not None or load.order.number == found.taken:
        return None
    return Stage.LOAD if found.taken and load == found.given else Stage.LOAD_IN_DOUBT


def review(verdict: Verdict, fault: Fault, detail: str, judged: Decision | None = None) -> Decision:
    """The decision that sends a part to people; what was judged before stays in it.

    Args:
        verdict: REVIEW of the configured table.
        fault: Why.
        detail: What was found.
        judged: What was decided before, or None.
    """
    if judged is None:
        return Decision(verdict, None, fault, detail, 0.0, None, 0, NO_SCORES)
    return Decision(
        verdict, judged.algorithm1, fault, detail, judged.confidence, judged.deciding_patch,
        judged.defect_patches, judged.probabilities,
    )  # fmt: skip
