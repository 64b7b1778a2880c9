"""Reading registers of a map that do not all lie beside each other.

One request carries them all, with what lies between, and is answered by nearly every device: so all words are of one
moment, and a look costs one exchange. But what lies between is no register of the map, and a device need not have it.
One that refuses that address, and answers for the registers alone, is asked for these from then on, run by run; one
whose profile says so from the start. A request carries no more than the profile allows: one that the device refuses for
its length is not shortened in silence, for then the profile is wrong.

The last run is read first. Numbers lie behind the states that they complete, so a state is never older than the number
that tells of its end; and the PLC's heartbeat, at the beginning of its half, is read after all others.
"""

from collections.abc import Iterable

import structlog

from drivers.modbus.link import Exchange
from drivers.modbus.refusal import is_for_its_length
from drivers.modbus.register_map import Register, RegisterMap
from station.core.errors import DeviceError

log = structlog.get_logger(__name__)


class Reading:
    """Some registers of one kind, read again and again.

    Args:
        registers: Their map.
        rows: The registers.

    Attributes:
        kind: Of all of them.
        first: Address of the first of them.
        count: Words up to the end of the last.
    """

    def __init__(self, registers: RegisterMap, rows: Iterable[Register]) -> None:
        ordered = sorted(rows, key=lambda row: row.address)
        self.first, self.count = registers.span(row.name for row in ordered)
        self.kind = ordered[0].kind
        self._device = registers.name
        self._apart = registers.profile.requests(ordered, gaps=False)
        self._requests = registers.profile.requests(ordered, gaps=registers.profile.gaps == "read")

    async def read(self, exchange: Exchange) -> list[int]:
        """All words from `first` on; between the registers what the device has there, or 0.

        Raises:
            DeviceError: As for `Exchange.read`; `wrong_map` names the registers that the device does not have.
        """
        try:
            return await self._words(exchange, self._requests)
        except DeviceError as error:
            if is_for_its_length(error) or not self._is_another_map(error) or self._requests == self._apart:
                raise
            refusal = error
        words = await self._words(exchange, self._apart)
        self._requests = self._apart
        log.info("registers_read_in_parts", device=self._device, parts=len(self._apart), detail=refusal.detail)
        return words

    def _is_another_map(self, error: DeviceError) -> bool:
        return error.code == f"{self._device}.wrong_map"

    async def _words(self, exchange: Exchange, requests: list[tuple[int, int]]) -> list[int]:
        words = [0] * self.count
        for address, end in reversed(requests):
            words[address - self.first : end - self.first] = await exchange.read(self.kind, address, end - address)
        return words
