"""Values of the station's block on their way into the registers that the line PLC sees."""

from collections.abc import Mapping, Sequence

import structlog

from drivers.modbus.register_map import Run, Value
from drivers.plc.outbox import PlcOutbox
from drivers.plc.peer import Peer
from station.core.errors import PlcError

log = structlog.get_logger(__name__)


class BlockWriter:
    """Sets values in the station's block, and has the changed words written.

    A value stands in the block even where it could not be written: the next connection writes the block as a whole.

    Args:
        outbox: The block.
        peer: Writes.
    """

    def __init__(self, outbox: PlcOutbox, peer: Peer) -> None:
        self._outbox = outbox
        self._peer = peer

    async def write(self, values: Mapping[str, Value]) -> None:
        """Set and write.

        Raises:
            PlcError: `unreachable` or `wrong_map`.
            BugError: A value does not fit its register; nothing was set.
        """
        await self._peer.write(self._outbox.put(values))

    async def write_or_undo(self, name: str, number: int) -> None:
        """Set and write one register; when that fails, what stood in it stands again, and is what is written next.

        Raises:
            PlcError: As for `write`.
        """
        before = self._outbox.number(name)
        try:
            await self.write({name: number})
        except BaseException:
            self._outbox.put({name: before})
            raise

    async def write_list(self, runs: Sequence[Run]) -> None:
        """Write words of the list of defects, where the PLC has registers for it.

        Raises:
            PlcError: As for `write`.
        """
        await self._peer.write_list(runs)

    async def tell(self, values: Mapping[str, Value]) -> None:
        """Set and write what need not arrive now."""
        try:
            await self.write(values)
        except PlcError as error:
            log.debug("plc_not_told", code=error.code, detail=error.detail)
