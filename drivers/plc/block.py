"""The registers that the line PLC writes, by name, as they were heard last."""

from collections.abc import Sequence

from drivers.modbus.register_map import IllegalWordsError, RegisterMap, Value

NUMBERS = ("part_sequence", "command_sequence", "alarm_ack_sequence")
"""The numbers that make what stands before them news; they are written last."""


class HeardBlock:
    """The PLC's half of the map. Words that are no value of their register are 0, or no text.

    Args:
        registers: The PLC's map.
    """

    def __init__(self, registers: RegisterMap) -> None:
        rows = registers.select("read")
        self._registers = registers
        self._first, count = registers.span(row.name for row in rows)
        self._words = [0] * count
        self._constants = tuple(row for row in rows if row.constant is not None)
        self._telling = (*(registers[name] for name in NUMBERS), *self._constants)

    def take(self, words: Sequence[int]) -> None:
        """These are all the words that the PLC writes, now."""
        self._words = list(words)

    def differs_in_news(self, words: Sequence[int]) -> bool:
        """Whether these words have another part, command or acknowledgement number than the ones heard last.

        Other constants are news as well: they may be those of a program that is just beginning.
        """
        places = [row.address - self._first for row in self._telling]
        return any(words[place] != self._words[place] for place in places)

    def value(self, name: str) -> Value | None:
        """A register's value; None where the words are none."""
        row = self._registers[name]
        try:
            return row.decode(self._words[row.address - self._first : row.end - self._first])
        except IllegalWordsError:
            return None

    def number(self, name: str) -> int:
        """The value of a register that counts."""
        return int(self.value(name) or 0)

    def text(self, name: str) -> str:
        """The value of a register that holds text."""
        return str(self.value(name) or "")

    def word(self, name: str) -> int:
        """A register's first word as it stands, also where it is no value."""
        return self._words[self._registers[name].address - self._first]

    @property
    def constants_fit(self) -> bool:
        """Whether the constants are those of the map."""
        return all(self.value(row.name) == row.constant for row in self._constants)

    @property
    def constants_are_gone(self) -> bool:
        """Whether all constants are 0."""
        return not any(self.value(row.name) for row in self._constants)
