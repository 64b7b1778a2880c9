"""A device's registers: the words that its wire carries, by address, and their values, by name."""

from collections import deque
from collections.abc import Mapping

from drivers.modbus.register_map import Access, IllegalWordsError, Kind, RegisterMap, Value
from sim.modbus.slave import ExceptionCode, RefusedError

NUMBERS_REMEMBERED = 256


class RegisterBank:
    """All registers of a map, as they are when the device was just switched on.

    Args:
        registers: The map.
    """

    def __init__(self, registers: RegisterMap) -> None:
        self._map = registers
        self._first: dict[Kind, int] = {}
        self._words: dict[Kind, list[int]] = {}
        for kind in ("holding", "input"):
            self._first[kind] = registers.extent(kind)[0]
            self._words[kind] = registers.image(kind, "read")

    def read(self, kind: Kind, address: int, count: int) -> list[int]:
        """The words from this address on.

        Raises:
            RefusedError: They go beyond the map, are more than the device's profile has in one request, or lie between
                registers where it has nothing.
        """
        if count > self._map.profile.read_most:
            raise RefusedError(ExceptionCode.ILLEGAL_VALUE)
        if self._map.profile.gaps == "never" and self._has_gap(kind, address, count):
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS)
        offset = self._offset(kind, address, count)
        return self._words[kind][offset : offset + count]

    def check(self, address: int, words: list[int], writer: Access = "write") -> Mapping[str, Value]:
        """What the registers would hold, by name, if these words were written; changes nothing.

        Args:
            address: First holding register.
            words: For neighbouring registers.
            writer: Whose registers they must be: `write` for the station's, `read` for the device's own.

        Raises:
            RefusedError: A register is not there or not the writer's, it cannot have this value, or they are more than
                the device's profile has in one request.
        """
        if len(words) > self._map.profile.write_most:
            raise RefusedError(ExceptionCode.ILLEGAL_VALUE)
        offset = self._offset("holding", address, len(words))
        touched = [r for r in self._map.touched("holding", address, len(words)) if r.access == writer]
        if any(not any(r.address <= place < r.end for r in touched) for place in range(address, address + len(words))):
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS)
        after = list(self._words["holding"])
        after[offset : offset + len(words)] = words
        first = self._first["holding"]
        try:
            return {r.name: r.decode(after[r.address - first : r.end - first]) for r in touched}
        except IllegalWordsError:
            raise RefusedError(ExceptionCode.ILLEGAL_VALUE) from None

    def store(self, address: int, words: list[int]) -> None:
        """Write checked words into the holding registers."""
        offset = self._offset("holding", address, len(words))
        self._words["holding"][offset : offset + len(words)] = words

    def publish(self, values: Mapping[str, Value]) -> None:
        """The device sets registers of its own."""
        for run in self._map.encode_block(values):
            offset = run.address - self._first[run.kind]
            self._words[run.kind][offset : offset + len(run.words)] = run.words

    def clear(self, access: Access | None = None) -> None:
        """Set registers to 0, as a controller does whose program begins anew.

        Args:
            access: Only those that the station may `read`, or `write`; None: all, constants too.
        """
        for register in self._map:
            if access in (None, register.access):
                start = register.address - self._first[register.kind]
                self._words[register.kind][start : start + register.words] = [0] * register.words

    def switch_on(self) -> None:
        """The device's constants stand in their registers, as they do when its program begins."""
        constants = {r.name: r.constant for r in self._map if r.access == "read" and r.constant is not None}
        self.publish(constants)

    def value(self, name: str) -> Value:
        """What a register holds, in engineering units; of a register with codes the code."""
        register = self._map[name]
        first = self._first[register.kind]
        return register.decode(self._words[register.kind][register.address - first : register.end - first])

    def values(self) -> dict[str, Value]:
        """What every register holds, by name."""
        return {register.name: self.value(register.name) for register in self._map}

    def label(self, name: str) -> str:
        """The name of the code that a register holds, or the number of one that has no name."""
        return self._map[name].label(self.count(name))

    def codes(self, name: str) -> Mapping[int, str]:
        """The codes that a register may hold, with their names."""
        return self._map[name].codes

    def count(self, name: str) -> int:
        """The whole number that a register holds, without its unit."""
        register = self._map[name]
        first = self._first[register.kind]
        return self._words[register.kind][register.address - first]

    def _has_gap(self, kind: Kind, address: int, count: int) -> bool:
        there = {place for r in self._map.touched(kind, address, count) for place in range(r.address, r.end)}
        return not there.issuperset(range(address, address + count))

    def _offset(self, kind: Kind, address: int, count: int) -> int:
        offset = address - self._first[kind]
        if offset < 0 or offset + count > len(self._words[kind]):
            raise RefusedError(ExceptionCode.ILLEGAL_ADDRESS)
        return offset


class TakenOrders:
    """The numbers of the orders that a device took, as many of the last as it remembers."""

    def __init__(self) -> None:
        self._numbers: deque[int] = deque(maxlen=NUMBERS_REMEMBERED)

    @property
    def last(self) -> int:
        """The number taken last; 0 after power-up."""
        return self._numbers[-1] if self._numbers else 0

    def is_new(self, number: int) -> bool:
        """Whether this number starts an order: it is not 0 and was not taken before."""
        return number != 0 and number not in self._numbers

    def forget(self) -> None:
        """As after power-up."""
        self._numbers.clear()

    def take(self, number: int) -> None:
        """Remember the number of an order that is taken."""
        self._numbers.append(number)


def beat(monotonic_ns: int) -> int:
    """A 16-bit counter that goes up ten times a second."""
    return monotonic_ns // 100_000_000 & 0xFFFF
