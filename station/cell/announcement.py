"""Taking a part on: accepted and loaded only while the line PLC announces and permits it.

    announced ─▶ camera prepared ─▶ compared ─▶ accepted ─▶ order written down ─▶ looked at anew, compared ─▶ loaded
                                        └────────────────────────────────────────────────────┴─▶ withdrawn: given back

What was announced may be gone when the cell has got ready: a camera that is opened again, or a PLC that is away, takes
minutes. So number, id, type, permission and health are compared before the part is accepted, as the PLC was heard last,
and again in the last moment before the order goes out, as it is heard then: after the acceptance, after the guards,
after the written intent. From then on the part is the robot's, and cannot be withdrawn: what is left is the time of one
request to the robot. A PLC that changes nothing once it has seen its part accepted leaves none.
"""

import structlog

from station.cell.delivery import LineResults
from station.cell.motion import Motion
from station.cell.sorting import Sorting
from station.cell.stage import Stage
from station.core.broadcast import Broadcast
from station.core.errors import FAULTS, PartError, PlcError
from station.core.events import PartWithdrawn, StepStarted
from station.core.part import Announcement, Inspection
from station.core.ports.line import LineView, PartFeed
from station.core.ports.records import PartLedger
from station.core.reason import Reason

log = structlog.get_logger()


class Intake:
    """The way of a part from its announcement onto the jig.

    Args:
        feed: What announces, and permits.
        results: Waits for the line while it is away.
        motion: Loads.
        ledger: Where a withdrawn part is closed.
        sorting: Closes a part that is lost.
        broadcast: Tells of it.
    """

    def __init__(
        self,
        feed: PartFeed,
        results: LineResults,
        motion: Motion,
        ledger: PartLedger,
        sorting: Sorting,
        broadcast: Broadcast,
    ) -> None:
        self._feed = feed
        self._results = results
        self._motion = motion
        self._ledger = ledger
        self._sorting = sorting
        self._broadcast = broadcast

    async def take_on(self, inspection: Inspection, stage: Stage) -> bool:
        """Accept the part and have it loaded; False where it was withdrawn: then its inspection is closed.

        Raises:
            StationError: A guard refused, the robot failed, a record cannot be written, or the cell is being stopped
                before the line is back.
        """
        try:
            await self._results.deliver(lambda: self._accept(inspection))
            self._broadcast.tell(StepStarted(inspection, "load"))
            await self._load(inspection)
        except PartError as error:
            await self._give_back(inspection, stage, Reason.of(error))
            return False
        return True

    async def _accept(self, inspection: Inspection) -> None:
        """Tell the PLC that the part is the station's, if it still announces and permits it."""
        _compare(inspection.part, self._feed.view)
        await self._feed.accept(inspection)

    async def _load(self, inspection: Inspection) -> None:
        """Bring the accepted part onto the jig, if the PLC still announces and permits it.

        A line that is away is waited for, in Suspended, where nothing may move; when it is back the guards and the
        comparison come anew, so that nothing is old when the order goes out.
        """
        while True:
            try:
                await self._motion.load(inspection, lambda: self._compare_now(inspection.part))
            except PlcError as error:
                await self._results.ride_out(error)
            else:
                return

    async def _compare_now(self, part: Announcement) -> None:
        _compare(part, await self._feed.read_now())

    async def _give_back(self, inspection: Inspection, stage: Stage, reason: Reason) -> None:
        """Close what is not to be loaded any more.

        The part counts as lost where the robot may have it all the same, and the PLC does not show it as waiting. The
        PLC has it back first: after a power loss between the two it is looked at once more, and not forgotten.
        """
        await self._feed.give_back(inspection)
        if stage is Stage.LOAD_IN_DOUBT and self._feed.view.announced != inspection.part:
            detail = f"the robot may have taken it before it began anew; {reason.detail}"
            await self._sorting.lose(inspection, Reason(FAULTS["part.interrupted"], detail))
            return
        await self._ledger.withdrawn(inspection, reason.fault, reason.detail)
        self._broadcast.tell(PartWithdrawn(inspection, reason))
        log.warning("part_withdrawn", fault=reason.fault.code, detail=reason.detail)


def _compare(part: Announcement, view: LineView) -> None:
    """Refuse a part that the PLC does not announce and permit.

    Raises:
        PartError: `part.withdrawn`.
        PlcError: The PLC cannot be believed.
    """
    if view.fault is not None and view.fault is not FAULTS["part.bad_id"]:
        raise PlcError(view.fault.code, f"when {part.part_id} was to be taken on")
    if view.announced != part:
        raise PartError("part.withdrawn", f"taken on was {part}; announced is {view.announced or 'nothing'}")
    if not view.permission:
        raise PartError("part.withdrawn", f"{part} is announced, the permission was withdrawn")
