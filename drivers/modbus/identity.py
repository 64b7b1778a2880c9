"""Whether a device's registers are those of its map: the constants that both sides must find."""

from collections.abc import Sequence

from drivers.modbus.link import Exchange
from drivers.modbus.register_map import Register, RegisterMap
from station.core.errors import DeviceError


class Identity:
    """The comparison of a device's constants with those of its map.

    They are compared as a whole on every connection and in halves later, for no other request may look like the first
    one of a connection.

    Args:
        registers: The device's map.
        error: The device's error class.
    """

    def __init__(self, registers: RegisterMap, error: type[DeviceError]) -> None:
        self._registers = registers
        self._error = error
        rows = registers.constants
        self._halves = (rows[:2], rows[2:])
        self._known = False

    async def greet(self, exchange: Exchange) -> None:
        """Compare all constants in one request.

        Raises:
            DeviceError: `wrong_map`; `unreachable` when they are 0 and were right before: the device's program has not
                begun; and as for `Exchange.read`.
        """
        await self._compare(self._registers.constants, exchange)
        self._known = True

    async def check(self, exchange: Exchange) -> None:
        """Compare all constants on an open connection.

        Raises:
            DeviceError: As for `greet`.
        """
        for rows in self._halves:
            await self._compare(rows, exchange)

    async def check_half(self, exchange: Exchange) -> None:
        """Compare one half of the constants, and the next time the other.

        Raises:
            DeviceError: As for `greet`.
        """
        self._halves = self._halves[::-1]
        await self._compare(self._halves[0], exchange)

    async def _compare(self, rows: Sequence[Register], exchange: Exchange) -> None:
        device = self._registers.name
        address, count = self._registers.span(row.name for row in rows)
        words = await exchange.read("input", address, count)
        if self._known and not any(words):
            what = f"{rows[0].name} to {rows[-1].name} are 0: its program has not begun"
            raise self._error(f"{device}.unreachable", what)
        for row in rows:
            expected = row.encode(row.constant if row.constant is not None else 0)
            found = words[row.address - address : row.end - address]
            if found != expected:
                what = f"{row.name} at {row.address}: {_hex(found)}, not {_hex(expected)}"
                raise self._error(f"{device}.wrong_map", what)


def _hex(words: list[int]) -> str:
    return " ".join(f"0x{word:04X}" for word in words)
