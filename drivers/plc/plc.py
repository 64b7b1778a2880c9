"""The line PLC behind its register map, in both roles: what does not depend on who serves the registers."""

import asyncio
import time
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from drivers.modbus.register_map import RegisterMap, Value
from drivers.plc.client import PlcClient
from drivers.plc.defect_list import DefectList
from drivers.plc.inbox import NOTHING, PlcInbox
from drivers.plc.outbox import PlcOutbox, acknowledgement_values, answer_values, report_values, result_values
from drivers.plc.server import PlcServer
from station.core.errors import FAULTS, Fault, PlcError
from station.core.judgement import Defect, Published
from station.core.part import Announcement, Inspection
from station.core.ports.line import Acknowledgement, CellReport, LineCommand
from station.core.settings import PlcSettings
from station.core.timeline import Delivery
from station.core.verdicts import Classes, Place

log = structlog.get_logger(__name__)


def make_plc(
    settings: PlcSettings, registers: RegisterMap, table: Classes, accepted: Announcement | None = None
) -> "ModbusPlc":
    """The line PLC in its configured role.

    Args:
        settings: Role, address and deadlines.
        registers: Its map.
        table: Which places there are.
        accepted: What the station accepted last, which is not offered again. A PLC with its own registers tells its
            number itself; the station's server has forgotten it at a restart.
    """
    return ModbusPlc(settings, registers, table, accepted)


