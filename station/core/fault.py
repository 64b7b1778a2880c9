"""A fault: its number on the line PLC, its name, what an operator reads, and what the station does about it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Reaction(StrEnum):
    """What the station does about a fault; `REACTIONS` says what that means and how the fault is cleared."""

    RESCAN = "rescan"
    REVIEW = "review"
    HOLD = "hold"
    SUSPEND = "suspend"
    ABORT = "abort"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Conduct:
    """What a reaction means.

    Attributes:
        does: What the station does.
        latched: Whether the fault stays an alarm until a person has acted.
        cleared: How the fault is cleared.
    """

    does: str
    latched: bool
    cleared: str


REACTIONS: dict[Reaction, Conduct] = {
    Reaction.RESCAN: Conduct(
        "The part is scanned once more; if that fails too, it goes to review. The cell goes on.", False, "by itself"
    ),
    Reaction.REVIEW: Conduct("The part goes to review. The cell goes on.", False, "by itself"),
    Reaction.HOLD: Conduct(
        "The part goes to review if it can be moved; the cell comes to rest in Held.",
        True,
        "mend the cause, then Unhold (from Stopped: Reset)",
    ),
    Reaction.SUSPEND: Conduct(
        "The part in work waits or is finished; the cell is Suspended.", False, "by itself, when the line is well again"
    ),
    Reaction.ABORT: Conduct(
        "The jig stops, nothing else moves; the cell is Aborted.", True, "make safe, then Clear, Reset, Start"
    ),
    Reaction.REFUSE: Conduct(
        "The command is refused; nothing is started or moved.", False, "correct what is named, try again"
    ),
    Reaction.WITHDRAW: Conduct(
        "The part stays where it lies, its inspection is closed without a verdict; the cell goes on with what the line "
        "PLC announces and permits now.",
        False,
        "by itself",
    ),
    Reaction.WARN: Conduct("It is an alarm, and nothing else; the cell goes on.", False, "by itself"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the fault table.

    Attributes:
        number: Reason code on the PLC, 1 to 65535; the thousands name the family.
        code: Name for records, logs and JSON, `family.what`.
        text: What an operator reads: what is wrong, and what to do.
        reaction: What the station does.
    """

    number: int
    code: str
    text: str
    reaction: Reaction


def by_code(*subjects: Iterable[Fault]) -> Mapping[str, Fault]:
    """A table of faults by their codes, in the order of the numbers."""
    return {fault.code: fault for subject in subjects for fault in subject}
