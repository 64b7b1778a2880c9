"""The line PLC as Modbus client: the station's own server, with the same registers at the same addresses.

Reading is free; addresses between registers read as 0. The PLC may write only its own half of the map, as a whole or in
parts: what it writes between its registers is taken and forgotten. All words of a request take effect together, and a
request with one illegal word changes nothing. A command without a name is not illegal, it is refused as a command.

A server that was restarted has forgotten which commands it has answered, and a PLC that copies its whole block offers
the last one again. So the first number that stands in each sequence register starts nothing: only a later one is new.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from drivers.plc_inbox import PlcInbox
from drivers.plc_outbox import PlcOutbox
from drivers.registers import Register, RegisterMap, Run
from drivers.words import Ascii
from station.core.errors import PlcError
from station.core.settings import TcpLink

ANY_UNIT = 255  # Source: MODBUS Messaging on TCP/IP V1.0b, section 4.4.2: what a client sends that needs no unit id
_SEQUENCES = ("command_sequence", "alarm_ack_sequence")
_FUNCTIONS = (3, 6, 16, 22, 23)


class PlcServer:
    """The station's Modbus TCP server.

    Args:
        settings: Address to listen on; port 0 takes a free one.
        registers: The PLC's map.
        inbox: Is told of the numbers that stand when the PLC comes.
        outbox: Has what the station says.
        heard: Called with all the PLC's words when the PLC has written some.
    """

    def __init__(
        self,
        settings: TcpLink,
        registers: RegisterMap,
        inbox: PlcInbox,
        outbox: PlcOutbox,
        heard: Callable[[Sequence[int]], None],
    ) -> None:
        self.port = settings.port
        self._settings = settings
        self._registers = registers
        self._inbox = inbox
        self._outbox = outbox
        self._heard = heard
        self._own, self._extent = registers.extent("holding")
        self._theirs, count = registers.span(row.name for row in registers.select("holding", "read"))
        self._their_words = [0] * count
        self._unheard = set(_SEQUENCES)
        self._server: ModbusTcpServer | None = None

    @property
    def fault(self) -> None:
        """None: nobody but the station writes its half."""

    @property
    def running(self) -> bool:
        """Whether the server listens."""
        return self._server is not None

    async def open(self) -> None:
        """Listen.

        Raises:
            PlcError: `port_in_use`, `port_not_permitted`, `cannot_listen`.
        """
        address = (self._settings.host, self._settings.port)
        server = ModbusTcpServer(self._devices(), address=address)
        try:
            _check_free(address)
            await server.serve_forever(background=True)
        except (OSError, RuntimeError) as error:
            await server.shutdown()  # type: ignore[no-untyped-call]
            raise PlcError(_listening_fault(error), f"{address[0]}:{address[1]}: {error}") from error
        self._server = server
        self.port = int(server.transport.sockets[0].getsockname()[1])  # type: ignore[attr-defined]

    async def write(self, runs: Sequence[Run]) -> None:
        """Nothing: the server answers from the outbox."""

    async def close(self) -> None:
        """Stop listening and close every connection."""
        server, self._server = self._server, None
        if server:
            await server.shutdown()  # type: ignore[no-untyped-call]
            await asyncio.sleep(0)  # the event loop closes the sockets in its next turn

    def _devices(self) -> list[SimDevice]:
        unit = self._settings.unit
        answering = [SimDevice(id=one, simdata=self._simdata(), action=self._access) for one in {unit, ANY_UNIT}]
        others = [] if 0 in {unit, ANY_UNIT} else [SimDevice(id=0, simdata=self._simdata(), action=_no_such_unit)]
        return answering + others

    def _simdata(self) -> list[SimData]:
        return [SimData(self._own, count=self._extent, datatype=DataType.REGISTERS)]

    async def _access(
        self,
        function: int,
        start: int,
        address: int,
        _count: int,
        registers: list[int],
        new: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Hook of pymodbus: gives the present words for a read, takes or refuses a write."""
        if function not in _FUNCTIONS:
            return ExcCodes.ILLEGAL_FUNCTION
        if new and (refusal := self._take(address, [int(word) for word in new])):
            return refusal
        image = self._image()
        registers[self._own - start : self._own - start + len(image)] = image
        return None

    def _take(self, address: int, words: Sequence[int]) -> ExcCodes | None:
        end = self._theirs + len(self._their_words)
        if not self._theirs <= address < address + len(words) <= end:
            return ExcCodes.ILLEGAL_ADDRESS
        touched = [row for row in self._registers.touched("holding", address, len(words)) if row.access == "read"]
        after = list(self._their_words)
        for row in touched:
            for place in range(max(row.address, address), min(row.end, address + len(words))):
                after[place - self._theirs] = words[place - address]
        if any(self._is_illegal(row, after) for row in touched):
            return ExcCodes.ILLEGAL_VALUE
        self._their_words = after
        for row in touched:
            if row.name in self._unheard:
                self._unheard.remove(row.name)
                self._inbox.adopt(row.name, after[row.address - self._theirs])
        self._heard(after)
        return None

    def _is_illegal(self, row: Register, words: Sequence[int]) -> bool:
        """Text may be written word by word, and is looked at when it is announced; codes when they are followed."""
        if isinstance(row.word_type, Ascii):
            return False
        try:
            row.word_type.decode(words[row.address - self._theirs : row.end - self._theirs])
        except ValueError:
            return True
        return False

    def _image(self) -> list[int]:
        image = [0] * self._extent
        for first, words in ((self._outbox.first, self._outbox.words()), (self._theirs, self._their_words)):
            image[first - self._own : first - self._own + len(words)] = words
        return image


async def _no_such_unit(*_: object) -> ExcCodes:
    return ExcCodes.GATEWAY_NO_RESPONSE


def _check_free(address: tuple[str, int]) -> None:
    with socket.create_server(address):
        pass


def _listening_fault(error: OSError | RuntimeError) -> str:
    """The code that says why nothing can listen; pymodbus' own error comes where the port was taken since it was tried.

    The system answers EACCES to a user who may not have a port below 1024, and EADDRNOTAVAIL, or that it knows no such
    name, where the address is none of this computer.
    """
    number = error.errno if isinstance(error, OSError) else errno.EADDRINUSE
    if number == errno.EADDRINUSE:
        return "plc.port_in_use"
    return "plc.port_not_permitted" if number in (errno.EACCES, errno.EPERM) else "plc.cannot_listen"
