"""Whether a device's registers are those of its map: the constants that both sides must find."""

from collections.abc import Sequence

from drivers.modbus.family import Family
from drivers.modbus.link import Exchange
from drivers.modbus.register_map import Register, RegisterMap, Value
from station.core.errors import DeviceError

IDENTITY_S = 1.0
"""Time between two looks at some of the constants while nobody waits: a program may be changed under the station."""


async def check_constants(
    exchange: Exchange,
    registers: RegisterMap,
    rows: Sequence[Register],
    family: Family,
    not_begun: str = "",
    beside: Sequence[str] = (),
) -> None:
    """Compare constants of one kind in one request.

    Args:
        exchange: The way to the device.
        registers: Its map.
        rows: The constants.
        family: Of the device.
        not_begun: What of the family's faults it is when all words are 0: the program of a device whose constants were
            right before has not begun. Empty where that is a wrong map as any other.
        beside: Names of registers that are read with them, and must be 0 too where the program has not begun.

    Raises:
        DeviceError: `wrong_map`, `not_begun`, and as for `Exchange.read`.
    """
    first, count = registers.span([*(row.name for row in rows), *beside])
    words = await exchange.read(rows[0].kind, first, count)
    if not_begun and not any(words):
        where = f"{rows[0].kind} {first} to {first + count - 1}"
        raise family.fault(not_begun, f"{rows[0].name} to {rows[-1].name}, {where}, are 0: its program has not begun")
    for row in rows:
        expected = row.encode(row.constant if row.constant is not None else 0)
        found = words[row.address - first : row.end - first]
        if found != expected:
            where = f"{row.name} at {row.kind} {row.address}"
            raise family.wrong_map(f"{where}: {_hex(found)}, not {_hex(expected)}")


class Identity:
    """Whether it is still the device that was connected to, with the program that it had.

    The constants are compared as a whole on every connection, in halves at leisure, for no other request may look like
    the first one of a connection; and at once, until they are right, when the device seems to have begun anew: its
    order numbers are 0 again, or all of its status is.

    Args:
        registers: The device's map.
        family: Of the device.
        every_s: Time between two comparisons at leisure.
    """

    def __init__(self, registers: RegisterMap, family: Family, every_s: float = IDENTITY_S) -> None:
        self._registers = registers
        self._family = family
        self._every_s = every_s
        self._due_s = 0.0
        rows = registers.constants
        self._halves = (rows[:2], rows[2:])
        self._known = False
        self._doubted = False
        self._had_taken = False

    async def greet(self, exchange: Exchange) -> None:
        """Compare all constants in one request.

        Raises:
            DeviceError: `wrong_map`; `unreachable` when they are 0 and were right before: the device's program has not
                begun; and as for `Exchange.read`.
        """
        await self._compare(self._registers.constants, exchange)
        self._known = True

    async def check_status(self, values: dict[str, Value], exchange: Exchange) -> None:
        """Compare all constants where this status looks as if the device had begun anew.

        Raises:
            DeviceError: As for `greet`.
        """
        takes = any((values["order_acknowledged"], values["order_done"]))
        self._doubted = self._doubted or (self._had_taken and not takes) or not any(values.values())
        if self._doubted:
            for rows in self._halves:
                await self._compare(rows, exchange)
        self._doubted = False
        self._had_taken = takes

    async def check_at_leisure(self, exchange: Exchange, now_s: float) -> None:
        """Compare one half of the constants when it is time; what is wrong with them is told by the next status."""
        if now_s < self._due_s or self._doubted:
            return
        self._due_s = now_s + self._every_s
        self._halves = self._halves[::-1]
        try:
            await self._compare(self._halves[0], exchange)
        except DeviceError:
            self._doubted = True

    async def _compare(self, rows: Sequence[Register], exchange: Exchange) -> None:
        not_begun = "unreachable" if self._known else ""
        await check_constants(exchange, self._registers, rows, self._family, not_begun)


def _hex(words: list[int]) -> str:
    return " ".join(f"0x{word:04X}" for word in words)