class ModbusPlc:
    """The port `LinePlc` over Modbus.

    Args:
        settings: Role, address and deadlines.
        registers: As for `make_plc`.
        table: As for `make_plc`.
        accepted: As for `make_plc`.
    """

    def __init__(
        self, settings: PlcSettings, registers: RegisterMap, table: Classes, accepted: Announcement | None = None
    ) -> None:
        self._settings = settings
        self._inbox = PlcInbox(registers, settings.stale_after_s, table.places)
        self._outbox = PlcOutbox(registers)
        self._defects = DefectList(registers, table)
        self._lists = True
        self._inbox.take_on(accepted or NOTHING)
        self._accepted_before = NOTHING
        self._outbox.put({"accepted_part": self._inbox.accepted.sequence})
        self._peer: PlcClient | PlcServer
        if settings.role == "client":
            self._peer = PlcClient(
                settings.link,
                registers,
                self._inbox,
                self._outbox,
                self._defects if settings.defect_list else None,
                self._on_heard,
                settings.heartbeat_s,
            )
        else:
            self._peer = PlcServer(settings, registers, self._inbox, self._outbox, self._defects, self._on_heard)
        self._pulse = asyncio.Event()
        self._view: tuple[object, ...] = ()
        self._beating: asyncio.Task[None] | None = None
        self._stale_timer: asyncio.TimerHandle | None = None
        self._beaten = asyncio.Event()
        self._to_tell = asyncio.Event()
        self._publishing = asyncio.Lock()
        self._in_doubt: tuple[int, Mapping[str, Value]] | None = None

    @property
    def port(self) -> int:
        """TCP port: the PLC's, or the one that the station's server has got."""
        return self._peer.port

    async def connect(self) -> None:
        """Connect or listen, and show the station's heartbeat; harmless when that is done.

        As client this waits for a beat of the PLC, at most until it counts as stale.

        Raises:
            PlcError: `unreachable`, `wrong_map`; `port_in_use`, `port_not_permitted`, `cannot_listen`; nothing is left
                running.
        """
        if self._beating:
            return
        try:
            await self._peer.open()
        except PlcError as error:
            self._inbox.link_fault = error.fault
            self._notice()
            raise
        self._beating = asyncio.create_task(self._beat(), name="plc heartbeat")
        self._beating.add_done_callback(self._on_beating_ended)
        if self._settings.role == "client":
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.stale_after_s):
                    while self._inbox.line_fault() is FAULTS["plc.stale"]:
                        await self.changed()

    def permission(self) -> bool:
        """Whether the cell may take on another part: permission given and the heartbeat alive."""
        return self.health() is not FAULTS["station.bug"] and self._inbox.permission()

    def health(self) -> Fault | None:
        """What is wrong with the line, or None."""
        if self._beating and (self._beating.done() or not self._peer.running):
            return FAULTS["station.bug"]
        return self._inbox.health() or self._peer.fault

    def changed(self) -> Coroutine[Any, Any, None]:
        """Return when anything that the PLC says has changed since this call, its health included."""
        return _wait(self._pulse)

    def waiting_part(self) -> Announcement | None:
        """The announced part that was not yet accepted, or None."""
        return self._inbox.waiting_part()

    def announced(self) -> Announcement | None:
        """What the PLC shows as waiting, accepted or not; None for nothing that can be used."""
        return self._inbox.announced()

    async def look(self) -> None:
        """Return when all that the PLC says was said after this call.

        A PLC that writes into the station's server has said nothing newer than what lies there, as long as it is there:
        its next beat shows that.
        """
        if isinstance(self._peer, PlcClient):
            await self._peer.look()
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.stale_after_s):
                    await self._beaten.wait()
        fault = self.health()
        if fault is not None and fault is not FAULTS["part.bad_id"]:
            raise PlcError(fault.code, "when the announcement was looked at again")

    def full_bins(self) -> frozenset[Place]:
        """The places that can take no more parts, as the PLC tells; none while it is not believed."""
        return self._inbox.full_bins()

    def next_command(self) -> LineCommand | None:
        """The oldest command that was not yet answered, or None."""
        return self._inbox.commands[0] if self._inbox.commands else None

    async def answer(self, command: LineCommand, refused: Fault | None) -> None:
        """Tell the PLC that a command was taken (None) or refused."""
        await self._write(answer_values(command.sequence, refused))
        if command in self._inbox.commands:
            self._inbox.commands.remove(command)
        self._notice()

    def next_acknowledgement(self) -> Acknowledgement | None:
        """The oldest acknowledgement of an alarm that was not yet answered, or None."""
        return self._inbox.acknowledgements[0] if self._inbox.acknowledgements else None

    async def answer_acknowledgement(self, acknowledgement: Acknowledgement, refused: Fault | None) -> None:
        """Tell the PLC that an acknowledgement was taken (None) or refused."""
        await self._write(acknowledgement_values(acknowledgement.sequence, refused))
        if acknowledgement in self._inbox.acknowledgements:
            self._inbox.acknowledgements.remove(acknowledgement)
        self._notice()

    async def accept(self, inspection: Inspection) -> None:
        """Tell the PLC that the announced part is now the station's; when that fails, the part is offered again."""
        before = self._outbox.number("accepted_part")
        try:
            await self._write({"accepted_part": inspection.part.sequence})
        except BaseException:
            self._outbox.put({"accepted_part": before})
            raise
        if self._inbox.accepted.sequence != inspection.part.sequence:
            self._accepted_before = self._inbox.accepted
        self._inbox.take_on(inspection.part)
        self._notice()

    async def give_back(self, inspection: Inspection) -> None:
        """Show again what was accepted before this part; when that fails, the next connection shows it."""
        if self._inbox.accepted.sequence == inspection.part.sequence:
            self._inbox.give_back(self._accepted_before)
            self._accepted_before = NOTHING
            await self._tell({"accepted_part": self._inbox.accepted.sequence})
            self._notice()

    async def report(self, report: CellReport) -> None:
        """Publish the state of the cell; when that fails, the next connection publishes it."""
        await self._write(report_values(report))

    async def publish(self, result: Published) -> Delivery:
        """Write the result block with its number last, once the PLC has acknowledged the result before.

        Block and number go in one request. The number is the block's last register and the words of a request are
        stored in the order of their addresses, so the number still comes last; a request is taken whole or not at
        all; and a PLC that serves one request in each of its cycles, as most do, has the result one cycle earlier.
        Source: MODBUS Application Protocol V1.1b3, section 6.12: the answer comes after the registers were written.
        """
        values = result_values(result)
        async with self._publishing:
            if self._in_doubt is None or self._in_doubt[1] != values:
                await self._result_before_is_taken()
                last = self._outbox.last_result or self._inbox.acknowledged_result
                self._in_doubt = None
            else:
                last = self._in_doubt[0] - 1
                if self._outbox.last_taken == self._in_doubt[0]:
                    return self._arrived()
            number = last % 0xFFFF + 1
            self._in_doubt = (number, values)
            sent_ns = time.monotonic_ns()
            await self._write({**values, "result_sequence": number})
            self._in_doubt = None
            return Delivery(sent_ns, time.monotonic_ns())

    async def list_defects(self, inspection: Inspection, defects: Sequence[Defect]) -> None:
        """Show the severest defects of a part whose result was published; when that fails, the next connection does."""
        runs = self._defects.put(inspection, defects)
        try:
            await self._peer.write_list(runs)
        except PlcError as error:
            if self._lists:
                log.warning("defects_not_listed", code=error.code, detail=error.detail)
            self._lists = False
        else:
            self._lists = True

    def _arrived(self) -> Delivery:
        """The delivery of a result whose sending got no answer and which the PLC has acknowledged since."""
        self._in_doubt = None
        now_ns = time.monotonic_ns()
        return Delivery(now_ns, now_ns)

    async def close(self) -> None:
        """Disconnect."""
        beating, self._beating = self._beating, None
        if beating:
            beating.cancel()
            await asyncio.wait([beating])
        if self._stale_timer:
            self._stale_timer.cancel()
        await self._peer.close()
        self._inbox.link_fault = FAULTS["plc.unreachable"]
        self._notice()

    async def _write(self, values: Mapping[str, Value]) -> None:
        await self._peer.write(self._outbox.put(values))

    async def _result_before_is_taken(self) -> None:
        try:
            async with asyncio.timeout(self._settings.result_timeout_s):
                while self._outbox.awaits_acknowledgement:
                    await self.changed()
        except TimeoutError:
            number = self._outbox.last_result
            fault = self._inbox.line_fault() or FAULTS["plc.result_not_taken"]
            detail = f"result {number} is not acknowledged after {self._settings.result_timeout_s:g} s"
            raise PlcError(fault.code, detail) from None

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            try:
                async with asyncio.timeout_at(due):
                    await self._to_tell.wait()
            except TimeoutError:
                due = loop.time() + self._settings.heartbeat_s
                await self._tell({"heartbeat": self._outbox.number("heartbeat") % 0xFFFF + 1})
            self._to_tell.clear()
            if self._inbox.accepted_forgotten:
                self._inbox.accepted_forgotten = False
                await self._tell({"accepted_part": self._inbox.accepted.sequence})

    async def _tell(self, values: Mapping[str, Value]) -> None:
        """Write what the next connection writes anyway."""
        try:
            await self._write(values)
        except PlcError as error:
            log.debug("plc_not_told", code=error.code, detail=error.detail)

    def _on_heard(self, said: Sequence[int] | PlcError) -> None:
        if isinstance(said, PlcError):
            self._inbox.link_fault = said.fault
        else:
            self._on_words(said)
        if self._inbox.accepted_forgotten:
            self._to_tell.set()
        self._notice()

    def _on_words(self, words: Sequence[int]) -> None:
        if self._inbox.hear(words):
            self._beaten.set()
            self._beaten = asyncio.Event()
            if self._stale_timer:
                self._stale_timer.cancel()
            loop = asyncio.get_running_loop()
            self._stale_timer = loop.call_later(self._settings.stale_after_s, self._notice)
        self._outbox.hear_acknowledgement(self._inbox.acknowledged_result)

    def _on_beating_ended(self, beating: asyncio.Task[None]) -> None:
        if not beating.cancelled():
            log.error("plc_heartbeat_ended", error=repr(beating.exception()))
            self._notice()

    def _notice(self) -> None:
        """Wake whoever waits for a change, if there is one."""
        health, commands = self.health(), tuple(self._inbox.commands)
        said = (self.waiting_part(), self.full_bins(), commands, self._inbox.acknowledged_result)
        view = (health, self.permission(), *said, tuple(self._inbox.acknowledgements))
        if view == self._view:
            return
        if not self._view or health != self._view[0]:
            log.info("line_health_changed", fault=health and health.code)
        self._view = view
        self._pulse.set()
        self._pulse = asyncio.Event()


async def _wait(pulse: asyncio.Event) -> None:
    await pulse.wait()
