"""The simulated line PLC: announces parts, gives permission, checks and acknowledges results, sends commands.

One block of registers, one program. As a server the block lies here and the station reads and writes it; as a client
the program copies the station's half in and its own half out.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from drivers.modbus.register_map import Kind, RegisterMap, Value
from sim.breakage import Breakage
from sim.devices.bank import RegisterBank, beat
from sim.faults import Moment
from sim.modbus.tcp_master import LinkError, TcpMaster
from station.core.clock import Clock
from station.core.settings import TcpLink

RECONNECT_S = 0.2
BLANKS, NO_TYPE = "    ", 65535
NO_PART: dict[str, Value] = {"next_part_id": "", "next_part_type": 0, "part_sequence": 0}
ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104

ResultReader = Callable[[int, str], None]
"""Told of every result that the program has read: its number, and the decision or what is wrong with it."""


@dataclass(slots=True)
class _Announced:
    """The part that was announced last; it waits until the station has accepted it."""

    part_id: str
    type_code: int
    waits: bool = True


class PlcDevice:
    """The PLC's registers and its program; a Modbus slave in the role of the server.

    Args:
        registers: The PLC's map.
        clock: For its heartbeat, and for numbers that differ from those before a restart.
        tell_result: Called with every result.
        broken: What is broken in the cell.
    """

    def __init__(
        self, registers: RegisterMap, clock: Clock, tell_result: ResultReader, broken: Breakage | None = None
    ) -> None:
        self._broken = broken or Breakage()
        self._map = registers
        self._bank = RegisterBank(registers)
        self._clock = clock
        self._tell_result = tell_result
        start = int(clock.now().timestamp()) & 0xFFFF
        self._part_sequence = self._command_sequence = self._ack_sequence = start
        self._result_seen = 0
        self._part: _Announced | None = None
        self._stopped = False
        self._begins = False
        self.permit("given")

    def now(self) -> Mapping[str, Value]:
        """All of its registers by name, as they stand."""
        return self._bank.values()

    # ---- what happens to it ----

    def stop(self) -> None:
        """Its program stops and every register is 0; as a server it still answers."""
        self._stopped = True
        self._bank.clear()

    def run(self) -> None:
        """Its program begins, with registers at their first values, and announces the part that waits.

        It has kept its running numbers, so that it uses none twice, and nothing else.
        """
        self._stopped = False
        self._bank.clear()
        self._bank.switch_on()
        self._result_seen = 0
        self.permit("given")
        part, self._part = self._part, None
        if part is not None and part.waits:
            self.announce(part.part_id, part.type_code)

    def clear_block(self) -> None:
        """The station's registers are 0."""
        self._bank.clear("write")

    # ---- what a line does ----

    def permit(self, permission: str) -> None:
        """Permission for the cell to take on parts: `given` or `withdrawn`."""
        self._bank.publish({"permission": permission == "given"})

    @property
    def places(self) -> tuple[int, ...]:
        """The codes of all places."""
        return tuple(code for code in self._bank.codes("destination") if code)

    def fill(self, places: Iterable[int]) -> None:
        """The places with these codes, and no others, can take no more parts."""
        self._bank.publish({"bins_full": sum(1 << (place - 1) for place in places)})

    def announce(self, part_id: str, type_code: int, number: int | None = None) -> int:
        """A part waits at the infeed; the number of its announcement: this one, or the next."""
        self._part = _Announced(part_id, type_code)
        self._part_sequence = _next(self._part_sequence) if number is None else number
        self.show_part()
        return self._part_sequence

    def show_part(self) -> None:
        """Put the announced part, if there is one, into the registers, or what a broken program takes for it.

        An announcement that was accepted stands there until the next one.
        """
        if self._part is None or self._stopped:
            return
        part_id = BLANKS if self._broken.present("plc-id-blank") else self._part.part_id
        type_code = NO_TYPE if self._broken.present("plc-type-unknown") else self._part.type_code
        self._bank.publish({"next_part_id": part_id, "next_part_type": type_code, "part_sequence": self._part_sequence})

    def clear_announcement(self) -> None:
        """Show that no part waits."""
        self._part = None
        self._bank.publish(NO_PART)

    def begin_anew(self) -> None:
        """The program starts with empty registers, no announcement, and its numbers at 0; permission is as before."""
        permission = self.permitted
        self._bank.clear()
        self._bank.switch_on()
        self._part = None
        self._part_sequence = self._command_sequence = self._ack_sequence = self._result_seen = 0
        self._begins = True
        self.permit("given" if permission else "withdrawn")

    def command(self, command: str) -> int:
        """Send a PackML command by its name in the map, for example `start`; the number of its change request."""
        self._command_sequence = _next(self._command_sequence)
        self._bank.publish({"command": command, "command_sequence": self._command_sequence})
        return self._command_sequence

    def acknowledge(self, fault_number: int) -> int:
        """An operator acknowledges the alarm of this fault; the number of the request."""
        self._ack_sequence = _next(self._ack_sequence)
        self._bank.publish({"alarm_acknowledge": fault_number, "alarm_ack_sequence": self._ack_sequence})
        return self._ack_sequence

    @property
    def accepted_part(self) -> int:
        """Number of the announcement that the station has taken on last."""
        return self._bank.count("accepted_part")

    @property
    def announced_number(self) -> int:
        """Number of the announcement; 0 for none."""
        return self._bank.count("part_sequence")

    @property
    def permitted(self) -> bool:
        """The cell may take on parts."""
        return bool(self._bank.value("permission"))

    @property
    def acknowledged_result(self) -> int:
        """Number of the result that was read and believed last."""
        return self._bank.count("result_acknowledged")

    def state(self) -> str:
        """The station's PackML state, by its name in the map."""
        return self._bank.label("state_current")

    def command_answer(self) -> tuple[int, str]:
        """Number of the command that the station answered last, and its answer: `taken` or `refused`."""
        return self._bank.count("answered_command"), self._bank.label("command_result")

    def alarms(self) -> tuple[int, int, int]:
        """The station's active alarms, its unacknowledged ones, and the fault number of the newest of these."""
        count = self._bank.count
        return count("alarm_count"), count("alarm_unacknowledged"), count("alarm_code")

    def acknowledgement_answer(self) -> tuple[int, str]:
        """Number of the acknowledgement that the station answered last, and its answer: `taken` or `refused`."""
        return self._bank.count("alarm_ack_answered"), self._bank.label("alarm_ack_result")

    # ---- as a server ----

    def read(self, kind: Kind, address: int, count: int) -> list[int]:
        """The words from this address on, as things are now.

        Raises:
            RefusedError: They go beyond the map.
        """
        self._beat()
        if self._broken.present("plc-keeps-clearing"):
            self.clear_block()
        return self._bank.read(kind, address, count)

    def write(self, address: int, words: list[int]) -> None:
        """Take what the station writes, and run the program.

        Raises:
            RefusedError: Registers that are not the station's, or values that they cannot have.
        """
        self._bank.check(address, words)
        self._hear(address, words)

    # ---- as a client ----

    async def attend(self, link: TcpLink) -> None:
        """Read and write the station's server for ever; while it is not there, try again every 0.2 s."""
        host = ANY_HOST.get(link.host, link.host)
        while True:
            try:
                async with await TcpMaster.connect(host, link.port, link.unit, link.request_timeout_s) as station:
                    await self._exchange(station, link.poll_s)
            except (OSError, TimeoutError, LinkError):
                await asyncio.sleep(RECONNECT_S)

    async def _exchange(self, station: TcpMaster, poll_s: float) -> None:
        first, count = self._map.span(r.name for r in self._map.select("write"))
        written: dict[int, list[int]] = {}
        while True:
            if self._stopped:
                written.clear()
                await asyncio.sleep(poll_s)
                continue
            if not self._result_seen:
                await self._remember(station)
            self._hear(first, await station.read_holding(first, count))
            self._beat()
            for run in self._own_runs():
                if written.get(run[0]) != run[1]:
                    await station.write_holding(*run)
                    written[run[0]] = run[1]
            self._begins = False
            await asyncio.sleep(poll_s)

    async def _remember(self, station: TcpMaster) -> None:
        """Read what the station has heard of this program before it began anew: the result that it has read last."""
        row = self._map["result_acknowledged"]
        (self._result_seen,) = await station.read_holding(row.address, 1)
        self._bank.publish({"result_acknowledged": self._result_seen})

    def _own_runs(self) -> list[tuple[int, list[int]]]:
        """The PLC's half as (address, words) of neighbouring registers, announcements and commands whole.

        The heartbeat's come last, so that the station has heard all the others when it hears a beat. A program that
        begins anew shows first that no part waits, so that the station knows that it counts anew.
        """
        values = {r.name: self._bank.value(r.name) for r in self._map.select("read")}
        if self._begins:
            values |= NO_PART
        beats = self._map["plc_heartbeat"].address
        runs = [(run.address, run.words) for run in self._map.encode_block(values)]
        return sorted(runs, key=lambda run: run[0] <= beats < run[0] + len(run[1]))

    # ---- the program ----

    def _hear(self, address: int, words: list[int]) -> None:
        """Take the station's words, and run the program on them."""
        before = self.accepted_part
        self._bank.store(address, words)
        if self.accepted_part not in (0, before) and self.accepted_part == self.announced_number:
            self._broken.reach(Moment.ACCEPT, str(self._bank.value("next_part_id")))
        if self._part is not None and self.accepted_part == self._part_sequence:
            self._part.waits = False
        self.take_result()

    def _beat(self) -> None:
        if self._stopped or self._broken.present("plc-stale"):
            return
        self._bank.publish({"plc_heartbeat": beat(self._clock.monotonic_ns())})

    def take_result(self) -> None:
        """Read the result that is there, unless it was read before, and acknowledge it where it can be believed."""
        if self._stopped or self._broken.present("plc-result-ignored"):
            return
        sequence = self._bank.count("result_sequence")
        if sequence in (0, self._result_seen):
            return
        if self._broken.take("plc-restarts-before-acknowledging"):
            self.run()
            return
        self._result_seen = sequence
        decision, complement = self._bank.count("decision"), self._bank.count("decision_complement")
        if not decision or decision not in self._bank.codes("decision") or decision + complement != 0xFFFF:
            self._tell_result(sequence, "not believed")
            return
        self._bank.publish({"result_acknowledged": sequence})
        self._tell_result(sequence, self._bank.label("decision"))


def _next(number: int) -> int:
    return number % 0xFFFF + 1
