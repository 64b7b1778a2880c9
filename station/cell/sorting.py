"""Step 6, sort: the decision becomes motion. The PLC has it, the jig stops, it is recorded, the robot lays it away.

    decision ┬▶ line PLC ─▶ defects located ─▶ record ┬▶ room in the bin ─▶ robot ─▶ record closed ─▶ line PLC, counted
             └▶ jig stops ────────────────────────────┘

Every part that leaves the cell is closed here, those too that a stop has left in it, and here alone it is counted.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from station.cell.concluding import Judged
from station.cell.counters import Counters
from station.cell.delivery import LineResults
from station.cell.locating import Locator
from station.core.broadcast import Broadcast
from station.core.clock import Clock
from station.core.errors import RobotError
from station.core.events import PartLost, PartSorted, StepStarted
from station.core.judgement import Judgement, Published
from station.core.part import Decision, Inspection, Receipt
from station.core.ports.records import PartLedger
from station.core.reason import Reason
from station.core.recipe import Recipe
from station.core.timeline import Delivery, SettleTimes
from station.core.verdicts import Classes, Place

log = structlog.get_logger()


class Actuators(Protocol):
    """What sorting may set in motion."""

    async def stop(self, inspection: Inspection | None) -> Receipt:
        """Bring the jig to a standstill."""

    async def unload(self, inspection: Inspection, destination: Place) -> Receipt:
        """Bring the part to its place."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A judged part as it is recorded, its defects with it, and when the line PLC and the disk had it."""

    judged: Judged
    settled: SettleTimes


