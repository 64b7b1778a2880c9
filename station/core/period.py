"""What the records hold of a stretch of time: parts by what became of them, and the states that the cell was in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Self, TypeVar

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Group:
    """Inspections that have something in common.

    Attributes:
        state: How far they came: open, judged, sorted, lost or withdrawn.
        verdict: The final one, or None.
        reason: Why it is no other, a fault's code, or None.
        part_type: Name of their type.
        parts: How many.
        tried: `golden` or `study` of parts that try the station, which are no production; None of all others.
    """

    state: str
    verdict: str | None
    reason: str | None
    part_type: str
    parts: int
    tried: str | None = None


@dataclass(frozen=True, slots=True)
class StateChange:
    """A change of the cell's state.

    Attributes:
        at: When, as `station.core.moments` writes it.
        before: The state that it left.
        after: The state that it came to.
        reason: Why, a fault's code; empty where nothing was wrong.
        heard: Where it does not follow the change before it, when the station last wrote anything before; else None.
            Then it ended without a word in between.
    """

    at: str
    before: str
    after: str
    reason: str
    heard: str | None = None

    @classmethod
    def of(cls, at: str, detail: str) -> Self:
        """From the event `state_changed`, whose detail is `BEFORE AFTER CODE DETAIL`."""
        before, after, reason = [*detail.split(" ", 3), "", "", ""][:3]
        return cls(at, before, after, reason)


@dataclass(frozen=True, slots=True)
class Period:
    """What is recorded of a stretch of time.

    Attributes:
        groups: The inspections that were entered in it.
        defects: How many of them show each class of defect, those that try the station left out.
        changes: The last change before it, those in it, and the first after it.
        left: The last time before it that the cell left Execute, or None.
        heard: When the station wrote anything last, up to now; None where it never did.
    """

    groups: tuple[Group, ...] = ()
    defects: tuple[tuple[str, int], ...] = ()
    changes: tuple[StateChange, ...] = ()
    left: StateChange | None = None
    heard: str | None = None


def linked(
    changes: Iterable[tuple[StateChange, E]], heard: Callable[[StateChange, E], str | None]
) -> list[StateChange]:
    """The changes in order; one that does not follow the change before it says when the station was heard last.

    Args:
        changes: Each with its event, whatever that is.
        heard: When something was written last before such a change.
    """
    found: list[StateChange] = []
    for change, event in changes:
        follows = not found or found[-1].after == change.before
        found.append(change if follows else replace(change, heard=heard(change, event)))
    return found
