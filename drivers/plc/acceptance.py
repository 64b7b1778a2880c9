"""Which announced parts are the station's: a number is offered once, and again only where it is another part's."""

from collections import deque

from drivers.plc.block import HeardBlock
from station.core.part import Announcement

TAKEN_ON_KEPT = 16
NOTHING = Announcement(0, "", 0)
"""No part was accepted; one of which only the number is known has no id either."""


class Acceptance:
    """What was accepted, and what the PLC announces beside it. Nothing here waits.

    Args:
        block: What was heard.
        accepted: What the station accepted last, which is not offered again.

    Attributes:
        accepted: What the station has taken on last.
        untold: Whether the PLC must be told anew what that is.
    """

    def __init__(self, block: HeardBlock, accepted: Announcement = NOTHING) -> None:
        self.accepted = NOTHING
        self.untold = False
        self._block = block
        self._before = NOTHING
        self._taken_on: deque[Announcement] = deque(maxlen=TAKEN_ON_KEPT)
        self._number = 0
        self._counts_anew = False
        self.take_on(accepted)

    @property
    def shown(self) -> Announcement:
        """What stands in the PLC's registers, whether it can be used or not."""
        block = self._block
        return Announcement(block.number("part_sequence"), block.text("next_part_id"), block.number("next_part_type"))

    @property
    def is_new(self) -> bool:
        """Whether a part is announced that was not accepted yet."""
        return self._block.number("part_sequence") not in (0, self.accepted.sequence)

    def take_on(self, part: Announcement) -> None:
        """This part is the station's from now on."""
        if part.sequence != self.accepted.sequence:
            self._before = self.accepted
        self.accepted, self.untold = part, False
        if part.sequence:
            self._taken_on.append(part)

    def give_back(self) -> None:
        """The part that was accepted last is not the station's; the one before it was accepted last."""
        self._taken_on = deque((part for part in self._taken_on if part != self.accepted), TAKEN_ON_KEPT)
        self.accepted, self._before = self._before, NOTHING

    def resume(self, number: int) -> None:
        """Take up where the station was before its restart: the part with this number was accepted last."""
        if number != self.accepted.sequence:
            self.accepted = Announcement(number, "", 0)

    def adopt(self, number: int) -> None:
        """Take a standing number for one that was accepted, where a part with it was; 0: the number that comes is new.

        A new one announces another part even with the number accepted last.
        """
        if number == 0:
            self.begin_anew()
        elif known := next((part for part in reversed(self._taken_on) if part.sequence == number), None):
            self.accepted, self.untold = known, True

    def begin_anew(self) -> None:
        """The PLC's memory is not the one that it was: its numbers may be given out a second time."""
        self._counts_anew = True

    def hear(self) -> None:
        """Forget the accepted part when its number is given out a second time: after a 0, and with another part.

        With the same part it is an old announcement that a program found again when it began anew. Without a 0 it is
        the next one, which is being written: the number comes last.
        """
        before, shown = self._number, self.shown
        self._number = shown.sequence
        if not shown.sequence:
            self._counts_anew = self._counts_anew or before != 0
        elif self._counts_anew:
            self._counts_anew = False
            known, same_number = self.accepted.part_id, shown.sequence == self.accepted.sequence
            if known and same_number and shown != self.accepted:
                self.accepted, self.untold = NOTHING, True
