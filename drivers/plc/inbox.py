"""What the line PLC says, from its words to those whom it concerns.

    words ─▶ block ─▶ acceptance: is it an announcement of another part?
                  └─▶ trust: is it believed? ─▶ requests
                                            └─▶ whoever listens: the view, the results

Nothing here waits.
"""

from collections.abc import Callable, Sequence

from drivers.modbus.register_map import RegisterMap
from drivers.plc.acceptance import NOTHING, Acceptance
from drivers.plc.block import HeardBlock
from drivers.plc.requests import KINDS, RequestQueue
from drivers.plc.trust import Trust
from station.core.errors import Fault
from station.core.part import Announcement


class PlcInbox:
    """Where either role brings what it has heard.

    Args:
        registers: The PLC's map.
        stale_after_s: How long a heartbeat may stand still.
        accepted: What the station accepted last, which is not offered again.

    Attributes:
        block: The words.
        trust: Whether they are believed.
        acceptance: Which parts are the station's.
        requests: Those that wait for an answer.
    """

    def __init__(self, registers: RegisterMap, stale_after_s: float, accepted: Announcement = NOTHING) -> None:
        self.block = HeardBlock(registers)
        self.trust = Trust(self.block, stale_after_s)
        self.acceptance = Acceptance(self.block, accepted)
        self.requests = RequestQueue(self.block)
        self._listeners: list[Callable[[], None]] = []

    def on_news(self, listener: Callable[[], None]) -> None:
        """Call this whenever something was heard, or the PLC was lost."""
        self._listeners.append(listener)

    def hear(self, words: Sequence[int], peer: str) -> None:
        """Take all the words that the PLC writes.

        Args:
            words: From the first register of its half on.
            peer: Address and port that they came from.
        """
        self.block.take(words)
        self.acceptance.hear()
        self.trust.hear()
        if self.trust.fault is None:
            self.requests.hear(peer)
        self._tell()

    def lose(self, fault: Fault) -> None:
        """The PLC is not heard any more."""
        self.trust.lose(fault)
        self._tell()

    def adopt(self, name: str, number: int) -> None:
        """Take a standing number for one that was taken before; 0: the number that comes is a new one.

        Args:
            name: `part_sequence`, or the register of a request's number.
            number: What stands there.
        """
        if name in {kind.number for kind in KINDS}:
            self.requests.adopt(name, number)
        else:
            self.acceptance.adopt(number)

    def resume(self, said: Callable[[str], int]) -> None:
        """Take up where the station was before its restart: nothing is offered or taken again.

        Args:
            said: The numbers in the station's own half, by register.
        """
        self.acceptance.resume(said("accepted_part"))
        for kind in KINDS:
            self.requests.adopt(kind.number, said(kind.answered))

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
