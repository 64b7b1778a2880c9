"""Where an inspection stands, by what is written of it and what was found in the cell. Pure functions."""

from dataclasses import dataclass
from enum import Enum, auto

from station.core.judgement import Journal, Written
from station.core.part import Inspection


class Stage(Enum):
    """Where an inspection begins, or is taken up again."""

    LOAD = auto()
    LOAD_IN_DOUBT = auto()
    SCAN = auto()


@dataclass(frozen=True, slots=True)
class Resumed:
    """An inspection that goes on, and where."""

    inspection: Inspection
    stage: Stage


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of the newest inspection when the cell was cleared.

    Attributes:
        on_jig: A part sits in the chuck.
        in_gripper: The gripper holds one.
        taken: Number of the order that the robot had taken last; 0 for none since it began.
        given: The order that it was given last, or None.
    """

    on_jig: bool
    in_gripper: bool
    taken: int
    given: Written | None


NOT_FOUND = Found(on_jig=False, in_gripper=False, taken=0, given=None)
"""Of an inspection that others have followed."""


def stage_of(journal: Journal, found: Found) -> Stage | None:
    """Where an inspection can be taken up; None for one that cannot."""
    if found.on_jig or found.in_gripper:
        return Stage.SCAN if found.on_jig and journal.decision is None else None
    return None if found is NOT_FOUND else _stage_at_the_infeed(journal, found)


def _stage_at_the_infeed(journal: Journal, found: Found) -> Stage | None:
    """How a part is loaded that has not left the infeed, as far as is known; None for one that has.

    That the robot never took the load order is proven only by an older one that it took last.
    """
    load = journal.robot_order("load")
    if journal.decision is not None:
        return None
    if load is None:
        return Stage.LOAD
    if load.confirmed is not None or load.order.number == found.taken:
        return None
    return Stage.LOAD if found.taken and load == found.given else Stage.LOAD_IN_DOUBT
