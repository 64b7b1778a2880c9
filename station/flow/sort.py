"""Step 6: the decision becomes motion. The jig stops, the PLC and the record have it, the robot lays the part away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from station.core.errors import RobotError
from station.core.part import Destination, Inspection, Receipt
from station.core.ports import Evidence, PartLedger, Published


class Gear(Protocol):
    """What sorting may set in motion."""

    async def stop(self, inspection: Inspection | None) -> Receipt:
        """Bring the jig to a standstill."""

    async def unload(self, inspection: Inspection, destination: Destination) -> Receipt:
        """Bring the part to its place."""


Publish = Callable[[Published], Awaitable[None]]


async def settle(inspection: Inspection, evidence: Evidence, gear: Gear, publish: Publish, ledger: PartLedger) -> None:
    """Publish and record the decision while the jig comes to rest; returns when all three are done.

    The PLC has the decision first; the record follows; the robot is ordered only after both (by `lay_away`).

    Raises:
        StationError: The jig does not stop, the record cannot be written, or the line is gone for good.
    """
    stopping = asyncio.ensure_future(gear.stop(inspection))
    try:
        await publish(Published(inspection, evidence.decision, evidence.ms_after_last_line, None))
        await ledger.judged(inspection, evidence)
    finally:
        await stopping


async def lay_away(
    inspection: Inspection, evidence: Evidence, gear: Gear, publish: Publish, ledger: PartLedger
) -> Destination:
    """Have the robot bring the part to its place, close the record with the place it confirms, and publish that.

    Raises:
        RobotError: `robot.wrong_bin`: the robot confirms no place at all; the record stays open.
        StationError: The robot, the record or the line failed.
    """
    ordered = evidence.decision.destination
    receipt = await gear.unload(inspection, ordered)
    if receipt.confirmed not in set(Destination):
        raise RobotError("robot.wrong_bin", f"ordered {ordered.label}, confirmed place code {receipt.confirmed}")
    confirmed = Destination(receipt.confirmed)
    await ledger.sorted(inspection, confirmed)
    await publish(Published(inspection, evidence.decision, evidence.ms_after_last_line, confirmed))
    return confirmed


def check_place(ordered: Destination, confirmed: Destination) -> None:
    """Refuse a part that lies elsewhere than ordered.

    Raises:
        RobotError: `robot.wrong_bin`.
    """
    if confirmed is not ordered:
        raise RobotError("robot.wrong_bin", f"ordered {ordered.label}, confirmed {confirmed.label}")
