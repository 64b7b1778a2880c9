"""All registers of the line PLC's map as the station's own server shows them, and the PLC's half as it is written.

Reading is free; addresses between registers read as 0. The PLC may write only its own half of the map, as a whole or in
parts: what it writes between its registers is taken and forgotten. All words of a request take effect together, and a
request with one illegal word changes nothing. A command without a name is not illegal, it is refused as a command.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.modbus.register_map import Register, RegisterMap
from drivers.modbus.requests import ExceptionCode
from drivers.modbus.words import Ascii
from drivers.plc.defect_list import DefectList
from drivers.plc.outbox import PlcOutbox


@dataclass(frozen=True, slots=True)
class Change:
    """What a request would make of the PLC's half.

    Attributes:
        touched: The registers that it writes.
        first: Address of the first word of the half.
        before: The half as it stands.
        after: The half as it would be.
    """

    touched: tuple[Register, ...]
    first: int
    before: Sequence[int]
    after: Sequence[int]

    @property
    def is_illegal(self) -> bool:
        """Whether a register would hold words that are no value of it."""
        return any(self._is_illegal(row) for row in self.touched)

    def number(self, row: Register) -> tuple[int, int]:
        """A register's first word, before and after."""
        place = row.address - self.first
        return self.before[place], self.after[place]

    def _is_illegal(self, row: Register) -> bool:
        """Text may be written word by word, and is looked at when it is announced; codes when they are followed."""
        if isinstance(row.word_type, Ascii):
            return False
        try:
            row.word_type.decode(self.after[row.address - self.first : row.end - self.first])
        except ValueError:
            return True
        return False


class ServedRegisters:
    """What stands in the station's server.

    Args:
        registers: The PLC's map.
        outbox: Has what the station says.
        defects: Has the list of the last part's defects.
    """

    def __init__(self, registers: RegisterMap, outbox: PlcOutbox, defects: DefectList) -> None:
        self._registers = registers
        self._outbox = outbox
        self._defects = defects
        self._first, self._extent = registers.extent("holding")
        self._theirs, count = registers.span(row.name for row in registers.select("read"))
        self._their_words: list[int] = [0] * count

    @property
    def theirs(self) -> list[int]:
        """The PLC's half as it was written last."""
        return list(self._their_words)

    def read(self, address: int, count: int) -> list[int] | ExceptionCode:
        """The words that stand now."""
        if address < self._first or address + count > self._first + self._extent:
            return ExceptionCode.ILLEGAL_ADDRESS
        return self._image()[address - self._first : address - self._first + count]

    def change(self, address: int, words: Sequence[int]) -> Change | ExceptionCode:
        """What these words would make of the PLC's half; nothing is changed yet."""
        if not self._theirs <= address < address + len(words) <= self._theirs + len(self._their_words):
            return ExceptionCode.ILLEGAL_ADDRESS
        touched = tuple(row for row in self._registers.touched("holding", address, len(words)) if row.access == "read")
        after = self.theirs
        for row in touched:
            for place in range(max(row.address, address), min(row.end, address + len(words))):
                after[place - self._theirs] = words[place - address]
        return Change(touched, self._theirs, self._their_words, after)

    def take(self, change: Change) -> None:
        """Let a change take effect."""
        self._their_words = list(change.after)

    def _image(self) -> list[int]:
        image = [0] * self._extent
        blocks = (
            (self._outbox.first, self._outbox.words()),
            (self._theirs, self._their_words),
            (self._defects.first, self._defects.words),
        )
        for first, words in blocks:
            image[first - self._first : first - self._first + len(words)] = words
        return image
