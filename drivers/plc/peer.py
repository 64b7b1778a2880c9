"""The other side of the talk with the line PLC, in either role."""

from collections.abc import Sequence
from typing import Protocol

from drivers.modbus.register_map import Run
from station.core.errors import Fault


class Peer(Protocol):
    """The PLC's registers, which the station polls and writes, or the station's own, which the PLC does."""

    @property
    def port(self) -> int:
        """TCP port: the PLC's, or the one that the station's server has got."""

    @property
    def running(self) -> bool:
        """Whether the PLC is polled, or can connect."""

    @property
    def fault(self) -> Fault | None:
        """What is wrong with the PLC although it is believed, or None."""

    async def open(self) -> None:
        """Connect, or listen.

        Raises:
            PlcError: It cannot; nothing is left running.
        """

    async def write(self, runs: Sequence[Run]) -> None:
        """See to it that the PLC finds these words of the station's block, one run after the other.

        Raises:
            PlcError: `unreachable` or `wrong_map`.
        """

    async def write_list(self, runs: Sequence[Run]) -> None:
        """See to it that the PLC finds the list of defects, where it has registers for it.

        Raises:
            PlcError: `unreachable` or `wrong_map`.
        """

    async def read_now(self) -> None:
        """Return when all that the PLC says was said after this call, or when that is not to be found out.

        Raises:
            PlcError: `unreachable` or `wrong_map`.
        """

    async def close(self) -> None:
        """Disconnect."""
