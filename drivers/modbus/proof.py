"""Whether a device has the registers of its map where its profile lays them; a cell at work does not ask."""

from collections.abc import Sequence

from drivers.modbus.family import JIG, PLC, ROBOT, Family
from drivers.modbus.link import ModbusLink
from drivers.modbus.reading import Reading
from drivers.modbus.register_map import IllegalWordsError, Register, RegisterMap
from station.core.errors import DeviceError
from station.core.settings import RtuLink, TcpLink

_FAMILIES = {family.name: family for family in (ROBOT, JIG, PLC)}
_BEATS = {"plc": "heartbeat"}
"""The register that shows the station's beat; of robot and jig it is called `station_heartbeat`."""


async def prove_map(link: TcpLink | RtuLink, registers: RegisterMap, sections: Sequence[str] = ("",)) -> str:
    """What was found where the map says that it is; the station must have connected before, and shown its beat.

    Args:
        link: To the device.
        registers: Its map, as it is laid.
        sections: Of the map, that the device has.

    Raises:
        DeviceError: `unreachable`; `wrong_map`: registers are refused, hold what they cannot have, or do not hold what
            the station has written.
    """
    family = _FAMILIES[registers.name]
    connection = ModbusLink(link, family, write_most=registers.profile.write_most)
    try:
        await connection.connect()
        await _Half(registers, registers.select("read"), family).read(connection)
        ours = [await _read_back(connection, registers, section, family) for section in sections]
    finally:
        await connection.close()
    return "; ".join((f"{_place(registers.select('read'))} hold what the map says", *ours))


class _Half:
    """The registers that one side writes."""

    def __init__(self, registers: RegisterMap, rows: Sequence[Register], family: Family) -> None:
        self._registers = registers
        self._reading = Reading(registers, rows)
        self._family = family

    async def read(self, connection: ModbusLink) -> dict[str, object]:
        words = await self._reading.read(connection)
        try:
            return dict(self._registers.decode_block(self._reading.kind, self._reading.first, words))
        except IllegalWordsError as error:
            raise self._family.wrong_map(str(error)) from error


async def _read_back(connection: ModbusLink, registers: RegisterMap, section: str, family: Family) -> str:
    rows = registers.select("write", section)
    try:
        found = await _Half(registers, rows, family).read(connection)
    except DeviceError as error:
        if family.means("unreachable", error):
            raise
        return f"{_place(rows)} cannot be read back ({error.detail})"
    beat = registers[_BEATS.get(registers.name, "station_heartbeat")]
    if not section and not found[beat.name]:
        told = f"{beat.name} at {beat.kind} {beat.address} is 0, although the station has written it"
        raise family.wrong_map(f"{told}: check the profile, {registers.profile.description}")
    return f"{_place(rows)} keep what is written"


def _place(rows: Sequence[Register]) -> str:
    return f"{rows[0].kind} {rows[0].address} to {rows[-1].end - 1}"
