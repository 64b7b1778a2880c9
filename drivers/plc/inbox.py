"""What the line PLC says: its registers, checked, and believed only while its heartbeat beats."""

import asyncio
from collections import deque
from collections.abc import Sequence

from drivers.modbus.register_map import IllegalWordsError, RegisterMap, Value
from station.core.errors import FAULTS, Fault
from station.core.part import Announcement
from station.core.ports.line import Acknowledgement, LineCommand
from station.core.verdicts import Place

COMMANDS_KEPT = 16
ACCEPTED_KEPT = 16
NOTHING = Announcement(0, "", 0)
"""No part was accepted; one of which only the number is known has no id either."""


class PlcInbox:
    """The registers that the PLC writes, as last heard. Nothing here waits.

    Args:
        registers: The PLC's map.
        stale_after_s: How long a heartbeat may stand still.
        places: What the bits of `bins_full` mean.

    Attributes:
        accepted: What the station has taken on last.
        accepted_forgotten: Whether the PLC must be told anew what that is.
        speaker: Address and port of whoever wrote, or was asked, last.
        commands: Commands that wait for an answer, also such as PackML does not know.
        acknowledgements: Acknowledgements that wait for an answer.
        link_fault: Why the PLC is not heard, or None.
    """

    def __init__(self, registers: RegisterMap, stale_after_s: float, places: tuple[Place, ...]) -> None:
        self.accepted = NOTHING
        self.accepted_forgotten = False
        self.speaker = ""
        self._taken_on: deque[Announcement] = deque(maxlen=ACCEPTED_KEPT)
        self.commands: deque[LineCommand] = deque()
        self.acknowledgements: deque[Acknowledgement] = deque()
        self.link_fault: Fault | None = FAULTS["plc.unreachable"]
        self._registers = registers
        self._stale_after_s = stale_after_s
        self._places = places
        self._first, count = registers.span(row.name for row in registers.select("holding", "read"))
        self._words = [0] * count
        self._constants = [row for row in registers.select("holding", "read") if row.constant is not None]
        self._last_command = 0
        self._last_acknowledgement = 0
        self._known = False
        self._constants_at_s = 0.0
        self._beat: Value | None = None
        self._beat_at_s: float | None = None
        self._counts_anew = False

    def resume(self, accepted_part: int, answered_command: int = 0, answered_acknowledgement: int = 0) -> None:
        """Take up where the station was before: none of these is offered or taken again."""
        if accepted_part != self.accepted.sequence:
            self.accepted = Announcement(accepted_part, "", 0)
        self._last_command = answered_command
        self._last_acknowledgement = answered_acknowledgement

    def adopt(self, sequence_name: str, number: int) -> None:
        """Take a standing sequence number for one that was taken before; with 0 the number that comes is a new one.

        A `part_sequence` counts as taken only where a part with this number was; one that is new announces another part
        even with the number accepted last.
        """
        if sequence_name == "command_sequence":
            self._last_command = number
        elif sequence_name == "alarm_ack_sequence":
            self._last_acknowledgement = number
        elif number == 0:
            self.begin_anew()
        elif known := next((part for part in reversed(self._taken_on) if part.sequence == number), None):
            self.accepted, self.accepted_forgotten = known, True

    def take_on(self, part: Announcement) -> None:
        """This part is the station's from now on."""
        self.accepted, self.accepted_forgotten = part, False
        if part.sequence:
            self._taken_on.append(part)

    def give_back(self, before: Announcement) -> None:
        """The part that was accepted last is not; this one was accepted before it."""
        self._taken_on = deque((part for part in self._taken_on if part != self.accepted), ACCEPTED_KEPT)
        self.accepted = before

    def begin_anew(self) -> None:
        """The PLC's memory is not the one that it was: its numbers may be given out a second time."""
        self._counts_anew = True

    def hear(self, words: Sequence[int]) -> bool:
        """Take all the words that the PLC writes; True when its heart has beaten."""
        number_before = self._number("part_sequence")
        self._words = list(words)
        self.link_fault = None
        self._hear_number(number_before)
        beat, known = self._value("plc_heartbeat"), self._beat
        self._beat = beat
        if self._constants_fit():
            self._known, self._constants_at_s = True, asyncio.get_running_loop().time()
        if self._begins_anew():
            self._beat_at_s = None
            return False
        beaten = known is not None and beat != known
        if beaten:
            self._beat_at_s = asyncio.get_running_loop().time()
        if not self.line_fault():
            self._take_command()
            self._take_acknowledgement()
        return beaten

    def announces_news(self, words: Sequence[int]) -> bool:
        """Whether these words have another part, command or acknowledgement number than the ones heard last.

        Other constants are news as well: they may be those of a program that is just beginning.
        """
        rows = [self._registers[name] for name in ("part_sequence", "command_sequence", "alarm_ack_sequence")]
        rows += self._constants
        return any(words[row.address - self._first] != self._words[row.address - self._first] for row in rows)

    def line_fault(self) -> Fault | None:
        """Why nothing of this can be believed, or None."""
        if self.link_fault:
            return self.link_fault
        if self._begins_anew():
            return FAULTS["plc.stale"]
        if not self._constants_fit() or self._value("permission") is None:
            return FAULTS["plc.wrong_map"]
        if self._beat_at_s is None or asyncio.get_running_loop().time() - self._beat_at_s >= self._stale_after_s:
            return FAULTS["plc.stale"]
        return None

    def health(self) -> Fault | None:
        """What is wrong with the line, a wrong announcement included, or None."""
        if fault := self.line_fault():
            return fault
        return FAULTS["part.bad_id"] if self._announced() and not self._part_id() else None

    def permission(self) -> bool:
        """Whether the PLC lets the cell take on parts."""
        return self.line_fault() is None and self._value("permission") is True

    def waiting_part(self) -> Announcement | None:
        """The announced part, when it was not accepted yet and its id can be used."""
        return self.announced() if self._announced() else None

    def announced(self) -> Announcement | None:
        """What the PLC shows as waiting; None for nothing, no usable id, or where nothing can be believed."""
        shown = self._shown()
        return None if self.line_fault() or not shown.sequence or not shown.part_id else shown

    def full_bins(self) -> frozenset[Place]:
        """The places that can take no more parts; none where nothing can be believed."""
        bits = 0 if self.line_fault() else self._number("bins_full")
        return frozenset(place for place in self._places if bits >> (place.code - 1) & 1)

    @property
    def acknowledged_result(self) -> int:
        """Number of the result that the PLC has read last; 0 for none, or from a wrong map."""
        fault = self.line_fault()
        return 0 if fault and fault.code == "plc.wrong_map" else self._number("result_acknowledged")

    def _constants_fit(self) -> bool:
        return all(self._value(row.name) == row.constant for row in self._constants)

    def _begins_anew(self) -> bool:
        """Whether the constants of a PLC that had them are 0, and its heart does not beat, or has only just begun to.

        Then its registers were set to 0, and its program has not set them yet: no wrong map, but one that passes.
        """
        if not self._known or any(self._value(row.name) for row in self._constants):
            return False
        since_s = asyncio.get_running_loop().time() - self._constants_at_s
        return self._number("plc_heartbeat") == 0 or since_s < self._stale_after_s

    def _announced(self) -> bool:
        return self._number("part_sequence") not in (0, self.accepted.sequence)

    def _shown(self) -> Announcement:
        return Announcement(self._number("part_sequence"), self._part_id(), self._number("next_part_type"))

    def _hear_number(self, before: int) -> None:
        """Forget the accepted part when its number is given out a second time: after a 0, and with another part.

        With the same part it is an old announcement that a program found again when it began anew. Without a 0 it is
        the next one, which is being written: the number comes last.
        """
        shown = self._shown()
        if not shown.sequence:
            self._counts_anew = self._counts_anew or before != 0
        elif self._counts_anew:
            self._counts_anew = False
            known, same_number = self.accepted.part_id, shown.sequence == self.accepted.sequence
            if known and same_number and shown != self.accepted:
                self.accepted, self.accepted_forgotten = NOTHING, True

    def _part_id(self) -> str:
        return str(self._value("next_part_id") or "")

    def _take_command(self) -> None:
        sequence = self._number("command_sequence")
        if sequence == 0:
            self._last_command = 0
        elif sequence != self._last_command and len(self.commands) < COMMANDS_KEPT:
            self._last_command = sequence
            row = self._registers["command"]
            self.commands.append(LineCommand(sequence, self._words[row.address - self._first], self.speaker))

    def _take_acknowledgement(self) -> None:
        sequence = self._number("alarm_ack_sequence")
        if sequence == 0:
            self._last_acknowledgement = 0
        elif sequence != self._last_acknowledgement and len(self.acknowledgements) < COMMANDS_KEPT:
            self._last_acknowledgement = sequence
            self.acknowledgements.append(Acknowledgement(sequence, self._number("alarm_acknowledge"), self.speaker))

    def _number(self, name: str) -> int:
        return int(self._value(name) or 0)

    def _value(self, name: str) -> Value | None:
        row = self._registers[name]
        try:
            return row.decode(self._words[row.address - self._first : row.end - self._first])
        except IllegalWordsError:
            return None
