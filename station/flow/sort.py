"""Step 6, sort: the decision becomes motion. The PLC has it, the jig stops, it is recorded, the robot lays it away."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from station.core.clock import Clock
from station.core.errors import RobotError
from station.core.judgement import Defect, Judgement, Published
from station.core.part import Inspection, Receipt
from station.core.ports.records import PartLedger
from station.core.timeline import Delivery, SettleTimes
from station.core.verdicts import Classes, Place


class Gear(Protocol):
    """What sorting may set in motion."""

    async def stop(self, inspection: Inspection | None) -> Receipt:
        """Bring the jig to a standstill."""

    async def unload(self, inspection: Inspection, destination: Place) -> Receipt:
        """Bring the part to its place."""


Publish = Callable[[Published], Awaitable[Delivery]]
Locate = Callable[[Judgement], Awaitable[tuple[Defect, ...]]]


async def settle(
    inspection: Inspection,
    judgement: Judgement,
    gear: Gear,
    publish: Publish,
    locate: Locate,
    ledger: PartLedger,
    clock: Clock,
) -> tuple[Judgement, SettleTimes]:
    """Publish and record the decision while the jig comes to rest; returns when all three are done.

    The PLC has the decision first: its request is on the wire before the stop is begun. Where the defects lie is found
    then, and the record follows; the robot is ordered only after it (by `lay_away`). The jig is stopped whether or not
    the line takes the decision.

    Args:
        inspection: Of the part.
        judgement: What was decided.
        gear: Jig and robot.
        publish: Sends the result to the PLC.
        locate: Finds the defects.
        ledger: The records.
        clock: Monotonic time.

    Returns:
        The judgement with its defects, as it is recorded, and when that was done.

    Raises:
        StationError: The jig does not stop, the record cannot be written, or the line is gone for good.
    """
    result = Published(inspection, judgement.decision, judgement.ms_after_last_line, None)
    stopping = asyncio.ensure_future(gear.stop(inspection))  # begins when publishing waits for the first time
    try:
        delivery = await publish(result)
        located = replace(judgement, defects=await locate(judgement))
        await ledger.judged(inspection, located)
        return located, SettleTimes(delivery, clock.monotonic_ns())
    finally:
        await stopping


async def lay_away(
    inspection: Inspection,
    judgement: Judgement,
    gear: Gear,
    publish: Publish,
    ledger: PartLedger,
    settled: SettleTimes,
    table: Classes,
) -> Place:
    """Have the robot bring the part to its place, close the record with the place it confirms, and publish that.

    Args:
        inspection: Of the part.
        judgement: What was decided.
        gear: Jig and robot.
        publish: Sends the result to the PLC.
        ledger: The records.
        settled: When the decision was published and recorded.
        table: Which places there are.

    Raises:
        RobotError: `robot.wrong_bin`: the robot confirms no place at all; the record stays open.
        StationError: The robot, the record or the line failed.
    """
    ordered = judgement.decision.destination
    receipt = await gear.unload(inspection, ordered)
    confirmed = table.place_of(receipt.confirmed)
    if confirmed is None:
        raise RobotError("robot.wrong_bin", f"ordered {ordered.name}, confirmed place code {receipt.confirmed}")
    await ledger.sorted(inspection, confirmed, settled)
    await publish(Published(inspection, judgement.decision, judgement.ms_after_last_line, confirmed))
    return confirmed


def check_place(ordered: Place, confirmed: Place) -> None:
    """Refuse a part that lies elsewhere than ordered.

    Raises:
        RobotError: `robot.wrong_bin`.
    """
    if confirmed != ordered:
        raise RobotError("robot.wrong_bin", f"ordered {ordered.name}, confirmed {confirmed.name}")
