"""Taking a part on: accepted and loaded only while the line PLC announces and permits it.

    announced ─▶ camera prepared ─▶ compared ─▶ accepted ─▶ order written down ─▶ looked at anew, compared ─▶ loaded

What was announced may be gone when the cell has got ready: a camera that is opened again, or a PLC that is away, takes
minutes. So number, id, type, permission and health are compared before the part is accepted, as the PLC was heard last,
and again in the last moment before the order goes out, as it is heard then: after the acceptance, after the guards,
after the written intent. From then on the part is the robot's, and cannot be withdrawn: what is left is the time of one
request to the robot. A PLC that changes nothing once it has seen its part accepted leaves none.
"""

from station.cell.line import Line
from station.cell.motion import Motion
from station.core.errors import FAULTS, PartError, PlcError
from station.core.part import Announcement, Inspection
from station.core.ports.line import LinePlc


class Intake:
    """The way of a part from its announcement onto the jig.

    Args:
        plc: What announces, and permits.
        line: Waits for it while it is away.
        motion: Loads.
    """

    def __init__(self, plc: LinePlc, line: Line, motion: Motion) -> None:
        self._plc = plc
        self._line = line
        self._motion = motion

    async def accept(self, inspection: Inspection) -> None:
        """Tell the PLC that the part is the station's, if it still announces and permits it.

        Raises:
            PartError: `part.withdrawn`: it does not.
            PlcError: The cell is being stopped before the line is back.
        """
        await self._line.deliver(lambda: self._accept(inspection))

    async def load(self, inspection: Inspection) -> None:
        """Bring the accepted part onto the jig, if the PLC still announces and permits it.

        A line that is away is waited for, in Suspended, where nothing may move; when it is back the guards and the look
        come anew, so that nothing is old when the order goes out.

        Raises:
            PartError: `part.withdrawn`: it does not, and no order went out.
            StationError: As for `Motion.load`; the cell is being stopped before the line is back.
        """
        while True:
            try:
                await self._motion.load(inspection, lambda: self._look_again(inspection))
            except PlcError as error:
                await self._line.ride_out(error)
            else:
                return

    async def _accept(self, inspection: Inspection) -> None:
        self._compare(inspection.part)
        await self._plc.accept(inspection)

    async def _look_again(self, inspection: Inspection) -> None:
        await self._plc.look()
        self._compare(inspection.part)

    def _compare(self, part: Announcement) -> None:
        fault = self._plc.health()
        if fault is not None and fault is not FAULTS["part.bad_id"]:
            raise PlcError(fault.code, f"when {part.part_id} was to be taken on")
        shown = self._plc.announced()
        if shown != part:
            raise PartError("part.withdrawn", f"taken on was {part}; announced is {shown or 'nothing'}")
        if not self._plc.permission():
            raise PartError("part.withdrawn", f"{part} is announced, the permission was withdrawn")
