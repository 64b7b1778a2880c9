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

import structlog

from station.cell.concluding import review
from station.cell.motion import Motion
from station.cell.sorting import Sorting
from station.cell.stage import NOT_FOUND, Found, Resumed, Stage, stage_of
from station.core.errors import FAULTS, PartError, RobotError
from station.core.judgement import Journal, Written
from station.core.part import Inspection
from station.core.ports.devices import RobotStatus
from station.core.ports.records import PartLedger
from station.core.reason import Reason
from station.core.recipe import Recipes
from station.core.verdicts import Classes

log = structlog.get_logger()

INTERRUPTED = FAULTS["part.interrupted"]


class Recovery:
    """Ends or takes up what was in flight.

    Args:
        motion: Jig and robot.
        ledger: What is written.
        sorting: Brings parts to their places, and closes their inspections.
        recipes: Which types can be judged: the configuration may have lost one since.
        table: Which verdicts and places there are.
    """

    def __init__(self, motion: Motion, ledger: PartLedger, sorting: Sorting, recipes: Recipes, table: Classes) -> None:
        self._motion = motion
        self._ledger = ledger
        self._sorting = sorting
        self._recipes = recipes
        self._table = table

    async def clear(self) -> Resumed | None:
        """Bring jig and robot to rest and end what was in flight; what goes on is returned.

        Raises:
            StationError: A device failed, or a part that nobody knows is in the cell.
        """
        await self._motion.stand_still()
        _jig, before = await self._motion.look()
        given = await self._ledger.last_order("robot")
        await self._await_order_end(before, given)
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

    async def _await_order_end(self, robot: RobotStatus, last: Written | None) -> None:
        """Wait for the end of an order that the robot has taken and whose end nobody has written down."""
        if last is None or last.confirmed is not None or robot.last_order != last.order.number:
            return
        try:
            await self._motion.await_order_end(last.order)
        except RobotError as error:
            await self._ledger.note("order_ended_badly", f"{last.order.verb} {last.order.number}: {error}")

    async def _end(self, inspection: Inspection, found: Found) -> Resumed | None:
        journal = await self._ledger.journal(inspection)
        unload = journal.robot_order("unload")
        confirmed = self._table.place_of(unload.confirmed or 0) if unload is not None else None
        if confirmed is not None and journal.decision is not None:
            await self._sorting.close_recovered(inspection, journal.decision, confirmed)
            return None
        stage = stage_of(journal, found)
        if stage is not None and self._recipes.named(inspection.part_type.name) is not None:
            log.warning("inspection_resumed", part_id=inspection.part.part_id, stage=stage.name)
            return Resumed(inspection, stage)
        if found.on_jig or found.in_gripper:
            await self._send_to_review(inspection, journal)
        elif stage is Stage.LOAD:
            await self._withdraw(inspection)
        else:
            detail = "neither on the jig nor in the gripper when the cell was cleared"
            await self._sorting.lose(inspection, Reason(INTERRUPTED, detail))
        return None

    async def _withdraw(self, inspection: Inspection) -> None:
        """Close what was not loaded, of a type that the configuration has no more."""
        detail = f"the type {inspection.part_type.name} is not configured any more"
        await self._ledger.withdrawn(inspection, FAULTS["part.unknown_type"], detail)
        log.warning("part_withdrawn", part_id=inspection.part.part_id, detail=detail)

    async def _send_to_review(self, inspection: Inspection, journal: Journal) -> None:
        reason = Reason(INTERRUPTED, "left in the cell by a stop or a fault")
        await self._ledger.interrupted(inspection, reason.fault, reason.detail)
        decision = review(self._table.review, reason, journal.decision)
        await self._sorting.send_to_review(inspection, decision, journal.ms_after_last_line)
