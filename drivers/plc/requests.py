"""What the line PLC wants of the station, from its registers to the answer in the station's.

    number, argument ─▶ one `LineRequest` ─▶ answered: number, result, and for a command the reason

A command and an acknowledgement differ in their registers only.
"""

from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from drivers.modbus.register_map import Value
from drivers.plc.block import HeardBlock
from drivers.plc.writer import BlockWriter
from station.core.errors import Fault
from station.core.ports.line import AcknowledgeWish, CommandWish, LineRequest
from station.core.pulse import Pulse

REQUESTS_KEPT = 16
"""Of each kind; the next one stands in the PLC's registers until there is room for it."""


@dataclass(frozen=True, slots=True)
class RequestKind:
    """The registers of one kind of request.

    Attributes:
        wish: What is wanted.
        number: The PLC's number of the request.
        argument: What the PLC wants in particular: a command, a fault's number.
        answered: The number of the request that was answered last.
        result: The answer to it.
        reason: Why it was refused; empty where that is not told.
    """

    wish: type[CommandWish] | type[AcknowledgeWish]
    number: str
    argument: str
    answered: str
    result: str
    reason: str = ""

    def answer(self, number: int, refused: Fault | None) -> dict[str, Value]:
        """The registers that answer the request with this number."""
        values: dict[str, Value] = {self.answered: number, self.result: "refused" if refused else "taken"}
        if self.reason:
            values[self.reason] = refused.number if refused else 0
        return values


KINDS = (
    RequestKind(
        CommandWish, "command_sequence", "command", "answered_command", "command_result", reason="command_reason"
    ),
    RequestKind(AcknowledgeWish, "alarm_ack_sequence", "alarm_acknowledge", "alarm_ack_answered", "alarm_ack_result"),
)


class RequestQueue:
    """The requests that wait for an answer, also such as cannot be followed. Nothing here waits.

    Args:
        block: What was heard.

    Attributes:
        waiting: The oldest first.
        taken: How many there were so far.
    """

    def __init__(self, block: HeardBlock) -> None:
        self.waiting: deque[LineRequest] = deque()
        self.taken = 0
        self._block = block
        self._last = {kind.number: 0 for kind in KINDS}

    def adopt(self, name: str, number: int) -> None:
        """Take a standing number of this register for one that was taken before; 0: the number that comes is new."""
        self._last[name] = number

    def hear(self, peer: str) -> None:
        """Take what is new in the block, which is believed.

        Args:
            peer: Address and port that it came from.
        """
        for kind in KINDS:
            number = self._block.number(kind.number)
            if number == 0:
                self._last[kind.number] = 0
            elif number != self._last[kind.number] and self._has_room_for(kind):
                self._last[kind.number] = number
                self.waiting.append(LineRequest(number, kind.wish(self._block.word(kind.argument)), peer))
                self.taken += 1

    def _has_room_for(self, kind: RequestKind) -> bool:
        return sum(isinstance(request.wish, kind.wish) for request in self.waiting) < REQUESTS_KEPT


class ModbusRequests:
    """The port `LineRequests`.

    Args:
        queue: The requests that were heard.
        writer: Of the answers.
    """

    def __init__(self, queue: RequestQueue, writer: BlockWriter) -> None:
        self._queue = queue
        self._writer = writer
        self._pulse = Pulse()
        self._known: tuple[int, Fault | None] = (0, None)

    def pending(self) -> LineRequest | None:
        """The oldest request that was not yet answered, or None."""
        return self._queue.waiting[0] if self._queue.waiting else None

    def changed(self) -> Coroutine[Any, Any, None]:
        """Return at the next new request after this call, or when the line is lost or back."""
        return self._pulse.changed()

    async def answer(self, request: LineRequest, refused: Fault | None) -> None:
        """Tell the PLC that a request was taken (None) or refused; harmless where it was answered."""
        kind = next(kind for kind in KINDS if isinstance(request.wish, kind.wish))
        await self._writer.write(kind.answer(request.sequence, refused))
        if request in self._queue.waiting:
            self._queue.waiting.remove(request)

    def notice(self, fault: Fault | None) -> None:
        """Wake whoever waits, where there is a request more, or this is another fault of the line."""
        known, self._known = self._known, (self._queue.taken, fault)
        if known != self._known:
            self._pulse.beat()