class Sorting:
    """Brings parts to their places, and closes their inspections.

    Args:
        actuators: Jig and robot.
        ledger: The records.
        results: What the line is told.
        locator: Finds the defects.
        counters: Where sorted parts are counted.
        clock: Monotonic time.
        broadcast: Tells of it.
        table: Which places there are.
    """

    def __init__(
        self,
        actuators: Actuators,
        ledger: PartLedger,
        results: LineResults,
        locator: Locator,
        counters: Counters,
        clock: Clock,
        broadcast: Broadcast,
        table: Classes,
    ) -> None:
        self._actuators = actuators
        self._ledger = ledger
        self._results = results
        self._locator = locator
        self._counters = counters
        self._clock = clock
        self._broadcast = broadcast
        self._table = table

    # ------------------------------------------------------------------ a part that was judged

    async def publish_and_record(self, inspection: Inspection, judged: Judged, recipe: Recipe) -> Recorded:
        """Publish and record the decision while the jig comes to rest; returns when all three are done.

        The PLC has the decision first: its request is on the wire before the stop is begun. Where the defects lie and
        what the scan shows beside the part is found then, and the record follows; the robot is ordered only after it
        (by `unload`). The jig is stopped whether or not the line takes the decision.

        Args:
            inspection: Of the part.
            judged: What was decided.
            recipe: What it was judged by.

        Raises:
            StationError: The jig does not stop, the record cannot be written, or the line is gone for good.
        """
        judgement = judged.judgement
        result = Published(inspection, judgement.decision, judgement.ms_after_last_line, None)
        stopping = asyncio.ensure_future(self._actuators.stop(inspection))  # begins when publishing first waits
        try:
            delivery = await self._deliver(result)
            defects = await self._locator.find(judgement, recipe)
            whole = replace(judgement, defects=defects, watched=judged.watching())
            await self._ledger.judged(inspection, whole)
            return Recorded(Judged(whole, judged.error), SettleTimes(delivery, self._clock.monotonic_ns()))
        finally:
            await stopping

    async def list_defects(self, inspection: Inspection, recorded: Recorded) -> None:
        """Show the line what was found on the part; nothing waits for that."""
        await self._results.list_defects(inspection, recorded.judged.judgement.defects)

    async def unload(self, inspection: Inspection, recorded: Recorded, started_ns: int) -> None:
        """Have the robot bring the part to its place, close the record with the place it confirms, and publish that.

        Args:
            inspection: Of the part.
            recorded: What was decided.
            started_ns: When the part's way through the cell began.

        Raises:
            RobotError: `robot.wrong_bin`: the robot confirms another place, or none at all; then the record stays open.
            StationError: The robot, the record or the line failed.
        """
        judgement = recorded.judged.judgement
        decision, late_ms = judgement.decision, judgement.ms_after_last_line
        await self._results.room_for(decision.destination)
        self._broadcast.tell(StepStarted(inspection, "unload"))
        confirmed = await self._lay_down(inspection, decision.destination)
        await self._close(Published(inspection, decision, late_ms, None), confirmed, recorded.settled)
        cycle_ms = (self._clock.monotonic_ns() - started_ns) / 1e6
        valid, defects, light = judgement.account.valid, judgement.defects, judgement.light
        self._count(PartSorted(inspection, decision, confirmed, late_ms, valid, cycle_ms, defects, light))
        _log_sorted(judgement, confirmed, cycle_ms)
        check_bin(decision.destination, confirmed)

    # ------------------------------------------------------------------ a part that a stop has left in the cell

    async def send_to_review(self, inspection: Inspection, decision: Decision, late_ms: float | None) -> None:
        """Publish a decision that is recorded, and bring the part to its place.

        Args:
            inspection: Of the part.
            decision: REVIEW, and why.
            late_ms: From the last line to what was decided before, or None.

        Raises:
            StationError: As for `unload`.
        """
        await self._results.publish(Published(inspection, decision, late_ms, None))
        await self._results.room_for(decision.destination)
        await self.close_recovered(inspection, decision, await self._lay_down(inspection, decision.destination))

    async def close_recovered(self, inspection: Inspection, decision: Decision, confirmed: Place) -> None:
        """Close the inspection of a part that lies in a place.

        Raises:
            RobotError: `robot.wrong_bin`: it is not the place that was decided on.
            StationError: The record or the line failed.
        """
        await self._close(Published(inspection, decision, None, None), confirmed)
        self._count(PartSorted(inspection, decision, confirmed, None, decision.fault is None, 0.0))
        log.warning("inspection_recovered", part_id=inspection.part.part_id, bin=confirmed.name)
        check_bin(decision.destination, confirmed)

    async def lose(self, inspection: Inspection, reason: Reason) -> None:
        """Close an inspection whose part a person must find.

        Raises:
            RecordError: It cannot be written.
        """
        await self._ledger.lost(inspection, reason.fault, reason.detail)
        self._broadcast.tell(PartLost(inspection, reason))
        log.warning("part_lost", part_id=inspection.part.part_id, detail=reason.detail)

    # ------------------------------------------------------------------ what both have in common

    async def _deliver(self, result: Published) -> Delivery:
        """Have the line take a decision; what was not told because of it is told now."""
        try:
            return await self._results.publish(result)
        finally:
            self._broadcast.release()

    async def _lay_down(self, inspection: Inspection, destination: Place) -> Place:
        """Have the robot bring the part to its place, and return the place that it confirms."""
        receipt = await self._actuators.unload(inspection, destination)
        confirmed = self._table.place_of(receipt.confirmed)
        if confirmed is None:
            detail = f"ordered {destination.name}, confirmed place code {receipt.confirmed}"
            raise RobotError("robot.wrong_bin", detail)
        return confirmed

    async def _close(self, result: Published, confirmed: Place, settled: SettleTimes | None = None) -> None:
        """Close the record with the confirmed place, and publish the result with it.

        That the line is to be told stands in the record from then on, until the line has acknowledged it.
        """
        try:
            await self._ledger.sorted(result.inspection, confirmed, settled)
        except BaseException:
            self._results.look_again()
            raise
        await self._results.publish(replace(result, confirmed=confirmed))

    def _count(self, event: PartSorted) -> None:
        """The one place where a part is counted."""
        self._counters.count(event.decision.verdict)
        self._broadcast.tell(event)


def check_bin(ordered: Place, confirmed: Place) -> None:
    """Refuse a part that lies elsewhere than ordered.

    Raises:
        RobotError: `robot.wrong_bin`.
    """
    if confirmed != ordered:
        raise RobotError("robot.wrong_bin", f"ordered {ordered.name}, confirmed {confirmed.name}")


def _log_sorted(judgement: Judgement, confirmed: Place, cycle_ms: float) -> None:
    """The one line of the log that says all about a part."""
    decision, late_ms = judgement.decision, judgement.ms_after_last_line
    log.info(
        "part_sorted",
        verdict=decision.verdict.name,
        algorithm1=decision.algorithm1.name if decision.algorithm1 is not None else None,
        reason=decision.fault.code if decision.fault is not None else None,
        confidence=round(decision.confidence, 4),
        novelty=None if decision.novelty is None else round(decision.novelty.score, 3),
        bin=confirmed.name,
        model=judgement.by.model.sha256[:12],
        decision_ms=None if late_ms is None else round(late_ms, 1),
        cycle_ms=round(cycle_ms),
    )
