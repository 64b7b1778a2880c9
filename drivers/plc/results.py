"""What the cell tells the line PLC: results, each with a number of its own, the list of defects, and reports."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog

from drivers.modbus.heartbeat import beat_after
from drivers.modbus.register_map import Value
from drivers.plc.defect_list import DefectList
from drivers.plc.inbox import PlcInbox
from drivers.plc.outbox import PlcOutbox
from drivers.plc.values import report_values, result_values
from drivers.plc.writer import BlockWriter
from station.core.clock import Clock
from station.core.errors import FAULTS, PlcError
from station.core.judgement import Defect, Published
from station.core.part import Inspection
from station.core.ports.line import CellReport
from station.core.pulse import Pulse
from station.core.timeline import Delivery

log = structlog.get_logger(__name__)

NOT_HEARD = (FAULTS["plc.unreachable"], FAULTS["plc.wrong_map"])
"""With these nothing that the PLC has said is known; one whose heart stands still has said it all the same."""
_Identity = tuple[int, int]
"""Number of an inspection, and the place where its part lies: what tells one result from another."""
_NOBODY: _Identity = (0, 0)


class ModbusResults:
    """The port `ResultSink`.

    Args:
        inbox: What was heard.
        outbox: The station's block.
        defects: The list of the last part's defects.
        writer: Of both.
        clock: What deliveries are timed with.
        taken_within_s: Deadline for the PLC's acknowledgement of a result.
    """

    def __init__(
        self,
        inbox: PlcInbox,
        outbox: PlcOutbox,
        defects: DefectList,
        writer: BlockWriter,
        clock: Clock,
        taken_within_s: float,
    ) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._defects = defects
        self._writer = writer
        self._clock = clock
        self._taken_within_s = taken_within_s
        self._pulse = Pulse()
        self._publishing = asyncio.Lock()
        self._in_doubt: tuple[int, Mapping[str, Value]] | None = None
        self._told: tuple[_Identity, int] = (_NOBODY, 0)
        self._heard = False
        self._lists = True

    async def report(self, report: CellReport) -> None:
        """Publish the state of the cell; when that fails, the next connection publishes it."""
        await self._writer.write(report_values(report))

    async def publish(self, result: Published) -> Delivery:
        """Write the result block with its number last, once the PLC has acknowledged the result before.

        Block and number go in one request. The number is the block's last register and the words of a request are
        stored in the order of their addresses, so the number still comes last; a request is taken whole or not at
        all; and a PLC that serves one request in each of its cycles, as most do, has the result one cycle earlier.
        Source: MODBUS Application Protocol V1.1b3, section 6.12: the answer comes after the registers were written.

        A result whose sending got no answer is in doubt: the same one keeps its number when it is sent again, and is
        not sent again when it was acknowledged meanwhile. Where a part lies keeps its number too, also one that stands
        in the PLC's registers from before the station's start and waits for its acknowledgement. With a number that was
        acknowledged it is told anew: a station that ended while it wrote its block has left it beside the number of
        the result before.
        """
        values = result_values(result)
        async with self._publishing:
            self._require_heard()
            if (known := self._number_of_place(values)) and not self._is_in_doubt(values):
                self._told = _identity(values), known
                now_ns = self._clock.monotonic_ns()
                return Delivery(now_ns, now_ns)
            number = await self._number_for(values)
            self._in_doubt = (number, values)
            sent_ns = self._clock.monotonic_ns()
            if self._outbox.last_taken != number:  # only a number that was in doubt can have been taken
                await self._writer.write({**values, "result_sequence": number})
            self._in_doubt = None
            self._told = _identity(values), number
            return Delivery(sent_ns, self._clock.monotonic_ns())

    async def confirm(self, result: Published) -> None:
        """Publish where a part lies, unless that is done, and return when the PLC has acknowledged it.

        Whatever is published after it waits for its acknowledgement, so that a later number says the same.
        """
        await self.publish(result)
        number = self._number_of_place(result_values(result))
        await self._acknowledgement(
            lambda: number in (self._outbox.last_taken, 0) or self._outbox.last_result != number
        )

    async def list_defects(self, inspection: Inspection, defects: Sequence[Defect]) -> None:
        """Show the severest defects of a part whose result was published; when that fails, the next connection does."""
        runs = self._defects.put(inspection, defects)
        try:
            await self._writer.write_list(runs)
        except PlcError as error:
            if self._lists:
                log.warning("defects_not_listed", code=error.code, detail=error.detail)
            self._lists = False
        else:
            self._lists = True

    def notice(self) -> None:
        """Take what the PLC says to have read last; whoever waits for that is woken."""
        self._heard = self._heard or self._inbox.trust.fault not in NOT_HEARD
        before = self._outbox.awaits_acknowledgement
        self._outbox.hear_acknowledgement(self._acknowledged)
        if before != self._outbox.awaits_acknowledgement:
            self._pulse.beat()

    @property
    def _acknowledged(self) -> int:
        """Number of the result that the PLC has read last; 0 for none, or from a wrong map."""
        wrong = self._inbox.trust.fault is FAULTS["plc.wrong_map"]
        return 0 if wrong else self._inbox.block.number("result_acknowledged")

    async def _number_for(self, values: Mapping[str, Value]) -> int:
        if self._in_doubt is not None and self._is_in_doubt(values):
            return self._in_doubt[0]
        await self._acknowledgement(lambda: not self._outbox.awaits_acknowledgement)
        return beat_after(self._outbox.last_result or self._acknowledged)

    def _require_heard(self) -> None:
        """Refuse to give a number before the PLC has told, once, which it has read last.

        Raises:
            PlcError: It was not heard since the station's start, or has another map.
        """
        if not self._heard:
            fault = self._inbox.trust.fault or FAULTS["plc.unreachable"]
            raise PlcError(fault.code, "which result it has read last is not known yet")

    def _is_in_doubt(self, values: Mapping[str, Value]) -> bool:
        """Whether nobody knows if this result has arrived."""
        if self._in_doubt is None:
            return False
        before = self._in_doubt[1]
        return before == values or (bool(values["confirmed_bin"]) and _identity(before) == _identity(values))

    def _number_of_place(self, values: Mapping[str, Value]) -> int:
        """The number under which it was published where this part lies; 0 for none, or a part that lies nowhere yet."""
        if not values["confirmed_bin"]:
            return 0
        standing = self._outbox.number("inspection_number"), self._outbox.number("confirmed_bin")
        if self._told[0] == _identity(values):
            return self._told[1]
        waits = self._outbox.awaits_acknowledgement and standing == _identity(values)
        return self._outbox.number("result_sequence") if waits else 0

    async def _acknowledgement(self, come: Callable[[], bool]) -> None:
        """Return when this holds, which an acknowledgement brings about.

        Raises:
            PlcError: Not in time.
        """
        try:
            async with asyncio.timeout(self._taken_within_s):
                while not come():
                    await self._pulse.changed()
        except TimeoutError:
            fault = self._inbox.trust.fault or FAULTS["plc.result_not_taken"]
            detail = f"result {self._outbox.last_result} is not acknowledged after {self._taken_within_s:g} s"
            raise PlcError(fault.code, detail) from None


def _identity(values: Mapping[str, Value]) -> _Identity:
    return int(values["inspection_number"]), int(values["confirmed_bin"])
