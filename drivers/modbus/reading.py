"""Reading registers of a map that do not all lie beside each other.

One request carries them all, with what lies between, and is answered by nearly every device: so all words are of one
moment, and a look costs one exchange. But what lies between is no register of the map, and a device need not have it.
One that refuses that request, and answers for the registers alone, is asked for these from then on, run by run.

The last run is read first. Numbers lie behind the states that they complete, so a state is never older than the number
that tells of its end; and the PLC's heartbeat, at the beginning of its half, is read after all others.
"""

from collections.abc import Iterable
from itertools import pairwise

import structlog

from drivers.modbus.link import Exchange
from drivers.modbus.register_map import Register, RegisterMap
from station.core.errors import DeviceError

log = structlog.get_logger(__name__)


class Reading:
    """Some registers of one kind, read again and again.

    Args:
        registers: Their map.
        rows: The registers.

    Attributes:
        first: Address of the first of them.
        count: Words up to the end of the last.
    """

    def __init__(self, registers: RegisterMap, rows: Iterable[Register]) -> None:
        ordered = sorted(rows, key=lambda row: row.address)
        self.first, self.count = registers.span(row.name for row in ordered)
        self._device = registers.name
        self._kind = ordered[0].kind
        self._runs = _runs(ordered)
        self._as_a_whole = True

    async def read(self, exchange: Exchange) -> list[int]:
        """All words from `first` on; between the registers what the device has there, or 0.

        Raises:
            DeviceError: As for `Exchange.read`; `wrong_map` names the registers that the device does not have.
        """
        if self._as_a_whole:
            try:
                return await exchange.read(self._kind, self.first, self.count)
            except DeviceError as error:
                if error.code != f"{self._device}.wrong_map" or len(self._runs) == 1:
                    raise
                refusal = error
        words = [0] * self.count
        for address, end in reversed(self._runs):
            words[address - self.first : end - self.first] = await exchange.read(self._kind, address, end - address)
        if self._as_a_whole:
            self._as_a_whole = False
            log.info("registers_read_in_parts", device=self._device, parts=len(self._runs), detail=refusal.detail)
        return words


def _runs(ordered: list[Register]) -> list[tuple[int, int]]:
    """First address of each run of neighbours, and the address after it."""
    begins = [ordered[0].address] + [after.address for before, after in pairwise(ordered) if after.address > before.end]
    ends = [before.end for before, after in pairwise(ordered) if after.address > before.end] + [ordered[-1].end]
    return list(zip(begins, ends, strict=True))
