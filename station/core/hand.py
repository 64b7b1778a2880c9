"""The hand: who may command the cell beside its line PLC, for how long, and why."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the hand.

    Attributes:
        who: A person's name.
        why: What the person gave as the reason.
        since: When it was taken, UTC.
        until: When it ends by itself, UTC.
    """

    who: str
    why: str
    since: datetime
    until: datetime
